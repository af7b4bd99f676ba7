"""`nexttick recordings`: what was recorded of sessions, and what can be done with it."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import polars as pl

from app.commands import Once, Report, Result, check_output
from app.commands.import_ import stamp
from app.paths import default_store
from app.recordings import person_settings, recordings_folder, targets_of
from engine.errors import UserError
from engine.recording import audit
from engine.recording.audit import Line
from engine.recording.audited import export, lines, verify
from engine.recording.recording import Recording, open_recording, recordings
from engine.recording.tables import lines_table
from engine.store import Store

SUMMARY = "list, describe, export, import and delete recorded sessions"

_UNDER_WAY: Final = "Its session still runs; all lines so far are as they were written."
_ENDINGS: Final = (".csv", ".parquet")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.register("action", None, Once)
    shared.add_argument(
        "--folder", type=Path, metavar="DIR", help="of recordings (default: as the settings say)"
    )
    shared.add_argument("--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON")
    questions = parser.add_subparsers(dest="question", metavar=" | ".join(["list", *_OF_ONE]), required=True)
    questions.add_parser("list", parents=[shared], help="all recordings, newest first")
    for name, (summary, _) in _OF_ONE.items():
        question = questions.add_parser(name, parents=[shared], help=summary)
        question.add_argument("id", metavar="ID", help="as 'nexttick recordings list' names it")
        if name == "export":
            question.add_argument("--to", required=True, metavar="FILE", help=" or ".join(_ENDINGS))
        if name == "audit":
            asked = question.add_mutually_exclusive_group()
            asked.add_argument(
                "--verify", action="store_true", help="only tell whether it is as it was written"
            )
            asked.add_argument("--export", metavar="FILE", help="write its lines as .csv or .json")
        if name == "import":
            question.add_argument("--store", type=Path, metavar="DIR", help=f"(default: {default_store()})")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer one question; raises `UserError` for what a person can mend."""
    if args.folder is not None and not args.folder.is_dir():
        raise UserError(f"There is no folder {args.folder}; give the folder of recordings.")
    root = args.folder or recordings_folder(person_settings())
    if args.question == "list":
        return _list(root)
    return _OF_ONE[args.question][1](open_recording(root, args.id), args, report)


def _list(root: Path) -> Result:
    found, problems = recordings(root)
    if not found and not problems:
        return Result({"recordings": [], "problems": []}, f"Nothing is recorded in {root} yet.")
    told = [_told(recording) for recording in found]
    width = max([len("recording"), *(len(each["id"]) for each in told)])
    lines = [f"{'recording':<{width}}{'rows':>14}{'lost':>12}{'MB':>10}  how it ended"] if told else []
    lines += [
        f"{each['id']:<{width}}{sum(each['rows'].values()):>14,}{each['rows_lost']:>12,}"
        f"{each['bytes'] / 2**20:>10,.1f}  {each['ending']}"
        for each in told
    ]
    return Result(
        {"recordings": told, "problems": problems}, "\n".join([*lines, *problems]), 2 * bool(problems)
    )


def _told(recording: Recording) -> dict[str, Any]:
    manifest = recording.manifest
    return {
        "id": recording.id,
        "instrument": manifest.instrument.id,
        "strategy": manifest.run.strategy,
        "started_ns": manifest.started_ns,
        "ended_ns": manifest.ended_ns,
        "ending": recording.ending,
        "market": manifest.market,
        "rows": {kind: found.rows for kind, found in recording.market().items()},
        "rows_lost": recording.rows_lost,
        "bytes": recording.bytes,
    }


def _info(recording: Recording, _args: argparse.Namespace, _report: Report) -> Result:
    manifest, market, told = recording.manifest, recording.market(), _told(recording)
    counted: dict[str, int] = {}
    for name in lines_table(recording.lines())["what"].to_pylist():
        counted[name] = counted.get(name, 0) + 1
    lines = [
        f"{recording.id}  {recording.ending}",
        f"  {recording.folder}, {told['bytes'] / 2**20:,.1f} MB, by version {manifest.program}",
        f"  {manifest.instrument.id}, strategy {manifest.run.strategy}, from {stamp(manifest.started_ns)}"
        + (f" to {stamp(manifest.ended_ns)}" if manifest.ended_ns is not None else ""),
        *(
            f"  {kind:<7}{found.rows:>14,}  {stamp(found.first_ns)}  to  {stamp(found.last_ns)}"
            for kind, found in market.items()
        ),
    ]
    if not manifest.market:
        lines.append("  no market data: they were not to be recorded")
    lines.append(f"  lost   {told['rows_lost']:>14,} rows of market data")
    lines += [f"  {name:<7}{count:>14,}" for name, count in sorted(counted.items())]
    times = {kind: {"first_ns": found.first_ns, "last_ns": found.last_ns} for kind, found in market.items()}
    run = msgspec.to_builtins(manifest.run)
    return Result({**told, "times": times, "lines": counted, "run": run}, "\n".join(lines))


def _export(recording: Recording, args: argparse.Namespace, _report: Report) -> Result:
    path = Path(args.to)
    if path.suffix not in _ENDINGS:
        raise UserError(f"--to {path} does not say how to write; end it with {' or '.join(_ENDINGS)}.")
    check_output("--to", path)
    frame = pl.DataFrame(lines_table(recording.lines()))
    try:
        frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror or error}; choose another.") from error
    return Result({"file": str(path), "lines": len(frame)}, f"Wrote {len(frame):,} lines to {path}.")


def _import(recording: Recording, args: argparse.Namespace, report: Report) -> Result:
    market = recording.market()
    if not market:
        raise UserError(
            f"The recording {recording.id} has no market data to import; see 'nexttick recordings info'."
        )
    instrument, store = recording.manifest.instrument, Store(args.store or default_store())
    with store.spill(instrument.id) as spill:
        for kind, found in market.items():
            report(f"reading {found.rows:,} {kind} …")
            for rows in found.batches():
                spill.add(kind, rows)
        added = store.add(instrument, spill.incoming())
    lines = [
        f"{kind:<7}{added.rows[kind]:>14,} stored, {added.duplicates[kind]:,} were there already"
        for kind in market
    ]
    return Result(
        {"instrument": instrument.id, "rows": added.rows, "duplicates": added.duplicates},
        "\n".join([f"Imported {recording.id} into {store.root} as {instrument.id}:", *lines]),
    )


def _audit(recording: Recording, args: argparse.Namespace, _report: Report) -> Result:
    path = recording.folder / audit.NAME
    found = verify(path)
    problem = _UNDER_WAY if recording.is_live and found.broken is None else found.problem
    answer = {**msgspec.to_builtins(found), "problem": problem, "file": str(path)}
    text = problem or f"All {found.lines:,} lines are as they were written, and sealed: {found.last_hash}"
    if args.export is not None:
        check_output("--export", args.export)
        count = export(path, Path(args.export))
        answer["exported"] = count
        text = f"{text}\nWrote {count:,} lines to {args.export}."
    elif not args.verify:
        text = "\n".join([*(_audit_line(line) for line, _ in lines(path)), text])
    return Result(answer, text, 0 if problem in ("", _UNDER_WAY) else 1)


def _audit_line(line: Line) -> str:
    cause = f"  ({line.cause})" if line.cause else ""
    body = "" if line.what in ("head", "seal") else f"  {msgspec.json.encode(line.body).decode()}"
    return f"{line.number:>6}  {stamp(line.at_ns)}  {line.what:<8}{line.kind:<10}{cause}{body}"


def _delete(recording: Recording, _args: argparse.Namespace, _report: Report) -> Result:
    size = recording.bytes
    recording.delete()
    return Result(
        {"deleted": recording.id, "bytes": size}, f"Deleted {recording.id}, {size / 2**20:,.1f} MB."
    )


def _send(recording: Recording, _args: argparse.Namespace, report: Report) -> Result:
    targets = targets_of(person_settings())
    if not targets:
        raise UserError(
            "The settings name no place to send recordings to; set recording_copies or recording_lake there."
        )
    if recording.is_live:
        raise UserError(f"The recording {recording.id} is still written; its session sends its files itself.")
    files = sorted(path for path in recording.folder.iterdir() if not path.name.startswith("."))
    for target in targets:
        try:
            for path in files:
                report(f"sending {path.name} to {target.name} …")
                target.send(path, recording.manifest)
        except OSError as error:
            raise UserError(f"{recording.id} cannot be sent to {target.name}: {error}.") from error
        finally:
            target.close()
    names = [target.name for target in targets]
    return Result({"files": len(files), "to": names}, f"Sent {len(files):,} files to {' and '.join(names)}.")


type _Answer = Callable[[Recording, argparse.Namespace, Report], Result]

_OF_ONE: Final[Mapping[str, tuple[str, _Answer]]] = {
    "info": ("one recording: what ran, rows, times, what happened", _info),
    "export": ("its events and commands as a table", _export),
    "audit": ("its orders, verdicts, arming and halts, and whether they are as they were written", _audit),
    "import": ("its market data into the tick store", _import),
    "send": ("its files to where the settings say, those that are there already unchanged", _send),
    "delete": ("remove it", _delete),
}
