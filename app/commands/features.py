"""`nexttick features`: build feature columns from stored data, and prove that they are sound."""

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ai.features import FEATURES, FeatureSet, Line
from ai.features.proof import TOLERANCE, look_ahead, parity
from ai.features.sources import NEWS
from app.commands import Report, Result
from app.feature_tables import Frames, market, tables_of
from app.headlines import headlines
from app.paths import CONFIGS, default_store, home
from engine.errors import UserError, unknown_name
from engine.store import Store

SUMMARY = "build feature columns from stored data, and prove them"

_CHECKED_ROWS = 200_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON")
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--instrument", required=True, metavar="ID", help="SYMBOL.VENUE, as stored")
    data.add_argument(
        "--of",
        metavar="ROLE=ID",
        action="append",
        default=[],
        help="another instrument that the set reads, by its role",
    )
    data.add_argument(
        "--series",
        metavar="NAME",
        action="append",
        help="news to read, may be repeated (default: all stored)",
    )
    data.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    questions = parser.add_subparsers(dest="question", metavar="build | check | list", required=True)
    build = questions.add_parser("build", parents=[shared, data], help="write a set's columns as Parquet")
    build.add_argument("--set", required=True, metavar="NAME", help="a feature set, or a TOML file of one")
    build.add_argument("--out", required=True, type=Path, metavar="FILE.parquet")
    check = questions.add_parser(
        "check", parents=[shared, data], help="batch against streaming, and the look-ahead probe"
    )
    check.add_argument("--set", metavar="NAME", help="one set; without it all that the stored data can feed")
    check.add_argument(
        "--rows", type=int, default=_CHECKED_ROWS, metavar="N", help="first rows (default: 200,000)"
    )
    questions.add_parser("list", parents=[shared], help="all features and sets")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer one of the three questions."""
    if args.question == "list":
        return _list()
    store = Store(args.store or default_store())
    instruments = {"": args.instrument} | dict(map(role_of, args.of))
    for instrument in instruments.values():
        store.instrument(instrument)
    if args.question == "build":
        features = find_set(args.set)
        tables = tables_of(store, features, instruments, series=args.series)
        return _build(store, instruments, features, tables, args.out)
    if args.rows < 3:
        raise UserError("A check needs at least 3 rows; give --rows a larger number.")
    chosen = [find_set(args.set)] if args.set else _fed(store, args.instrument, args.series)
    checks = []
    for features in chosen:
        report(f"Checking {features.name} on {args.instrument}")
        tables = tables_of(store, features, instruments, args.rows, args.series)
        checks.append(_checked(store, instruments, features, tables))
    return _answer(args.instrument, checks)


# -- sets -------------------------------------------------------------------------------------------------


def set_files() -> dict[str, Path]:
    """Feature sets by name: the station's, and the user's own, which win."""
    folders = (CONFIGS / "features", home() / "features")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}


def find_set(name: str) -> FeatureSet:
    """Feature set of this name, or in this TOML file; raises `UserError` where there is none."""
    if name.endswith(".toml"):
        return FeatureSet.load(Path(name))
    files = set_files()
    if name not in files:
        raise unknown_name("feature set", name, files)
    return FeatureSet.load(files[name])


def _fed(store: Store, instrument: str, series: Collection[str] | None) -> list[FeatureSet]:
    """Return the sets that need nothing but what is stored of this instrument."""
    stored = {kind for kind in ("quotes", "trades", "deltas", "depth") if store.files(instrument, kind)}
    if not headlines(store.root, store.instrument(instrument), series).is_empty():
        stored.add(NEWS)
    sets = [FeatureSet.load(path) for path in set_files().values()]
    found = [each for each in sets if all(_is_fed(line, each, stored) for line in each.lines)]
    if not found:
        raise UserError(
            f"Nothing stored of {instrument} feeds a feature set; import quotes, trades or a book."
        )
    return found


def _is_fed(line: Line, features: FeatureSet, stored: set[str]) -> bool:
    if line.role:
        return False
    if line.stream == "book":
        return bool(stored & {"deltas", "depth"})
    if line.stream == "bars":
        return ("trades" if features.bars.upper().endswith("-LAST") else "quotes") in stored
    return line.stream in stored


def role_of(text: str) -> tuple[str, str]:
    """Read `ROLE=INSTRUMENT`; raises `UserError` for anything else."""
    role, equals, instrument = text.partition("=")
    if not (role and equals and instrument):
        raise UserError(
            f"--of {text!r} is not ROLE=INSTRUMENT; write for example --of leader=BTCUSDT.BINANCE."
        )
    return role, instrument


def _list() -> Result:
    lines, listed = ["features"], []
    for name, kind in FEATURES.items():
        parameters = {key: parameter.allowed() for key, parameter in kind.declared().items()}
        told = "; ".join(f"{key}: {allowed}" for key, allowed in parameters.items())
        lines.append(f"  {name:<22}{(kind.__doc__ or '').partition(chr(10))[0]}")
        lines += [f"  {'':<22}{told}"] if told else []
        listed.append(
            {"name": name, "streams": list(kind.streams), "parameters": parameters, "source": kind.source}
        )
    lines.append("sets")
    sets = []
    for name, path in set_files().items():
        features = FeatureSet.load(path)
        lines.append(f"  {name:<22}{features.title} ({len(features.outputs)} columns on {features.clock})")
        sets.append(
            {
                "name": name,
                "clock": features.clock,
                "columns": list(features.outputs),
                "sha256": features.sha256,
            }
        )
    return Result({"features": listed, "sets": sets}, "\n".join(lines))


# -- build and check --------------------------------------------------------------------------------------


def _markets(store: Store, instruments: dict[str, str]) -> dict[str, Any]:
    return {role: market(store.instrument(instrument)) for role, instrument in instruments.items()}


def _build(
    store: Store, instruments: dict[str, str], features: FeatureSet, tables: Frames, path: Path
) -> Result:
    frame = features.batch(tables, _markets(store, instruments)).collect()
    try:
        frame.write_parquet(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written; choose another --out.") from error
    json = {
        "instrument": instruments[""],
        "set": features.name,
        "sha256": features.sha256,
        "clock": features.clock,
        "rows": frame.height,
        "columns": list(features.outputs),
        "out": str(path),
    }
    text = f"{frame.height:,} rows of {len(features.outputs)} features ({features.name}) written to {path}"
    return Result(json, text)


def _checked(
    store: Store, instruments: dict[str, str], features: FeatureSet, tables: Frames
) -> dict[str, Any]:
    tables = {name: table.collect().lazy() for name, table in tables.items()}
    markets = _markets(store, instruments)
    differences = parity(features, tables, markets)
    ahead = look_ahead(features, tables, markets)
    values = features.batch(tables, markets).select(pl.col(features.outputs).is_not_nan().sum()).collect()
    return {
        "set": features.name,
        "sha256": features.sha256,
        "rows": int(tables[features.clock].select(pl.len()).collect().item()),
        "differences": differences,
        "look_ahead": ahead,
        "values": values.row(0, named=True),
    }


def _answer(instrument: str, checks: list[dict[str, Any]]) -> Result:
    lines: list[str] = []
    ahead: list[str] = []
    untested: list[str] = []
    worst = 0.0
    for check in checks:
        lines.append(f"{check['set']} on {instrument}: {check['rows']:,} rows")
        for output, difference in check["differences"].items():
            row = check["look_ahead"].get(output)
            probe = "no look-ahead" if row is None else f"LOOKS AHEAD at row {row:,}"
            verdict = "" if difference <= TOLERANCE else "  DIFFERS"
            if not check["values"][output]:
                untested.append(output)
                probe = "too few rows for a value"
            lines.append(f"  {output:<32}{difference:>12.2e}  {probe}{verdict}")
            worst = max(worst, difference)
        ahead += list(check["look_ahead"])
    failed = bool(ahead) or worst > TOLERANCE
    verdict = "FAILED" if failed else "Both forms agree, and nothing looks ahead."
    lines.append(verdict + (f" {len(untested)} had too few rows to tell." if untested else ""))
    json = {
        "instrument": instrument,
        "features": [output for check in checks for output in check["differences"]],
        "rows": sum(check["rows"] for check in checks),
        "max_relative_difference": worst if np.isfinite(worst) else None,
        "tolerance": TOLERANCE,
        "look_ahead": ahead,
        "untested": untested,
        "sets": checks,
    }
    return Result(json, "\n".join(lines), exit_code=1 if failed else 0)
