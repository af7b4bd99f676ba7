"""`nexttick keys`: keys of vendors and connections, in the system's keyring or the encrypted vault."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from app.commands import Once, Report, Result
from app.connection_check import standing_of
from app.key_import import from_environment, from_file
from app.profiles import Profiles, kept_named, kept_of
from app.secrets import PROFILES, Profile, Secrets, masked, vault_path
from engine.credentials.standing import Standing
from engine.errors import UserError

SUMMARY: Final = "keep keys of vendors and connections, and test them"

_QUESTIONS: Final = {
    "set": "keep a key, typed where nobody sees it",
    "list": "which keys are kept and where, by their last four characters",
    "delete": "remove a key",
    "test": "ask the venue about a key; reads only",
}
_WIDTH: Final = 12


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
            known = " | ".join(PROFILES)
            question.add_argument(
                "profile", metavar="PROFILE", help=f"{known} | the name of a connection profile"
            )
        if name == "set":
            source = question.add_mutually_exclusive_group()
            source.add_argument(
                "--stdin",
                action="store_true",
                help='read one JSON object from standard input, for example {"key": "…"}',
            )
            source.add_argument(
                "--from-env",
                metavar="PREFIX",
                help="take it from environment variables, for example BINANCE for BINANCE_API_KEY",
            )
            source.add_argument(
                "--from-file", metavar="PATH", type=Path, help="take it from JSON or from lines API_KEY=…"
            )


def run(args: argparse.Namespace, _report: Report) -> Result:
    """Answer one question."""
    secrets, profiles = Secrets(asks=True), Profiles()
    if args.question == "list":
        return _listed(secrets, profiles)
    if args.question == "test":
        return _tested(args.profile, standing_of(args.profile, secrets, profiles))
    if args.question == "delete":
        profile = _to_delete(args.profile, secrets, profiles)
        secrets.delete(profile)
        return Result({"profile": profile.name, "kept": False}, f"The key of {profile.title} is removed.")
    profile = kept_named(args.profile, profiles)
    if not profile.fields:
        raise UserError(
            f"{profile.title} needs no key, as you log in elsewhere; nexttick keys test {profile.name} looks."
        )
    fields, warning = _given(args, profile)
    secrets.set(profile, fields)
    answer: dict[str, Any] = {"profile": profile.name, "kept": True, "kept_in": secrets.place}
    text = f"The key of {profile.title} is kept: {secrets.place}."
    if not warning:
        return Result(answer, text)
    return Result({**answer, "warning": warning}, f"{text}\nWarning: {warning}")


def _to_delete(name: str, secrets: Secrets, profiles: Profiles) -> Profile:
    """What is kept under a name, also where its connection is gone or its file cannot be read."""
    try:
        return kept_named(name, profiles)
    except UserError:
        left = Profile(name, name, ())
        if secrets.get(left) is None:
            raise
        return left


def _given(args: argparse.Namespace, profile: Profile) -> tuple[dict[str, str], str]:
    if args.from_env is not None:
        return from_environment(profile, args.from_env)
    if args.from_file is not None:
        return from_file(profile, args.from_file)
    return (_from_stdin() if args.stdin else _typed(profile)), ""


def _listed(secrets: Secrets, profiles: Profiles) -> Result:
    names, broken = profiles.names(), {}
    known = list(PROFILES.values())
    for name in names:
        try:
            known.append(kept_of(profiles.get(name)))
        except UserError as error:
            broken[name] = str(error)
    shown = {profile.name: _masked(profile, secrets) for profile in known}
    width = max(_WIDTH, *(len(name) + 2 for name in [*shown, *broken]))
    lines = [_line(name, fields, width) for name, fields in shown.items()]
    lines += [f"{name:<{width}}{sentence}" for name, sentence in broken.items()]
    lines.append(f"Kept in: {secrets.place}.")
    if vault_path().exists() and not secrets.is_vault:
        lines.append(
            f"There is an encrypted vault at {vault_path()} too; it is used where no keyring answers."
        )
    return Result({"kept_in": secrets.place, "profiles": shown, "broken": broken}, "\n".join(lines))


def _masked(profile: Profile, secrets: Secrets) -> dict[str, str] | None:
    if not profile.fields:
        return {}
    fields = secrets.get(profile)
    return None if fields is None else {name: masked(value) for name, value in fields.items()}


def _line(name: str, fields: dict[str, str] | None, width: int) -> str:
    if fields is None:
        return f"{name:<{width}}not set"
    told = ", ".join(f"{field} {value}" for field, value in fields.items())
    return f"{name:<{width}}{told or 'needs no key'}"


def _tested(name: str, standing: Standing) -> Result:
    answer = msgspec.to_builtins(standing)
    return Result({"profile": name, "ok": True, **answer}, standing.sentence)


def _typed(profile: Profile) -> dict[str, str]:
    if not sys.stdin.isatty():
        raise UserError("There is no terminal to type a key at; send it as one JSON object with --stdin.")
    return {name: getpass.getpass(f"{profile.title} {name}: ") for name in profile.fields}


def _from_stdin() -> dict[str, str]:
    try:
        return msgspec.json.decode(sys.stdin.read().removeprefix("\ufeff"), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeError):  # what is no text may have been read as surrogates
        raise UserError(
            'Standard input is not one JSON object of texts; send for example {"key": "…"}.'
        ) from None  # the error would quote what was sent
