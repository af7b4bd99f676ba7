"""The arguments that say what runs, shared by `backtest` and `replay`: from a file, the line, or both."""

import argparse
import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from app.commands import Result, check_output, model_arguments
from app.paths import default_store
from app.policies import Policies
from engine.errors import UserError, in_words, unknown_name
from engine.messages.connection import Connection
from engine.messages.events import InferenceFigures, Results
from engine.messages.run import InferenceMode, Run, VenueRules
from engine.session.checks import check_rules, check_run
from engine.session.fills import fills_csv
from engine.strategies import STRATEGIES, parse_parameters

if TYPE_CHECKING:
    from engine.recording.recorder import SessionRecorder
    from engine.recording.recording import Recording
    from engine.session.backtest import Outcome
    from engine.session.source import Source

type _Group = argparse._ArgumentGroup  # noqa: SLF001 - the standard library's own has no other name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_NS = 86_400_000_000_000
_FRACTION = re.compile(r"(\.\d{6})(\d{1,3})(?=$|Z|[+-])")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a run over past market data."""
    configure_served(parser)
    parser.add_argument(
        "--limits", action="store_true", help="under your limits, as paper and live always are"
    )
    parser.add_argument(
        "--record", action="store_true", help="record the session, as windows do without being asked"
    )


def configure_served(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a run over stored or generated market data, however they are served."""
    what = configure_traded(parser)
    what.add_argument("--start", metavar="T", help="first market time: ISO date or time (UTC), or ns")
    what.add_argument("--end", metavar="T", help="last market time, inclusive; a date means all of it")
    what.add_argument("--store", metavar="DIR", help="folder of the tick store")
    what.add_argument("--simulate", metavar="MARKET", help="a generated market instead: fx or crypto")
    what.add_argument(
        "--recording", metavar="DIR", help="a recorded session instead, run as it ran: its folder or its id"
    )
    what.add_argument(
        "--series",
        metavar="NAME",
        action="append",
        help="stored news or calendar, told as it is published and read by models of news; may be repeated",
    )
    what.add_argument("--seed", type=int, metavar="N", help="of the generated market and of random windows")
    what.add_argument("--latency-ms", type=float, metavar="MS", help="delay of every order to the venue")


def configure_traded(parser: argparse.ArgumentParser) -> _Group:
    """Add the arguments that every run has; the group in which further ones say what runs."""
    what = parser.add_argument_group("what runs")
    what.add_argument("--instrument", metavar="ID", help="SYMBOL.VENUE, as 'nexttick data list' names them")
    names = [name for name in STRATEGIES if name != "none"]
    what.add_argument("--strategy", metavar="NAME", help=f"none, {', '.join(names[:-1])} or {names[-1]}")
    what.add_argument(
        "--param", metavar="NAME=VALUE", action="append", default=[], help="a parameter of the strategy"
    )
    what.add_argument(
        "--config", metavar="RUN.toml", help="all of this in a file; arguments here override it"
    )
    model_arguments.configure(parser)
    parser.add_argument("--fills", metavar="FILE.csv", help="write the fills as canonical CSV")
    absent = ("start", "end", "store", "simulate", "recording", "series", "seed", "latency_ms")
    parser.set_defaults(**dict.fromkeys(absent), limits=False, record=False)
    return what


def run_of(
    args: argparse.Namespace, mode: InferenceMode = "per-tick", connection: Connection | None = None
) -> Run:
    """Run that the arguments describe; raises `UserError` for anything that is wrong with it.

    `mode` is how a model is asked where nobody says; `connection` is to the market that it trades on where
    that is a live one.
    """
    if args.fills is not None:
        check_output("--fills", args.fills)
    given = _from_file(Path(args.config)) if args.config else {}
    if recording := args.recording or given.get("recording"):
        asked = args.strategy or given.get("strategy") or ("ai_signal" if args.model else "")
        recorded = _recorded(recording, asked)
        given = {**recorded, **given, "recording": recorded["recording"]}
    strategy = args.strategy or given.get("strategy") or ("ai_signal" if args.model else "none")
    if args.strategy and args.strategy != given.get("strategy"):
        given.pop("parameters", None)  # another strategy's
    given["strategy"] = strategy
    parameters = {**given.get("parameters", {}), **_assignments(args.param)}
    given["parameters"] = parse_parameters(strategy, parameters).builtins()
    for name in ("instrument", "store", "simulate", "series", "seed"):
        if getattr(args, name) is not None:
            given[name] = getattr(args, name)
    given |= _times(args)
    if args.limits:
        given["policy"] = msgspec.to_builtins(Policies().current().policy)
    inference = model_arguments.inference_of(args, given.get("inference"), mode)
    if inference is not None:
        given["inference"] = inference
    if connection is not None:
        _check_live(given)
        given["connection"] = msgspec.to_builtins(connection)
    if args.latency_ms is not None:
        given["venue"] = {**given.get("venue", {}), "latency_ms": args.latency_ms}
    return _checked(given)


def _times(args: argparse.Namespace) -> dict[str, int]:
    times = {}
    if args.start is not None:
        times["start_ns"] = time_ns(args.start)
    if args.end is not None:
        times["end_ns"] = time_ns(args.end, end=True)
    return times


def checked_source(run: Run) -> "Source":
    """Market data of a run that can be run; raises `UserError` for what cannot."""
    from engine.session.source import open_source  # noqa: PLC0415 - Arrow takes a while to load

    source = open_source(run)
    check_run(run, source)
    return source


def recorder_of(args: argparse.Namespace) -> "SessionRecorder | None":
    """Recorder of a command that runs without a window; None where it is not asked to record."""
    if not args.record:
        return None
    from app.recordings import recorder_asked  # noqa: PLC0415 - Arrow takes a while to load

    return recorder_asked()


def finished(outcome: "Outcome", fills_path: str | None, recorder: "SessionRecorder | None" = None) -> Result:
    """Answer of a command that ran to its end; writes the fills where asked, and tells of the recording."""
    if fills_path is not None:
        try:
            Path(fills_path).write_text(fills_csv(outcome.fills), encoding="utf-8")
        except OSError as error:
            raise UserError(f"The fills could not be written to {fills_path}: {error.strerror}.") from error
    warned = "".join(f"Warning: {text}\n" for text in outcome.warnings)
    summary = {**outcome.results.summary(), "warnings": outcome.warnings}
    if recorder is None:
        return Result(summary, warned + _table(outcome.results))
    recorded = recorder.status()
    summary["recording"] = msgspec.to_builtins(recorded)
    told = recorded.text or f"Recorded in {recorded.folder}."
    return Result(summary, f"{warned}{_table(outcome.results)}\n{told}")


def time_ns(text: str, *, end: bool = False) -> int:
    """Market time in ns UTC of an ISO date or time (UTC where it names no zone), or of ns since the epoch.

    A date alone is its first nanosecond, or with `end` its last.
    """
    if text.isascii() and text.isdigit() and len(text) > 8:
        return int(text)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        start = (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH).days * _DAY_NS
        return start + _DAY_NS - 1 if end else start
    finer = _FRACTION.search(text)
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError:
        raise UserError(
            f"{text!r} is no date or time of the calendar; write 2019-02-04, 2019-02-04T13:30:00 or ns."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    nanoseconds = int(finer[2].ljust(3, "0")) if finer else 0
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000 + nanoseconds


def _recorded(given: str, strategy: str) -> dict[str, Any]:
    """Settings of a recorded session's run; of its strategy only where no other is asked for."""
    settings: dict[str, Any] = msgspec.to_builtins(_recording(given).replay())
    if strategy not in ("", settings["strategy"]):
        for name in ("strategy", "parameters", "inference"):
            del settings[name]
    return settings


def _recording(given: str) -> "Recording":
    """Recording that is named by its folder or by its id."""
    from app.recordings import person_settings, recordings_folder  # noqa: PLC0415 - Arrow
    from engine.recording.recording import Recording, open_recording  # noqa: PLC0415

    if Path(given).is_dir():
        return Recording(Path(given).absolute())
    return open_recording(recordings_folder(person_settings()), given)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"The run file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"The run file {path} is not TOML: {error}.") from error
    for name, is_end in (("start", False), ("end", True)):
        if name in given:
            given[f"{name}_ns"] = time_ns(str(given.pop(name)), end=is_end)
    _check_names(given, Run, f"setting in {path}", extra=("start", "end"))
    if isinstance(given.get("venue"), dict):
        _check_names(given["venue"], VenueRules, f"venue setting in {path}")
    return given


def _check_names(
    given: dict[str, Any], kind: type[msgspec.Struct], what: str, extra: tuple[str, ...] = ()
) -> None:
    known = kind.__struct_fields__
    for name in given:
        if name not in known:
            raise unknown_name(what, name, (*known, *extra))


def _assignments(texts: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in map(_assignment, texts):
        if name in values:
            raise UserError(f"--param {name} was given twice; give it once.")
        values[name] = value
    return values


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UserError(f"--param {text!r} is not NAME=VALUE; write for example --param fast=10.")
    return name.strip(), value.strip()


def _checked(given: dict[str, Any]) -> Run:
    elsewhere = given.get("simulate") or given.get("recording") or given.get("connection")
    if given.get("simulate") and given.get("recording"):
        raise UserError("A run is over a recording or a generated market; leave out one of them.")
    if not elsewhere and not given.get("instrument"):
        raise UserError(
            "Say what to trade: --instrument SYMBOL.VENUE for stored data, --recording ID for a recorded "
            "session, or --simulate fx or crypto."
        )
    given.setdefault("instrument", "")
    if not elsewhere and not given.get("store"):
        given["store"] = str(default_store())
    start, end = given.get("start_ns"), given.get("end_ns")
    if start is not None and end is not None and end < start:
        raise UserError("The end lies before the start; swap --start and --end.")
    try:
        run = msgspec.convert(given, Run, strict=False)
    except msgspec.ValidationError as error:
        raise UserError(f"The run is not valid: {in_words(error)}.") from error
    check_rules(run)
    return run


def _check_live(given: dict[str, Any]) -> None:
    """Refuse to serve anything else beside a live market."""
    for name in ("simulate", "recording", "start_ns", "end_ns"):
        if given.get(name) is not None:
            option = name.removesuffix("_ns")
            raise UserError(f"A profile's market is live, so there is no --{option}; leave one of them out.")
    if not given.get("instrument"):
        raise UserError("Say what to trade at this profile's venue: --instrument SYMBOL.VENUE.")


def _table(results: Results) -> str:
    rate = results.ticks / results.seconds if results.seconds else 0.0
    rows = [
        ("Ticks", f"{results.ticks:,} in {results.seconds:.2f} s ({rate:,.0f} a second)"),
        *_inference(results.inference),
        ("Orders", f"{results.orders:,}"),
        ("Fills", f"{results.fills:,}"),
        ("Final balance", results.final_balance),
        *_open_position(results),
        ("Net profit", results.net_pnl),
        *((name, _number(value)) for name, value in results.stats.items()),
        ("Fills SHA-256", results.fills_sha256),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _inference(figures: InferenceFigures | None) -> list[tuple[str, str]]:
    if figures is None:
        return []
    if figures.mode == "thread":
        how, at_least = f"in the background; {figures.dropped:,} rows dropped", "at least "
    elif figures.predictions_per_s is not None:
        how, at_least = f"{figures.predictions_per_s:,.0f} a second", ""
    else:
        how, at_least = "kept from an earlier run", ""
    acted = f"each acted on {at_least}{figures.signal_latency_us:,.12g} µs later"
    return [
        ("Predictions", f"{figures.predictions:,} ({how})"),
        ("Decisions", f"{figures.decisions:,}, {acted}"),
    ]


def _open_position(results: Results) -> list[tuple[str, str]]:
    """What the balance leaves out, where anything is left open."""
    if results.open_position is None:
        return []
    profit = results.unrealised_pnl
    signed = profit if profit.startswith("-") else f"+{profit}"
    return [("Open position", f"{results.open_position}, {signed} unrealised, not in the balance")]


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:,.6g}"
