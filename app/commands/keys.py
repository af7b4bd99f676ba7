"""`nexttick keys`: keys of vendors in the operating system's keyring."""

import argparse
import getpass
import sys
from typing import Final

import msgspec

from app.commands import Once, Report, Result
from app.secrets import PROFILES, Profile, Secrets, masked, profile_named
from engine.errors import UserError

SUMMARY: Final = "keep vendors' keys in the system's keyring"

_QUESTIONS: Final = {
    "set": "keep a key, typed where nobody sees it",
    "list": "which keys are kept, by their last four characters",
    "delete": "remove a key",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    questions = parser.add_subparsers(dest="question", metavar=" | ".join(_QUESTIONS), required=True)
    for name, summary in _QUESTIONS.items():
        question = questions.add_parser(name, help=summary, description=summary)
        question.register("action", None, Once)
        question.add_argument(
            "--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON"
        )
        if name != "list":
            question.add_argument("profile", metavar="PROFILE", help=" | ".join(PROFILES))
        if name == "set":
            question.add_argument(
                "--stdin",
                action="store_true",
                help='read one JSON object from standard input, for example {"key": "…"}',
            )


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Answer one question."""
    secrets = Secrets()
    if args.question == "list":
        return _listed(secrets)
    profile = profile_named(args.profile)
    if args.question == "delete":
        secrets.delete(profile)
        return Result({"profile": profile.name, "kept": False}, f"The key of {profile.title} is removed.")
    secrets.set(profile, _from_stdin() if args.stdin else _typed(profile))
    return Result({"profile": profile.name, "kept": True}, f"The key of {profile.title} is kept.")


def _listed(secrets: Secrets) -> Result:
    kept = {profile: secrets.get(profile) for profile in PROFILES.values()}
    shown = {
        profile.name: {name: masked(value) for name, value in fields.items()} if fields else None
        for profile, fields in kept.items()
    }
    return Result({"profiles": shown}, "\n".join(_line(name, fields) for name, fields in shown.items()))


def _line(name: str, fields: dict[str, str] | None) -> str:
    if fields is None:
        return f"{name:<12}not set"
    return f"{name:<12}{', '.join(f'{field} {value}' for field, value in fields.items())}"


def _typed(profile: Profile) -> dict[str, str]:
    if not sys.stdin.isatty():
        raise UserError("There is no terminal to type a key at; send it as one JSON object with --stdin.")
    return {name: getpass.getpass(f"{profile.title} {name}: ") for name in profile.fields}


def _from_stdin() -> dict[str, str]:
    try:
        return msgspec.json.decode(sys.stdin.read(), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UserError(
            'Standard input is not one JSON object of texts; send for example {"key": "…"}.'
        ) from None  # the error would quote what was sent
