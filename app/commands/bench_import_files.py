"""Generated files of every format that `bench import` measures, as their vendors lay them out."""

import gzip
import importlib
import json
import lzma
import sqlite3
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import polars as pl

from engine.columns import Quotes
from engine.feeds.simulated import PROFILES, random_quotes

START_NS: Final = 1_549_238_400_000_000_000
"""2019-02-04 00:00 UTC."""

_SEED: Final = 1
_HOUR_NS: Final = 3_600_000_000_000
_MINUTE_MS: Final = 60_000
_LEVELS: Final = 5
_DBN_TRADE: Final = np.dtype(
    [
        ("length", "u1"),
        ("rtype", "u1"),
        ("publisher", "<u2"),
        ("instrument", "<u4"),
        ("ts_event", "<u8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("action", "S1"),
        ("side", "S1"),
        ("flags", "u1"),
        ("depth", "u1"),
        ("ts_recv", "<u8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)
"""A trade as DBN lays it out: https://databento.com/docs/standards-and-conventions/databento-binary-encoding"""
_DAY: Final = "2019-02-04"


def quotes_of(rows: int) -> Quotes:
    """The market that every file is of."""
    return random_quotes(rows, _SEED, PROFILES["fx"].instrument, START_NS)


def ticks(rows: int) -> pl.DataFrame:
    """Quotes and trades at once: `ms`, `bid`, `ask`, sizes in lots of 0.001, `number` and `buys`."""
    quotes = quotes_of(rows)
    number = np.arange(1, rows + 1)
    return pl.DataFrame(
        {
            "ms": quotes.ts_event // 1_000_000,
            "bid": quotes.bid / 1e5,
            "ask": quotes.ask / 1e5,
            "bid_size": (number % 977 + 1) / 1e3,
            "ask_size": (number % 991 + 1) / 1e3,
            "number": number,
            "buys": number % 3 == 0,
        }
    )


def bars(rows: int) -> pl.DataFrame:
    """Minute bars: `ms`, `open`, `high`, `low`, `close`, `volume`."""
    mids = quotes_of(4 * rows).bid.reshape(rows, 4) / 1e5
    return pl.DataFrame(
        {
            "ms": START_NS // 1_000_000 + np.arange(rows) * _MINUTE_MS,
            "open": mids[:, 0],
            "high": mids.max(axis=1),
            "low": mids.min(axis=1),
            "close": mids[:, 3],
            "volume": (np.arange(rows) % 1_000 + 1) / 10,
        }
    )


def _csv(table: pl.DataFrame, *, separator: str = ",", header: bool = True) -> bytes:
    return table.write_csv(separator=separator, include_header=header, float_precision=5).encode()


def _zip(path: Path, name: str, data: bytes) -> list[Path]:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, data)
    return [path]


def _text(path: Path, data: bytes) -> list[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, compresslevel=1) if path.suffix == ".gz" else data)
    return [path]


def _stamp(form: str) -> pl.Expr:
    return pl.from_epoch("ms", "ms").dt.strftime(form)


# -- tables -----------------------------------------------------------------------------------------------


def csv(folder: Path, rows: int) -> list[Path]:
    """Milliseconds, bid, ask."""
    return _text(folder / "ticks.csv", _csv(ticks(rows).select(timestamp="ms", bid="bid", ask="ask")))


def csv_iso(folder: Path, rows: int) -> list[Path]:
    """The same with ISO times."""
    table = ticks(rows).select(timestamp=_stamp("%Y-%m-%d %H:%M:%S%.3f"), bid="bid", ask="ask")
    return _text(folder / "ticks.csv", _csv(table))


def parquet(folder: Path, rows: int) -> list[Path]:
    """Milliseconds and doubles."""
    ticks(rows).select(timestamp="ms", bid="bid", ask="ask").write_parquet(folder / "ticks.parquet")
    return [folder / "ticks.parquet"]


def arrow(folder: Path, rows: int) -> list[Path]:
    """The same as an Arrow file."""
    ticks(rows).select(timestamp="ms", bid="bid", ask="ask").write_ipc(folder / "ticks.arrow")
    return [folder / "ticks.arrow"]


def truefx(folder: Path, rows: int) -> list[Path]:
    """`EUR/USD,20190204 00:00:00.994,…`."""
    form = "%Y%m%d %H:%M:%S%.3f"
    table = ticks(rows).select(pl.lit("EUR/USD"), _stamp(form).alias("t"), "bid", "ask")
    return _text(folder / "EURUSD-2019-02.csv", _csv(table, header=False))


def histdata(folder: Path, rows: int) -> list[Path]:
    """Ticks, `20190204 000000994,…`, hours of New York without daylight saving."""
    local = (pl.from_epoch("ms", "ms") - pl.duration(hours=5)).dt.strftime("%Y%m%d %H%M%S%3f")
    table = ticks(rows).select(local.alias("t"), "bid", "ask", pl.lit(0).alias("z"))
    return _text(folder / "DAT_ASCII_EURUSD_T_201902.csv", _csv(table, header=False))


def histdata_bars(folder: Path, rows: int) -> list[Path]:
    """Minute bars, `20190204 000000;…`."""
    local = (pl.from_epoch("ms", "ms") - pl.duration(hours=5)).dt.strftime("%Y%m%d %H%M%S")
    table = bars(rows).select(local.alias("t"), "open", "high", "low", "close", pl.lit(0).alias("v"))
    return _text(folder / "DAT_ASCII_EURUSD_M1_2019.csv", _csv(table, separator=";", header=False))


def lean(folder: Path, rows: int) -> list[Path]:
    """Milliseconds since midnight in a zip named by its day."""
    table = ticks(min(rows, 1_000_000)).filter(pl.col("ms") < START_NS // 1_000_000 + 86_400_000)
    since = table.select(pl.col("ms") - START_NS // 1_000_000, "bid", "ask")
    return _zip(folder / "20190204_quote.zip", "20190204_eurusd_tick_quote.csv", _csv(since, header=False))


def metatrader_ticks(folder: Path, rows: int) -> list[Path]:
    """MetaTrader 5's export of ticks."""
    table = ticks(rows).select(
        _stamp("%Y.%m.%d").alias("<DATE>"),
        _stamp("%H:%M:%S%.3f").alias("<TIME>"),
        pl.col("bid").alias("<BID>"),
        pl.col("ask").alias("<ASK>"),
        pl.lit("").alias("<LAST>"),
        pl.lit("").alias("<VOLUME>"),
        pl.lit(6).alias("<FLAGS>"),
    )
    return _text(folder / "EURUSD_201902040000_201902052359.csv", _csv(table, separator="\t"))


def metatrader_bars(folder: Path, rows: int) -> list[Path]:
    """MetaTrader 5's export of minute bars."""
    table = bars(rows).select(
        _stamp("%Y.%m.%d").alias("<DATE>"),
        _stamp("%H:%M:%S").alias("<TIME>"),
        *(pl.col(name).alias(f"<{name.upper()}>") for name in ("open", "high", "low", "close")),
        pl.lit(54).alias("<TICKVOL>"),
        pl.lit(700).alias("<VOL>"),
        pl.lit(2).alias("<SPREAD>"),
    )
    return _text(folder / "EURUSD_M1_201902040000_201912312359.csv", _csv(table, separator="\t"))


def yahoo_csv(folder: Path, rows: int) -> list[Path]:
    """Daily bars as Yahoo's old download had them."""
    days = pl.date_range(date(1981, 1, 1), date(2199, 1, 1), eager=True)[:rows].dt.to_string()
    made = bars(len(days)).with_columns(Date=days)
    table = made.select(
        "Date",
        *(pl.col(name).alias(name.title()) for name in ("open", "high", "low", "close")),
        pl.col("close").alias("Adj Close"),
        pl.lit(1_000).alias("Volume"),
    )
    return _text(folder / "AAPL.csv", _csv(table))


def freqtrade_feather(folder: Path, rows: int) -> list[Path]:
    """Five-minute candles as feather."""
    step = pl.col("ms") + (pl.col("ms") - START_NS // 1_000_000) * 4
    table = bars(rows).select(
        pl.from_epoch(step, "ms").dt.replace_time_zone("UTC").alias("date"),
        *(pl.col(name) for name in ("open", "high", "low", "close", "volume")),
    )
    table.write_ipc(folder / "BTC_USDT-5m.feather")
    return [folder / "BTC_USDT-5m.feather"]


def freqtrade_json(folder: Path, rows: int) -> list[Path]:
    """Minute candles as JSON lists."""
    return _text(
        folder / "BTC_USDT-1m.json", json.dumps([list(row) for row in bars(rows).iter_rows()]).encode()
    )


def vnpy_csv(folder: Path, rows: int) -> list[Path]:
    """Bars as vn.py's data manager saves them."""
    table = bars(rows).select(
        pl.lit("EURUSD").alias("symbol"),
        pl.lit("BENCH").alias("exchange"),
        _stamp("%Y-%m-%d %H:%M:%S").alias("datetime"),
        *(pl.col(name) for name in ("open", "high", "low", "close", "volume")),
        pl.lit(0.0).alias("turnover"),
        pl.lit(0.0).alias("open_interest"),
    )
    return _text(folder / "EURUSD.BENCH_1m.csv", _csv(table))


def vnpy_database(folder: Path, rows: int) -> list[Path]:
    """vn.py's SQLite database."""
    table = bars(rows).select(
        pl.lit("EURUSD"), _stamp("%Y-%m-%d %H:%M:%S").alias("t"), "volume", "open", "high", "low", "close"
    )
    path = folder / "database.db"
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE dbbardata (id INTEGER PRIMARY KEY, symbol TEXT, exchange TEXT, datetime DATETIME, "
            "interval TEXT, volume REAL, turnover REAL, open_interest REAL, open_price REAL, "
            "high_price REAL, low_price REAL, close_price REAL)"
        )
        database.executemany(
            "INSERT INTO dbbardata (symbol, exchange, datetime, interval, volume, turnover, open_interest, "
            "open_price, high_price, low_price, close_price) "
            "VALUES (?, 'BENCH', ?, '1m', ?, 0, 0, ?, ?, ?, ?)",
            table.iter_rows(),
        )
    database.close()
    return [path]


# -- exchanges --------------------------------------------------------------------------------------------


def binance_trades(folder: Path, rows: int) -> list[Path]:
    """USD-M trades of a day, zipped, with a header."""
    table = ticks(rows).select(
        id="number",
        price="bid",
        qty="bid_size",
        quote_qty=pl.col("bid") * pl.col("bid_size"),
        time="ms",
        is_buyer_maker=~pl.col("buys"),
    )
    return _zip(folder / f"BTCUSDT-trades-{_DAY}.zip", f"BTCUSDT-trades-{_DAY}.csv", _csv(table))


def binance_tickers(folder: Path, rows: int) -> list[Path]:
    """USD-M best quotes of a day."""
    table = ticks(rows).select(
        update_id="number",
        best_bid_price="bid",
        best_bid_qty="bid_size",
        best_ask_price="ask",
        best_ask_qty="ask_size",
        transaction_time="ms",
        event_time=pl.col("ms") + 2,
    )
    return _zip(folder / f"BTCUSDT-bookTicker-{_DAY}.zip", f"BTCUSDT-bookTicker-{_DAY}.csv", _csv(table))


def binance_klines(folder: Path, rows: int) -> list[Path]:
    """USD-M minute candles."""
    table = bars(rows).select(
        open_time="ms",
        open="open",
        high="high",
        low="low",
        close="close",
        volume="volume",
        close_time=pl.col("ms") + _MINUTE_MS - 1,
        quote_volume=pl.lit(1.0),
        count=pl.lit(7),
        taker_buy_volume=pl.lit(0.05),
        taker_buy_quote_volume=pl.lit(0.5),
        ignore=pl.lit(0),
    )
    return _zip(folder / "BTCUSDT-1m-2019-02.zip", "BTCUSDT-1m-2019-02.csv", _csv(table))


def bybit_trades(folder: Path, rows: int) -> list[Path]:
    """Public trades of a contract's day."""
    table = ticks(rows).select(
        timestamp=pl.col("ms") / 1e3,
        symbol=pl.lit("BTCUSDT"),
        side=pl.when("buys").then(pl.lit("Buy")).otherwise(pl.lit("Sell")),
        size="bid_size",
        price="bid",
        tickDirection=pl.lit("ZeroPlusTick"),
        trdMatchID=pl.lit("d6b9a5ac-3439-5cea-b590-fd245e5b3992"),
        grossValue=pl.lit(1.0),
        homeNotional=pl.lit(1.0),
        foreignNotional=pl.lit(1.0),
    )
    return _text(folder / f"BTCUSDT{_DAY}.csv.gz", _csv(table))


def bybit_book(folder: Path, rows: int) -> list[Path]:
    """One level of each side a message, after a snapshot."""
    lines = []
    for number, (ms, bid, ask, bought, sold) in enumerate(
        ticks(max(2, rows // 2)).select("ms", "bid", "ask", "bid_size", "ask_size").iter_rows(), start=1
    ):
        what = "snapshot" if number == 1 else "delta"
        levels = f'"b":[["{bid:.5f}","{bought:.3f}"]],"a":[["{ask + 1:.5f}","{sold:.3f}"]]'
        lines.append(
            f'{{"topic":"orderbook.500.BTCUSDT","type":"{what}","ts":{ms},"data":{{"s":"BTCUSDT",{levels},'
            f'"u":{number},"seq":{number}}},"cts":{ms}}}'
        )
    name = f"{_DAY}_BTCUSDT_ob500.data"
    return _zip(folder / f"{name}.zip", name, "\n".join(lines).encode())


def _tardis(table: pl.DataFrame, *columns: pl.Expr) -> pl.DataFrame:
    return table.select(
        pl.lit("binance-futures").alias("exchange"),
        pl.lit("BTCUSDT").alias("symbol"),
        (pl.col("ms") * 1_000).alias("timestamp"),
        (pl.col("ms") * 1_000 + 700).alias("local_timestamp"),
        *columns,
    )


def tardis_trades(folder: Path, rows: int) -> list[Path]:
    """Trades of a day."""
    side = pl.when("buys").then(pl.lit("buy")).otherwise(pl.lit("sell")).alias("side")
    named = (
        pl.col("number").alias("id"),
        side,
        pl.col("bid").alias("price"),
        pl.col("bid_size").alias("amount"),
    )
    return _text(
        folder / "binance-futures_trades_2019-02-04_BTCUSDT.csv.gz", _csv(_tardis(ticks(rows), *named))
    )


def tardis_book(folder: Path, rows: int) -> list[Path]:
    """Incremental book: one level a row, every other of the asks."""
    table = _tardis(
        ticks(rows).with_row_index(),
        (pl.col("index") < 2).alias("is_snapshot"),
        pl.when(pl.col("index") % 2 == 0).then(pl.lit("bid")).otherwise(pl.lit("ask")).alias("side"),
        pl.when(pl.col("index") % 2 == 0).then("bid").otherwise(pl.col("ask") + 1).alias("price"),
        pl.col("bid_size").alias("amount"),
    ).with_columns(is_snapshot=pl.col("is_snapshot").cast(pl.String).str.to_lowercase())
    name = "binance-futures_incremental_book_L2_2019-02-04_BTCUSDT.csv.gz"
    return _text(folder / name, _csv(table))


# -- others -----------------------------------------------------------------------------------------------


def bi5(folder: Path, rows: int) -> list[Path]:
    """Dukascopy's hours."""
    quotes = quotes_of(rows)
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


def dukascopy_candles(folder: Path, rows: int) -> list[Path]:
    """A file of 1,440 minutes for each day."""
    layout = np.dtype([(name, ">u4") for name in ("s", "open", "close", "low", "high")] + [("volume", ">f4")])
    made = bars(rows)
    paths = []
    for number in range(-(-rows // 1_440)):
        part = made.slice(number * 1_440, 1_440)
        records = np.zeros(len(part), layout)
        records["s"] = np.arange(len(part)) * 60
        for name in ("open", "close", "low", "high"):
            records[name] = np.rint(part[name].to_numpy() * 1e5)
        records["volume"] = part["volume"].to_numpy()
        at = datetime.fromtimestamp(START_NS / 1e9 + number * 86_400, UTC)
        path = folder / f"{at.year}/{at.month - 1:02}/{at.day:02}/BID_candles_min_1.bi5"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(records.tobytes(), format=lzma.FORMAT_ALONE))
        paths.append(path)
    return paths


def dukascopy_json(folder: Path, rows: int) -> list[Path]:
    """Ticks as dukascopy-node decodes them."""
    table = ticks(rows).select(
        "ms", pl.col("ask").round(5), pl.col("bid").round(5), asks=pl.lit(1), bids=pl.lit(2.06)
    )
    return _text(
        folder / "eurusd-tick-2019-02-04.json", json.dumps([list(r) for r in table.iter_rows()]).encode()
    )


def yahoo(folder: Path, rows: int) -> list[Path]:
    """A chart answer of minute bars."""
    made = bars(rows)
    closes = made["close"].to_list()
    result = {
        "meta": {
            "currency": "USD",
            "symbol": "AAPL",
            "instrumentType": "EQUITY",
            "gmtoffset": -18_000,
            "exchangeTimezoneName": "America/New_York",
            "dataGranularity": "1m",
            "regularMarketTime": 4_000_000_000,
        },
        "timestamp": (made["ms"] // 1_000).to_list(),
        "indicators": {
            "quote": [
                {name: made[name].to_list() for name in ("open", "high", "low")}
                | {"close": closes, "volume": [100] * rows}
            ]
        },
    }
    return _text(folder / "AAPL.json", json.dumps({"chart": {"result": [result], "error": None}}).encode())


def lobster(folder: Path, rows: int) -> list[Path]:
    """Messages and a book of one level a side."""
    table = ticks(rows).with_columns(s=34_200 + (pl.col("ms") - START_NS // 1_000_000) / 1e3 % 23_000)
    table = table.sort("s", maintain_order=True)
    names = [f"AAPL_2012-06-21_34200000_57600000_{what}_1.csv" for what in ("message", "orderbook")]
    messages = table.select(
        "s",
        kind=pl.lit(1),
        order="number",
        size=pl.lit(10),
        price=(pl.col("bid") * 1e5).round().cast(pl.Int64) * 100,
        side=pl.lit(1),
    )
    books = table.select(
        (pl.col("ask") * 1e5).round().cast(pl.Int64) * 100,
        (pl.col("ask_size") * 1e3).round().cast(pl.Int64),
        (pl.col("bid") * 1e5).round().cast(pl.Int64) * 100,
        (pl.col("bid_size") * 1e3).round().cast(pl.Int64),
    )
    for name, part in zip(names, (messages, books), strict=True):
        _text(folder / name, _csv(part, header=False))
    return [folder / names[0]]


def databento(folder: Path, rows: int) -> list[Path]:
    """Trades of one share, with a header by Databento's own encoder."""
    dbn: Any = importlib.import_module("databento_dbn")
    days = SimpleNamespace(start_date=date(2019, 2, 1), end_date=date(2019, 12, 31), symbol="7")
    header = dbn.Metadata(
        dataset="XNAS.ITCH",
        start=START_NS,
        end=START_NS + 10**15,
        limit=0,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema.TRADES,
        symbols=["AAPL"],
        partial=[],
        not_found=[],
        mappings=[SimpleNamespace(raw_symbol="AAPL", intervals=[days])],
        version=3,
        ts_out=False,
    )
    made = quotes_of(rows)
    records = np.zeros(rows, _DBN_TRADE)
    records["length"], records["publisher"], records["instrument"] = _DBN_TRADE.itemsize // 4, 2, 7
    records["ts_event"], records["ts_recv"] = made.ts_event, made.ts_event + 500
    records["price"], records["size"] = made.bid * 10_000, 100
    records["action"], records["side"], records["flags"] = b"T", b"B", 128
    path = folder / "aapl.trades.dbn"
    path.write_bytes(bytes(header) + records.tobytes())
    return [path]


def recording(folder: Path, rows: int) -> list[Path]:
    """Per twenty tickers four trades and two diffs, which is how a busy market's recording is made up."""
    path, quotes = folder / "recording.gz", quotes_of(max(1_000, rows * 20 // (24 + 2 * 2 * _LEVELS)))
    snapshot = {"lastUpdateId": 0, "bids": [["1.00", "1"]], "asks": [["9.00", "1"]]}
    lines = [f"{START_NS} {json.dumps(snapshot)}"]
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
