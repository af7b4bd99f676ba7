"""`nexttick bench store`: quotes by generator into the store and out again, at several lengths.

The quotes are written as CSV files of a million rows, imported as a user would import them, and scanned from
the first to the last row as a replay reads them; each in a process of its own, so that its peak memory is its
own. Cost per row is flat where the ratio of the longest history to the shortest is near 1; besides the wall
clock it is told in processor time, which other programs on the machine disturb less. Sizes on disk are beside
the same rows as CSV.gz and as NautilusTrader's own catalog.
"""

import argparse
import gzip
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from app.commands import Report, Result
from app.commands.import_ import known_instruments
from app.commands.measuring import in_child, peak_mb
from engine.columns import Quotes
from engine.errors import UserError
from engine.feeds.importing import import_files
from engine.feeds.simulated import PROFILES, random_quotes
from engine.nautilus.catalog import write_catalog
from engine.store import Store

_INSTRUMENT: Final = "EURUSD.BENCH"
_SEED: Final = 1
_START_NS: Final = 1_549_238_400_000_000_000
_FILE_ROWS: Final = 1_000_000
_WARM_ROWS: Final = 1_000
_LEAST_ROWS: Final = 1_000
_TASKS: Final = ("import", "scan")


def run_bench_store(args: argparse.Namespace, report: Report) -> Result:
    """Measure every length of `args.rows`, and `args.largest` where it is given."""
    lengths = sorted({*args.rows, *([args.largest] if args.largest else [])})
    if lengths[0] < _LEAST_ROWS:
        raise UserError(
            f"A history to measure has at least {_LEAST_ROWS:,} rows; say --rows 1000000 10000000."
        )
    found: list[dict[str, Any]] = []
    sizes: dict[str, float] = {}
    for rows in lengths:
        with tempfile.TemporaryDirectory(prefix="nexttick-bench-") as name:
            folder = Path(name)
            paths = [_write(folder / f"{n:06}.csv", quotes) for n, quotes in enumerate(_blocks(rows))]
            report(f"{rows:>13,} quotes written as CSV")
            found.append(_measured(folder / "store", paths, rows))
            report(_line(found[-1]))
            if not sizes:
                sizes = _sizes(folder, paths, rows)
    flat = {
        f"{task}{by}": round(found[-1][f"{task}{by}_ns_per_row"] / found[0][f"{task}{by}_ns_per_row"], 2)
        for task in _TASKS
        for by in ("", "_cpu")
    }
    result = {"lengths": found, "flatness": flat, "mb_per_million_rows": sizes}
    return Result(result, _text(result))


def _measured(store: Path, paths: list[Path], rows: int) -> dict[str, Any]:
    done = in_child(_import, store, paths)
    seen = in_child(_scan, store)
    if not done["rows"] == seen["rows"] == rows:
        raise RuntimeError(f"of {rows} quotes {done['rows']:.0f} were stored and {seen['rows']:.0f} read")
    return {
        "rows": rows,
        **{
            f"{task}_{name}": round(value)
            for task, figures in (("import", done), ("scan", seen))
            for name, value in (
                ("rows_per_s", rows / figures["seconds"]),
                ("ns_per_row", figures["seconds"] / rows * 1e9),
                ("cpu_ns_per_row", figures["cpu_seconds"] / rows * 1e9),
                ("peak_mb", figures["peak_mb"]),
                ("above_start_mb", figures["peak_mb"] - figures["start_mb"]),
            )
        },
        "store_mb_per_million_rows": round(_megabytes(store) / rows * 1e6, 2),
    }


def _sizes(folder: Path, paths: list[Path], rows: int) -> dict[str, float]:
    """Megabytes a million rows take on disk, in each form."""
    catalog = write_catalog(Store(folder / "store"), _INSTRUMENT, folder / "catalog")
    packed = sum(len(gzip.compress(path.read_bytes(), compresslevel=6)) for path in paths)
    megabytes = {
        "store": _megabytes(folder / "store"),
        "csv_gz": packed / 1e6,
        "nautilus_catalog": catalog.size_bytes / 1e6,
    }
    return {name: round(size / rows * 1e6, 2) for name, size in megabytes.items()}


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6


def _blocks(rows: int) -> Iterator[Quotes]:
    """One walk of quotes, a file at a time, so that no history is ever whole in memory."""
    instrument = PROFILES["fx"].instrument
    start_ns, ticks = _START_NS, 110_000
    for number, done in enumerate(range(0, rows, _FILE_ROWS)):
        length = min(_FILE_ROWS, rows - done)
        quotes = random_quotes(length, _SEED + number, instrument, start_ns, ticks)
        start_ns, ticks = int(quotes.ts_event[-1]), int(quotes.bid[-1])
        yield quotes


def _write(path: Path, quotes: Quotes) -> Path:
    prices = {name: quotes.arrays()[name] / 10**quotes.price_precision for name in ("bid", "ask")}
    sizes = {"bid_size": quotes.bid_size, "ask_size": quotes.ask_size}
    table = pl.DataFrame({"timestamp": quotes.ts_event, **prices, **sizes})
    table.write_csv(path, float_precision=quotes.price_precision)
    return path


# -- one measurement, in a process of its own -------------------------------------------------------------


def _import(store: Path, paths: list[Path]) -> dict[str, float]:
    known = known_instruments()
    with tempfile.TemporaryDirectory(prefix="nexttick-bench-") as name:  # its first import is not its speed
        warm = [_write(Path(name) / "warm.csv", next(_blocks(_WARM_ROWS)))]
        import_files(warm, _INSTRUMENT, Store(Path(name) / "store"), known)
    return _timed(lambda: import_files(paths, _INSTRUMENT, Store(store), known).added)


def _scan(root: Path) -> dict[str, float]:
    store = Store(root)
    store.info(_INSTRUMENT)
    return _timed(
        lambda: sum(len(chunk.columns["quotes"]) for chunk in store.chunks(_INSTRUMENT, ["quotes"]))
    )


def _timed(work: Callable[[], int]) -> dict[str, float]:
    """Rows that `work` answers, seconds by the clock and of the processor, and memory before and at most."""
    start_mb, started, used = peak_mb(), time.perf_counter(), time.process_time()
    rows = work()
    return {
        "rows": rows,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - used,
        "peak_mb": peak_mb(),
        "start_mb": start_mb,
    }


# -- what a person reads ----------------------------------------------------------------------------------


def _line(figures: dict[str, Any]) -> str:
    return f"{figures['rows']:>13,} quotes" + "".join(
        f"   {task} {figures[f'{task}_rows_per_s']:>10,} rows/s {figures[f'{task}_ns_per_row']:>6,} ns a row"
        f" ({figures[f'{task}_cpu_ns_per_row']:,} of the processor) {figures[f'{task}_peak_mb']:>5,} MB"
        for task in _TASKS
    )


def _text(result: dict[str, Any]) -> str:
    shortest, longest = result["lengths"][0]["rows"], result["lengths"][-1]["rows"]
    flat = result["flatness"]
    sizes = result["mb_per_million_rows"]
    return "\n".join(
        [
            *map(_line, result["lengths"]),
            f"cost per row, {longest:,} against {shortest:,} rows: "
            + ", ".join(
                f"{task} {flat[task]:.2f} ({flat[f'{task}_cpu']:.2f} of the processor)" for task in _TASKS
            ),
            f"a million rows: store {sizes['store']:.1f} MB, CSV.gz {sizes['csv_gz']:.1f} MB "
            f"({sizes['csv_gz'] / sizes['store']:.1f} times), NautilusTrader's catalog "
            f"{sizes['nautilus_catalog']:.1f} MB ({sizes['nautilus_catalog'] / sizes['store']:.1f} times)",
        ]
    )
