"""`nexttick series`: news and economic calendars in the store, beside the ticks."""

import argparse
from pathlib import Path
from typing import Final

import msgspec
import urllib3

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.import_ import stamp
from app.paths import default_store
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.news import decode_news
from engine.store import Store
from engine.store.series import SeriesStore

SUMMARY = "keep news and economic calendars beside the ticks"

_LARGEST_BYTES: Final = 256 << 20
_SECONDS: Final = 20.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the questions and their arguments."""
    questions = parser.add_subparsers(dest="question", metavar="import | list | show", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--store", type=Path, metavar="DIR", help=f"tick store (default: {default_store()})")
    shared.add_argument("--json", metavar="PATH", default=argparse.SUPPRESS, help="write the result as JSON")
    importing = questions.add_parser("import", parents=[shared], help="CSV, JSON, RSS or Atom into a series")
    importing.add_argument("source", metavar="FILE|URL", help="a file, or an http address that answers one")
    importing.add_argument("--name", required=True, help="of the series, for example calendar or headlines")
    questions.add_parser("list", parents=[shared], help="all series")
    showing = questions.add_parser("show", parents=[shared], help="the newest rows of one series")
    showing.add_argument("name", metavar="NAME")
    showing.add_argument("--rows", type=int, default=20, metavar="N", help="how many (default: 20)")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer one question."""
    if args.question == "import":
        return _import(Store(args.store or default_store()), args.source, args.name, report)
    series = SeriesStore(opened(args.store).root)
    return _list(series) if args.question == "list" else _show(series, args.name, args.rows)


def _import(store: Store, source: str, name: str, report: Report) -> Result:
    report(f"Reading {source}")
    decoded = _decoded(source, name)
    table = decoded.series[name]
    added = SeriesStore(store.root).add(name, table)
    first, last = (int(of(table.column("ts_init").to_numpy())) for of in (min, max))
    rejected = sum(each.count for each in decoded.rejected)
    json = {
        "series": name,
        "rows": len(table),
        "added": added.rows,
        "duplicates": added.duplicates,
        "rejected": msgspec.to_builtins(decoded.rejected),
        "first_ts_ns": first,
        "last_ts_ns": last,
        "timestamps": decoded.timestamps,
    }
    lines = [
        f"{name}: {len(table):,} rows from {source}",
        f"  stored    {added.rows:,} new rows, {added.duplicates:,} were stored already",
        f"  time      {stamp(first)}  to  {stamp(last)}",
        f"            {decoded.timestamps}",
        f"  rejected  {rejected:,}",
        *(
            f"            {each.count:,} × {each.reason} (first in line {each.first_line:,})"
            for each in decoded.rejected
        ),
        f"  shown in a replay with --series {name}, from its publication on",
    ]
    return Result(json, "\n".join(lines))


def _decoded(source: str, name: str) -> Decoded:
    data = _fetched(source) if source.startswith(("http://", "https://")) else _read(Path(source))
    try:
        return decode_news(data, source, name)
    except Undecodable as reason:
        raise UserError(f"{source} cannot be imported: {reason}.") from reason


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{path} cannot be read ({reason}); check the path.") from error


def _fetched(url: str) -> bytes:
    retries = urllib3.Retry(connect=0, read=0, redirect=3)  # whoever asked is there to ask again
    try:
        with urllib3.PoolManager(timeout=_SECONDS, retries=retries) as pool:
            answer = pool.request("GET", url, preload_content=False)
            data = answer.read(_LARGEST_BYTES + 1)
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise UserError(f"{url} gives no answer; check the address, and that its server runs.") from error
    if answer.status != 200:
        raise UserError(f"{url} answers {answer.status}; check the address.")
    if len(data) > _LARGEST_BYTES:
        raise UserError(f"{url} answers more than {_LARGEST_BYTES >> 20} MiB; fetch it in parts.")
    return data


def _list(series: SeriesStore) -> Result:
    counts = {name: len(series.read(name)) for name in series.names()}
    lines = [f"{count:>12,} {name}" for name, count in counts.items()]
    empty = "No series are stored yet; see 'nexttick series import --help'."
    return Result({"series": counts}, "\n".join(lines) or empty)


def _show(series: SeriesStore, name: str, rows: int) -> Result:
    table = series.read(name)
    newest = table.slice(max(0, len(table) - max(0, rows))).to_pylist()
    lines = [
        "  ".join(
            [stamp(row["ts_init"]), *(str(row[key]) for key in _SHOWN if row.get(key) not in (None, ""))]
        )
        for row in newest
    ]
    return Result({"series": name, "rows": len(table), "newest": newest}, "\n".join(lines))


_SHOWN: Final = ("subjects", "title", "sentiment", "actual", "forecast", "previous", "source")
