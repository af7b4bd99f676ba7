"""`nexttick bench import`: rows a second and peak memory per file format, beside a plain reader.

Each format is a generated file, read by the importer and by what a person would write without it: pandas for
tables, a Python loop over `struct` or `json` for the others. Every measurement is a process of its own, the
two take turns, and medians are compared. The peer only reads, into floats; the importer keeps every digit and
tells of each line that it cannot take, and its `import` figure includes merging and writing the store.
"""

import argparse
import gzip
import importlib
import json
import lzma
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import polars as pl

from app.commands import Report, Result
from app.commands.import_ import known_instruments
from app.commands.measuring import in_child, peak_mb
from engine.columns import Quotes
from engine.errors import UserError
from engine.feeds.importing import import_files
from engine.feeds.reader import Reader, Source
from engine.feeds.simulated import PROFILES, random_quotes
from engine.store import Store

_SEED: Final = 1
_START_NS: Final = 1_549_238_400_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_LEVELS: Final = 5


@dataclass(frozen=True, slots=True)
class _Case:
    """One format: how its files are made, how the peer reads one, and what the peer is called."""

    instrument: str
    write: Callable[[Path, int], list[Path]]
    peer: Callable[[Path], int]
    peer_name: str


def run_bench_import(args: argparse.Namespace, report: Report) -> Result:
    """Measure every format; `args.quotes` rows of each, `args.rounds` rounds."""
    if args.quotes < 1_000 or args.rounds < 1:
        raise UserError("The benchmark needs at least 1,000 rows and one round.")
    found: dict[str, Any] = {}
    for name, case in _CASES.items():
        with tempfile.TemporaryDirectory(prefix="nexttick-bench-") as folder:
            paths = case.write(Path(folder), args.quotes)
            rounds: dict[str, list[dict[str, float]]] = {"peer": [], "decode": [], "import": []}
            for _ in range(args.rounds):
                for task, figures in rounds.items():
                    store = Path(folder) / f"store{len(figures)}"
                    figures.append(in_child(_measure, task, name, paths, store))
            found[name] = _compared(rounds, case.peer_name)
        report(_line(name, found[name]))
    return Result(found, "\n".join([_HEAD, *(_line(name, figures) for name, figures in found.items())]))


def _compared(rounds: Mapping[str, list[dict[str, float]]], peer_name: str) -> dict[str, Any]:
    def of(task: str, figure: str) -> float:
        return median(figures[figure] for figures in rounds[task])

    return {
        "rows": int(of("import", "rows")),
        "rows_per_s": round(of("import", "rows_per_s")),
        "decode_rows_per_s": round(of("decode", "rows_per_s")),
        "peak_mb": round(of("import", "peak_mb")),
        "peer": peer_name,
        "peer_rows_per_s": round(of("peer", "rows_per_s")),
        "peer_peak_mb": round(of("peer", "peak_mb")),
        "ratio": round(of("decode", "rows_per_s") / of("peer", "rows_per_s"), 2),
        "import_ratio": round(of("import", "rows_per_s") / of("peer", "rows_per_s"), 2),
    }


_HEAD = f"{'format':<12}{'import':>14}{'decode':>14}{'peak':>10}{'peer':>14}{'peak':>10}{'decode : peer':>16}"


def _line(name: str, figures: Mapping[str, Any]) -> str:
    return (
        f"{name:<12}{figures['rows_per_s']:>10,} r/s{figures['decode_rows_per_s']:>10,} r/s"
        f"{figures['peak_mb']:>7,} MB{figures['peer_rows_per_s']:>10,} r/s{figures['peer_peak_mb']:>7,} MB"
        f"{figures['ratio']:>10.2f}    {figures['peer']}"
    )


# -- one measurement, in a process of its own -------------------------------------------------------------


def _measure(task: str, name: str, paths: list[Path], store: Path) -> dict[str, float]:
    case, known = _CASES[name], known_instruments()
    if task == "peer" and case.peer_name == "pandas":
        importlib.import_module("pandas")  # its start is not its speed
    started = time.perf_counter()
    if task == "peer":
        rows = sum(case.peer(path) for path in paths)
    elif task == "decode":
        reader = Reader(known.find(case.instrument).instrument, _SOURCE, lambda _number: False)
        parts = (part for path in paths for part in reader.read(path))
        rows = sum(len(columns) for part in parts for columns in part.decoded.columns.values())
    else:
        rows = import_files(paths, case.instrument, Store(store), known, _SOURCE).rows
    seconds = time.perf_counter() - started
    return {"rows": rows, "rows_per_s": rows / seconds, "peak_mb": peak_mb()}


_SOURCE = Source(crossed="keep")


# -- the formats ------------------------------------------------------------------------------------------


def _quotes(rows: int) -> Quotes:
    return random_quotes(rows, _SEED, PROFILES["fx"].instrument, _START_NS)


def _table(rows: int) -> pl.DataFrame:
    quotes = _quotes(rows)
    prices = {name: quotes.arrays()[name] / 10**quotes.price_precision for name in ("bid", "ask")}
    return pl.DataFrame({"timestamp": quotes.ts_event // 1_000_000, **prices})


def _write_csv(folder: Path, rows: int) -> list[Path]:
    path = folder / "ticks.csv"
    _table(rows).write_csv(path, float_precision=5)
    return [path]


def _write_iso_csv(folder: Path, rows: int) -> list[Path]:
    path = folder / "ticks.csv"
    table = _table(rows).with_columns(pl.from_epoch("timestamp", "ms"))
    table.write_csv(path, float_precision=5, datetime_format="%Y-%m-%d %H:%M:%S%.3f")
    return [path]


def _write_parquet(folder: Path, rows: int) -> list[Path]:
    path = folder / "ticks.parquet"
    _table(rows).write_parquet(path)
    return [path]


def _write_bi5(folder: Path, rows: int) -> list[Path]:
    quotes = _quotes(rows)
    hours = quotes.ts_event // _HOUR_NS
    layout = np.dtype(
        [("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_size", ">f4"), ("bid_size", ">f4")]
    )
    paths = []
    for hour in np.unique(hours).tolist():
        part = quotes.take(hours == hour)
        records = np.zeros(len(part), layout)
        records["ms"] = (part.ts_event - hour * _HOUR_NS) // 1_000_000
        records["ask"], records["bid"] = part.ask, part.bid
        records["ask_size"], records["bid_size"] = part.ask_size / 1e6, part.bid_size / 1e6
        at = datetime.fromtimestamp(hour * 3_600, UTC)
        path = folder / f"{at.year}/{at.month - 1:02}/{at.day:02}/{at.hour:02}h_ticks.bi5"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(records.tobytes(), format=lzma.FORMAT_ALONE))
        paths.append(path)
    return paths


def _write_recording(folder: Path, rows: int) -> list[Path]:
    """Per twenty tickers four trades and two diffs, which is how a busy market's recording is made up."""
    path, quotes = folder / "recording.gz", _quotes(max(1_000, rows * 20 // (24 + 2 * 2 * _LEVELS)))
    snapshot = {"lastUpdateId": 0, "bids": [["1.00", "1"]], "asks": [["9.00", "1"]]}
    lines = [f"{_START_NS} {json.dumps(snapshot)}"]
    columns = (quotes.ts_event, quotes.bid, quotes.ask, quotes.bid_size, quotes.ask_size)
    for number, (ns, bid, ask, bought, sold) in enumerate(
        zip(*(c.tolist() for c in columns), strict=True), start=1
    ):
        b, a, bs, asz = f"{bid / 1e5:.8f}", f"{ask / 1e5:.8f}", f"{bought / 1e6:.8f}", f"{sold / 1e6:.8f}"
        ticker = f'{{"u":{number},"s":"ETHUSDT","b":"{b}","B":"{bs}","a":"{a}","A":"{asz}"}}'
        lines.append(f'{ns} {{"stream":"ethusdt@bookTicker","data":{ticker}}}')
        common = f'"E":{ns // 10**6},"s":"ETHUSDT"'
        if number % 5 == 0:
            trade = f'"e":"trade",{common},"t":{number},"p":"{b}","q":"{bs}","T":{ns // 10**6},"m":true'
            lines.append(f'{ns} {{"stream":"ethusdt@trade","data":{{{trade}}}}}')
        if number % 10 == 0:
            bids = ",".join(f'["{bid / 1e5 - n / 1e4:.8f}","{bs}"]' for n in range(_LEVELS))
            asks = ",".join(f'["{ask / 1e5 + n / 1e4:.8f}","{asz}"]' for n in range(_LEVELS))
            diff = f'"e":"depthUpdate",{common},"U":{number - 9},"u":{number},"b":[{bids}],"a":[{asks}]'
            lines.append(f'{ns} {{"stream":"ethusdt@depth","data":{{{diff}}}}}')
    path.write_bytes(gzip.compress("\n".join(lines).encode(), compresslevel=1))
    return [path]


# -- what a person would write ----------------------------------------------------------------------------


def _read_csv(path: Path) -> int:
    return len(importlib.import_module("pandas").read_csv(path))


def _read_iso_csv(path: Path) -> int:
    return len(importlib.import_module("pandas").read_csv(path, parse_dates=["timestamp"]))


def _read_parquet(path: Path) -> int:
    return len(importlib.import_module("pandas").read_parquet(path))


def _read_bi5(path: Path) -> int:
    records = []
    for ms, ask, bid, ask_size, bid_size in struct.iter_unpack(">3I2f", lzma.decompress(path.read_bytes())):
        records.append((ms / 1e3, bid / 1e5, ask / 1e5, bid_size, ask_size))
    return len(records)


def _read_recording(path: Path) -> int:
    records: list[tuple[Any, ...]] = []
    with gzip.open(path, "rt") as file:
        for line in file:
            stamp, _, body = line.partition(" ")
            message = json.loads(body)
            data = message.get("data", message)
            if "B" in data:
                records.append(
                    (int(stamp), float(data["b"]), float(data["B"]), float(data["a"]), float(data["A"]))
                )
            elif data.get("e") == "trade":
                records.append((int(stamp), float(data["p"]), float(data["q"]), data["m"]))
            else:
                levels = [*data.get("b", data.get("bids")), *data.get("a", data.get("asks"))]
                records += [(int(stamp), float(price), float(size)) for price, size in levels]
    return len(records)


_CASES: Final[Mapping[str, _Case]] = {
    "csv": _Case("EURUSD.BENCH", _write_csv, _read_csv, "pandas"),
    "csv-iso": _Case("EURUSD.BENCH", _write_iso_csv, _read_iso_csv, "pandas"),
    "parquet": _Case("EURUSD.BENCH", _write_parquet, _read_parquet, "pandas"),
    "dukascopy": _Case("EURUSD.BENCH", _write_bi5, _read_bi5, "struct loop"),
    "binance-raw": _Case("ETHUSDT.BINANCE", _write_recording, _read_recording, "json loop"),
}
