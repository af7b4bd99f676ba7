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
import sqlite3
import struct
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from app.commands import Report, Result
from app.commands import bench_import_files as files
from app.commands.import_ import known_instruments
from app.commands.measuring import in_child, peak_mb
from engine.errors import UserError, unknown_name
from engine.feeds.importing import import_files
from engine.feeds.reader import Reader, Source
from engine.store import Store


@dataclass(frozen=True, slots=True)
class _Case:
    """One format: how its files are made, how the peer reads one, and what the peer is called."""

    instrument: str
    write: Callable[[Path, int], list[Path]]
    peer: Callable[[Path], int]
    peer_name: str = "pandas"


def run_bench_import(args: argparse.Namespace, report: Report) -> Result:
    """Measure every format; `args.quotes` rows of each, `args.rounds` rounds."""
    if args.quotes < 1_000 or args.rounds < 1:
        raise UserError("The benchmark needs at least 1,000 rows and one round.")
    found: dict[str, Any] = {}
    for name, case in _chosen(args.formats).items():
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


def _chosen(names: str) -> Mapping[str, _Case]:
    """Cases by name; all where none is named."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in _CASES:
            raise unknown_name("format", name, _CASES)
    return {name: _CASES[name] for name in wanted or _CASES}


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


_HEAD = f"{'format':<19}{'import':>14}{'decode':>14}{'peak':>10}{'peer':>14}{'peak':>10}{'decode : peer':>16}"


def _line(name: str, figures: Mapping[str, Any]) -> str:
    return (
        f"{name:<19}{figures['rows_per_s']:>10,} r/s{figures['decode_rows_per_s']:>10,} r/s"
        f"{figures['peak_mb']:>7,} MB{figures['peer_rows_per_s']:>10,} r/s{figures['peer_peak_mb']:>7,} MB"
        f"{figures['ratio']:>10.2f}    {figures['peer']}"
    )


# -- one measurement, in a process of its own -------------------------------------------------------------


def _measure(task: str, name: str, paths: list[Path], store: Path) -> dict[str, float]:
    case, known = _CASES[name], known_instruments()
    if task == "peer" and "pandas" in case.peer_name:
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


# -- what a person would write ----------------------------------------------------------------------------


def _frame(**how: Any) -> Callable[[Path], int]:
    """Peer that reads a table with pandas."""

    def read(path: Path) -> int:
        return len(importlib.import_module("pandas").read_csv(path, **how))

    return read


def _read_parquet(path: Path) -> int:
    return len(importlib.import_module("pandas").read_parquet(path))


def _read_arrow(path: Path) -> int:
    return len(importlib.import_module("pandas").read_feather(path))


def _read_bi5(path: Path) -> int:
    records = []
    for ms, ask, bid, ask_size, bid_size in struct.iter_unpack(">3I2f", lzma.decompress(path.read_bytes())):
        records.append((ms / 1e3, bid / 1e5, ask / 1e5, bid_size, ask_size))
    return len(records)


def _read_candles(path: Path) -> int:
    records = []
    for second, *prices, volume in struct.iter_unpack(">5If", lzma.decompress(path.read_bytes())):
        records.append((second, *(price / 1e5 for price in prices), volume))
    return len(records)


def _read_json(path: Path) -> int:
    return len(importlib.import_module("pandas").DataFrame(json.loads(path.read_bytes())))


def _read_yahoo(path: Path) -> int:
    result = json.loads(path.read_bytes())["chart"]["result"][0]
    quote = result["indicators"]["quote"][0]
    return len(importlib.import_module("pandas").DataFrame(quote, index=result["timestamp"]))


def _read_database(path: Path) -> int:
    with sqlite3.connect(path) as database:
        found = importlib.import_module("pandas").read_sql("SELECT * FROM dbbardata", database)
    database.close()
    return len(found)


def _read_book_lines(path: Path) -> int:
    records: list[tuple[Any, ...]] = []
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        for line in file:
            message = json.loads(line)
            levels = [*message["data"]["b"], *message["data"]["a"]]
            records += [(message["cts"], float(price), float(size)) for price, size in levels]
    return len(records)


def _read_dbn(path: Path) -> int:
    dbn: Any = importlib.import_module("databento_dbn")
    decoder = dbn.DBNDecoder()
    decoder.write(path.read_bytes())
    _, *records = decoder.decode()
    rows = [(each.ts_event, each.price / 1e9, each.size, each.side) for each in records]
    return len(importlib.import_module("pandas").DataFrame(rows))


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


_FX: Final = "EURUSD.BENCH"
_PERPETUAL: Final = "BTCUSDT-PERP.BINANCE"
_CASES: Final[Mapping[str, _Case]] = {
    "csv": _Case(_FX, files.csv, _frame()),
    "csv-iso": _Case(_FX, files.csv_iso, _frame(parse_dates=["timestamp"])),
    "parquet": _Case(_FX, files.parquet, _read_parquet),
    "arrow": _Case(_FX, files.arrow, _read_arrow),
    "truefx": _Case(_FX, files.truefx, _frame(header=None, parse_dates=[1])),
    "histdata": _Case(_FX, files.histdata, _frame(header=None)),
    "histdata-bars": _Case(_FX, files.histdata_bars, _frame(header=None, sep=";")),
    "lean": _Case(_FX, files.lean, _frame(header=None)),
    "metatrader-ticks": _Case(_FX, files.metatrader_ticks, _frame(sep="\t")),
    "metatrader-bars": _Case(_FX, files.metatrader_bars, _frame(sep="\t")),
    "dukascopy": _Case(_FX, files.bi5, _read_bi5, "struct loop"),
    "dukascopy-candles": _Case(_FX, files.dukascopy_candles, _read_candles, "struct loop"),
    "dukascopy-json": _Case(_FX, files.dukascopy_json, _read_json, "json, pandas"),
    "yahoo": _Case("AAPL.YAHOO", files.yahoo, _read_yahoo, "json, pandas"),
    "yahoo-csv": _Case("AAPL.YAHOO", files.yahoo_csv, _frame(parse_dates=["Date"])),
    "freqtrade feather": _Case("BTCUSDT.BINANCE", files.freqtrade_feather, _read_arrow),
    "freqtrade json": _Case("BTCUSDT.BINANCE", files.freqtrade_json, _read_json, "json, pandas"),
    "vnpy csv": _Case(_FX, files.vnpy_csv, _frame(parse_dates=["datetime"])),
    "vnpy database": _Case(_FX, files.vnpy_database, _read_database),
    "binance trades": _Case(_PERPETUAL, files.binance_trades, _frame()),
    "binance bookTicker": _Case(_PERPETUAL, files.binance_tickers, _frame()),
    "binance klines": _Case(_PERPETUAL, files.binance_klines, _frame()),
    "binance-raw": _Case("ETHUSDT.BINANCE", files.recording, _read_recording, "json loop"),
    "bybit trades": _Case("BTCUSDT-PERP.BYBIT", files.bybit_trades, _frame()),
    "bybit book": _Case("BTCUSDT-PERP.BYBIT", files.bybit_book, _read_book_lines, "json loop"),
    "tardis trades": _Case(_PERPETUAL, files.tardis_trades, _frame()),
    "tardis book": _Case(_PERPETUAL, files.tardis_book, _frame()),
    "databento trades": _Case("AAPL.NASDAQ", files.databento, _read_dbn, "databento_dbn, pandas"),
    "lobster": _Case("AAPL.NASDAQ", files.lobster, _frame(header=None)),
}
