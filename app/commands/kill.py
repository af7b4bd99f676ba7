"""`nexttick kill`: fire a session's kill switch from outside, past its window and whatever hangs in it."""

import argparse
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil

from app.commands import Once, Report, Result
from app.engines import sessions
from engine.errors import UserError, unknown_name
from engine.link.endpoint import Endpoint
from engine.link.kill_channel import ENDED, Fire, KillLine, Look, Sight, Unanswered

SUMMARY: Final = "halt a running session: cancel all, block what is new, flatten"

_EVERY_S: Final = 0.1
_WAIT_S: Final = 30.0
_SILENT_S: Final = 12.0
"""After this long without an answer a process is ended: its own watchdog would have done so by then."""

NOT_FLAT: Final = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--session", metavar="ID", action=Once, help="as --list names it")
    which.add_argument("--all", action="store_true", help="every session that runs")
    which.add_argument("--list", action="store_true", help="only tell which sessions run, and how they stand")
    parser.add_argument("--reason", metavar="TEXT", action=Once, default="nexttick kill", help="for the log")
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        action=Once,
        type=float,
        default=_WAIT_S,
        help=f"longest that the halt is watched (default: {_WAIT_S:g})",
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """List or kill; the exit code is 0 only where all that was to be halted is halted and flat."""
    if not args.wait >= 0:
        raise UserError(f"--wait {args.wait:g} is not possible; give 0 or more seconds.")
    found = sessions()
    if args.list:
        return _list(found)
    chosen = _chosen(found, args)
    for endpoint in chosen:  # all at once, before any is watched
        with contextlib.suppress(UserError), KillLine(endpoint.kill_door) as line:
            line.ask(Fire(args.reason))
    ends = [_kill(endpoint, args.reason, args.wait, report) for endpoint in chosen]
    flat = all(end["flat"] for end in ends)
    return Result(
        {"sessions": ends, "flat": flat}, "\n".join(end["text"] for end in ends), 0 if flat else NOT_FLAT
    )


def _chosen(found: list[Endpoint], args: argparse.Namespace) -> list[Endpoint]:
    if not found:
        raise UserError("No session runs on this machine, so there is nothing to halt.")
    if args.session is not None:
        names = {endpoint.id: endpoint for endpoint in found}
        if args.session not in names:
            raise unknown_name("session", args.session, names)
        return [names[args.session]]
    if len(found) > 1 and not args.all:
        running = ", ".join(map(_named, found))
        raise UserError(f"{len(found)} sessions run ({running}); name one with --session, or give --all.")
    return found


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.id}: {endpoint.run.mode} of {_market(endpoint)}"


def _market(endpoint: Endpoint) -> str:
    """What it trades, also where only its source knows the instrument."""
    run = endpoint.run
    return run.instrument or run.simulate or Path(run.recording).name


def _list(found: list[Endpoint]) -> Result:
    told = [_seen(endpoint) for endpoint in found]
    lines = [
        f"{each['id']:<12}{each['mode']:<8}{each['instrument']:<24}{each['strategy']:<16}{each['text']}"
        for each in told
    ]
    return Result({"sessions": told}, "\n".join(lines) or "No session runs on this machine.")


def _seen(endpoint: Endpoint) -> dict[str, Any]:
    about = {
        "id": endpoint.id,
        "pid": endpoint.pid,
        "mode": endpoint.run.mode,
        "instrument": _market(endpoint),
        "strategy": endpoint.run.strategy,
    }
    try:
        with KillLine(endpoint.kill_door) as line:
            sight = line.ask(Look())
    except UserError as error:
        return {**about, "answers": False, "text": str(error)}
    return {**about, "answers": True, **msgspec.to_builtins(sight), "text": sight.text_now}


def _kill(endpoint: Endpoint, reason: str, wait_s: float, report: Report) -> dict[str, Any]:
    """Fire, tell each step once, and how it ended."""
    told = ""
    sight: Sight | None = None
    deadline_s = time.monotonic() + wait_s
    silent_since_s = time.monotonic()
    line: KillLine | None = None
    with contextlib.ExitStack() as hung_up:
        while time.monotonic() < deadline_s:
            try:
                if line is None:
                    line = hung_up.enter_context(KillLine(endpoint.kill_door))
                    line.ask(Fire(reason))
                sight = line.ask(Look())
            except Unanswered as error:
                line = None
                told = _tell(report, endpoint, told, str(error))
                if time.monotonic() - silent_since_s >= _SILENT_S:
                    return _ended(endpoint, _end_process(endpoint))
                continue
            except UserError:
                return _ended(endpoint, "The session's process has ended.")
            silent_since_s = time.monotonic()
            told = _tell(report, endpoint, told, sight.note or sight.text or sight.text_now)
            if sight.is_halted:
                return _end_of(endpoint, sight, f"Session {_named(endpoint)} is halted and flat.")
            time.sleep(_EVERY_S)
    return _end_of(
        endpoint,
        sight,
        f"Session {_named(endpoint)} is not flat after {wait_s:g} s"
        + (f" ({sight.text_now})" if sight is not None else "")
        + "; look at the venue, or run this command again.",
    )


def _tell(report: Report, endpoint: Endpoint, before: str, text: str) -> str:
    if text != before:
        report(f"{endpoint.id}: {text}")
    return text


def _end_of(endpoint: Endpoint, sight: Sight | None, text: str) -> dict[str, Any]:
    seen = {} if sight is None else msgspec.to_builtins(sight)
    flat = sight is not None and sight.is_halted
    return {**seen, "id": endpoint.id, "pid": endpoint.pid, "flat": flat, "text": text}


def _ended(endpoint: Endpoint, text: str) -> dict[str, Any]:
    live = endpoint.run.mode == "live"
    open_ones = " Orders may still work and positions may be open: look at the venue." if live else ""
    return {"id": endpoint.id, "pid": endpoint.pid, "flat": not live, "ended": True, "text": text + open_ones}


def _end_process(endpoint: Endpoint) -> str:
    """End a process of which not even the watchdog answers; its log then says where its threads were."""
    try:
        process = psutil.Process(endpoint.pid)
        # The engine dumps its threads' stacks on this one; a process that hosts a window is left alone.
        if "-" in endpoint.id:
            return f"The window's process {endpoint.pid} does not answer; end it."
        os.kill(process.pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGABRT)
        try:
            process.wait(2.0)
        except psutil.TimeoutExpired:
            process.kill()
    except psutil.NoSuchProcess:
        return ENDED
    return f"The engine gave no answer for {_SILENT_S:g} s, so its process was ended."
