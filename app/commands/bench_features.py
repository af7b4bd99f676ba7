"""`nexttick bench features`: the tick set and the book set in both forms, beside the same features in pandas.

Every measurement is a process of its own on the same generated rows, the two take turns, and medians are
compared. The peer is what a person would write with pandas, vectorised throughout; before anything is timed,
its values are compared with ours. The first pass over the rows waits for the system to hand out memory, as a
person does who computes features once; the ratio of a second pass in the same process stands beside it. The
streaming form is timed on one core, an event at a time.
"""

import argparse
import importlib
import time
from collections.abc import Callable
from statistics import median
from typing import Any, Final

import numpy as np
import polars as pl

from ai.features import FeatureSet, Market
from ai.features.sources import BOOK_FIELDS
from app.commands import Report, Result
from app.commands.features import find_set
from app.commands.measuring import in_child, peak_mb
from engine.errors import UserError
from engine.feeds.simulated import PROFILES, random_quotes

_MARKET: Final = Market(tick_size=0.00001)
_LEVELS: Final = 10
_BPS: Final = 10_000.0
_STREAMED_ROWS: Final = 200_000

type Tables = dict[str, pl.DataFrame]


def run_bench_features(args: argparse.Namespace, report: Report) -> Result:
    """Measure `args.quotes` rows, `args.rounds` rounds; raises `UserError` where pandas is missing."""
    if args.quotes < 20_000 or args.rounds < 1:
        raise UserError("The benchmark needs at least 20,000 rows and one round.")
    try:
        importlib.import_module("pandas")
    except ImportError:
        raise UserError(
            "The peer of this benchmark is pandas; install it with the dev dependencies."
        ) from None
    cases = {"tick": args.quotes, "book": args.quotes // 4, "seed": 10 * args.quotes}
    found: dict[str, Any] = {}
    for name, rows in cases.items():
        found[name] = _case(name, rows, args.rounds)
        report(_line(name, found[name]))
    return Result(found, "\n".join([_HEAD, *(_line(name, figures) for name, figures in found.items())]))


def _case(name: str, rows: int, rounds: int) -> dict[str, Any]:
    difference = in_child(_measure, "compare", name, 20_000)["difference"]
    if difference > 1e-6:
        raise RuntimeError(
            f"pandas and the {name} set differ by {difference:.1e}, so they cannot be compared"
        )
    figures: dict[str, list[dict[str, float]]] = {"pandas": [], "batch": [], "stream": []}
    for _ in range(rounds):
        for task, list_ in figures.items():
            count = min(rows, _STREAMED_ROWS) if task == "stream" else rows
            list_.append(in_child(_measure, task, name, count))

    def middle(task: str, figure: str) -> float:
        return median(each[figure] for each in figures[task])

    return {
        "rows": rows,
        "features": len(_features(name).entries),
        "rows_per_s": round(rows / middle("batch", "seconds")),
        "peak_mb": round(middle("batch", "peak_mb")),
        "pandas_rows_per_s": round(rows / middle("pandas", "seconds")),
        "pandas_peak_mb": round(middle("pandas", "peak_mb")),
        "ratio": round(middle("pandas", "seconds") / middle("batch", "seconds"), 2),
        "cpu_ratio": round(middle("pandas", "cpu_seconds") / middle("batch", "cpu_seconds"), 2),
        "again_ratio": round(middle("pandas", "again_seconds") / middle("batch", "again_seconds"), 2),
        "stream_us_per_tick": round(middle("stream", "us_per_tick"), 2),
    }


_HEAD = (
    f"{'set':<6}{'rows':>12}{'batch':>18}{'peak':>10}{'pandas':>18}{'peak':>10}{'ratio':>8}{'CPU ratio':>11}"
    f"{'again':>8}{'streaming':>18}"
)


def _line(name: str, figures: dict[str, Any]) -> str:
    return (
        f"{name:<6}{figures['rows']:>12,}{figures['rows_per_s']:>12,} r/s {figures['peak_mb']:>7,} MB"
        f"{figures['pandas_rows_per_s']:>13,} r/s {figures['pandas_peak_mb']:>7,} MB{figures['ratio']:>8.2f}"
        f"{figures['cpu_ratio']:>11.2f}{figures['again_ratio']:>8.2f}"
        f"{figures['stream_us_per_tick']:>10.2f} us/tick"
    )


# -- one measurement, in a process of its own -------------------------------------------------------------


def _measure(task: str, name: str, rows: int) -> dict[str, float]:
    tables, features, peer = _tables(name, rows), _features(name), _PEERS[name]
    if task == "compare":
        return {"difference": _difference(_batch(features, tables), peer(_frames(tables)))}
    if task == "stream":
        return {"us_per_tick": _streamed_us(features, tables)}
    few = _tables(name, 2_000)
    frames, few_frames = (_frames(tables), _frames(few)) if task == "pandas" else ({}, {})
    _ = peer(few_frames) if task == "pandas" else _batch(features, few)
    passes = []
    for _ in range(2):
        begun = (time.perf_counter(), time.process_time())
        _ = peer(frames) if task == "pandas" else _batch(features, tables)
        passes.append((time.perf_counter() - begun[0], time.process_time() - begun[1], peak_mb()))
    (seconds, cpu_seconds, peak), (again_seconds, *_) = passes
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mb": peak,
        "again_seconds": again_seconds,
    }


def _features(name: str) -> FeatureSet:
    if name != "seed":
        return find_set(name)
    given = [{"name": "spread", "unit": "ticks"}, {"name": "rolling_volume", "window": 100}]
    return FeatureSet.of("seed", {"clock": "quotes", "feature": given})


def _batch(features: FeatureSet, tables: Tables) -> pl.DataFrame:
    return features.batch({name: table.lazy() for name, table in tables.items()}, _MARKET).collect()


def _streamed_us(features: FeatureSet, tables: Tables) -> float:
    """CPU time of one event of the clock; the events of other streams are not fed."""
    stream = features.stream(_MARKET)
    handler, events = stream.handler(features.clock), tables[features.clock].rows()
    if features.clock == "book":
        events = [(row[0], row[1::4], row[2::4], row[3::4], row[4::4]) for row in events]
    begun = time.process_time()
    for event in events:
        handler(*event)
    return (time.process_time() - begun) / len(events) * 1e6


def _tables(name: str, rows: int) -> Tables:
    quotes = random_quotes(rows, 1, PROFILES["fx"].instrument, 1_700_000_000 * 10**9)
    bid, ask = quotes.bid / 1e5, quotes.ask / 1e5
    sizes = {"bid_size": quotes.bid_size / 1e3, "ask_size": quotes.ask_size / 1e3}
    if name != "book":
        return {"quotes": pl.DataFrame({"ts": quotes.ts_init, "bid": bid, "ask": ask} | sizes)}
    random = np.random.default_rng(1)
    columns: dict[str, Any] = {"ts": quotes.ts_init}
    for level in range(1, _LEVELS + 1):
        prices = (bid - (level - 1) * 1e-5, ask + (level - 1) * 1e-5)
        drawn = (random.integers(1, 1_000, rows) / 8.0 for _ in prices)
        shown = (prices[0], next(drawn), prices[1], next(drawn))
        columns |= {f"{field}_{level}": values for field, values in zip(BOOK_FIELDS, shown, strict=True)}
    every = slice(0, None, 4)
    trades = {"ts": quotes.ts_init[every] + 1, "price": bid[every], "size": sizes["bid_size"][every]}
    trades["aggressor"] = random.integers(1, 3, len(trades["ts"])) * 1.0
    return {"book": pl.DataFrame(columns), "trades": pl.DataFrame(trades)}


# -- what a person would write ----------------------------------------------------------------------------


def _frames(tables: Tables) -> dict[str, Any]:
    pd = importlib.import_module("pandas")
    return {
        name: pd.DataFrame({each: table[each].to_numpy() for each in table.columns})
        for name, table in tables.items()
    }


def _difference(ours: pl.DataFrame, theirs: dict[str, Any]) -> float:
    """Largest difference where we have a value, relative to the column's size."""
    worst = 0.0
    for name in ours.columns[1:]:
        mine, other = ours[name].to_numpy(), np.asarray(theirs[name])
        known = ~np.isnan(mine)
        scale = np.abs(mine[known]).max(initial=1e-300)
        worst = max(worst, float(np.abs(mine[known] - other[known]).max(initial=0.0) / scale))
    return worst


class _Peer:
    """One table in pandas, with the steps that several features share."""

    def __init__(self, frame: Any) -> None:
        self.pd = importlib.import_module("pandas")
        self.frame = frame
        self.index = self.pd.to_datetime(frame["ts"])

    def timed(self, series: Any, window: str) -> Any:
        """Sum over a window of time."""
        values = self.pd.Series(series.to_numpy(), index=self.index).rolling(window).sum()
        return self.pd.Series(values.to_numpy())

    def change(self, price: Any, seconds: int) -> Any:
        """Log return since the last price at or before so many seconds ago."""
        then = self.pd.DataFrame({"ts": self.frame["ts"] - seconds * 10**9})
        known = self.pd.DataFrame({"ts": self.frame["ts"], "price": price})
        return np.log(price / self.pd.merge_asof(then, known, on="ts")["price"])

    @staticmethod
    def flow(bid: Any, ask: Any, bid_size: Any, ask_size: Any) -> Any:
        """Order flow of Cont, Kukanov and Stoikov, event by event."""
        old_bid, old_ask = bid.shift(), ask.shift()
        return (
            (bid >= old_bid) * bid_size
            - (bid <= old_bid) * bid_size.shift()
            - (ask <= old_ask) * ask_size
            + (ask >= old_ask) * ask_size.shift()
        )

    @staticmethod
    def microprice(bid: Any, ask: Any, bid_size: Any, ask_size: Any) -> Any:
        """Distance from the mid in basis points."""
        mid = (bid + ask) / 2
        return ((bid * ask_size + ask * bid_size) / (bid_size + ask_size) - mid) / mid * _BPS


def _tick_peer(frames: dict[str, Any]) -> dict[str, Any]:
    peer = _Peer(frames["quotes"])
    bid, ask, bid_size, ask_size = (frames["quotes"][name] for name in ("bid", "ask", "bid_size", "ask_size"))
    mid, size = (bid + ask) / 2, bid_size + ask_size
    flow = peer.flow(bid, ask, bid_size, ask_size)
    squares = np.log(mid / mid.shift()) ** 2
    vwap = peer.timed(mid * size, "60s") / peer.timed(size, "60s")
    return {
        "spread_ticks": (ask - bid) / _MARKET.tick_size,
        "microprice_bps": peer.microprice(bid, ask, bid_size, ask_size),
        "top_imbalance": (bid_size - ask_size) / size,
        "order_flow_imbalance_100": flow.rolling(100).sum(),
        "order_flow_imbalance_10s": peer.timed(flow, "10s"),
        "return_10": np.log(mid / mid.shift(10)),
        "return_10s": peer.change(mid, 10),
        "return_60s": peer.change(mid, 60),
        "realised_volatility_100": np.sqrt(squares.rolling(100).sum()),
        "realised_volatility_60s": np.sqrt(peer.timed(squares, "60s")),
        "rolling_volume_100": size.rolling(100).sum(),
        "vwap_deviation_60s": (mid - vwap) / vwap * _BPS,
    }


def _book_peer(frames: dict[str, Any]) -> dict[str, Any]:
    book, trades = frames["book"], frames["trades"]
    peer, tape = _Peer(book), _Peer(trades)
    bid, bid_size, ask, ask_size = (book[f"{field}_1"] for field in BOOK_FIELDS)
    mid = (bid + ask) / 2
    flow = peer.flow(bid, ask, bid_size, ask_size)

    def imbalance(levels: int, decay: float = 0.0) -> Any:
        weights = np.exp(-decay * np.arange(levels))
        bids, asks = (
            (book[[f"{side}_size_{level}" for level in range(1, levels + 1)]] * weights).sum(axis=1)
            for side in ("bid", "ask")
        )
        return (bids - asks) / (bids + asks)

    price, size = trades["price"], trades["size"]
    vwap = tape.timed(price * size, "10s") / tape.timed(size, "10s")
    traded = peer.pd.DataFrame(
        {
            "ts": trades["ts"],
            "signed": tape.timed(np.where(trades["aggressor"] == 1, 1, -1) * size, "10s"),
            "vwap": (price - vwap) / vwap * _BPS,
        }
    )
    joined = peer.pd.merge_asof(book[["ts"]], traded, on="ts", allow_exact_matches=False)
    return {
        "spread_ticks": (ask - bid) / _MARKET.tick_size,
        "microprice_bps": peer.microprice(bid, ask, bid_size, ask_size),
        "imbalance_1": imbalance(1),
        "imbalance_5": imbalance(5),
        "imbalance_10": imbalance(10),
        "depth_score_10_0.5": imbalance(10, 0.5),
        "order_flow_imbalance_50": flow.rolling(50).sum(),
        "order_flow_imbalance_10s": peer.timed(flow, "10s"),
        "return_10s": peer.change(mid, 10),
        "realised_volatility_10s": np.sqrt(peer.timed(np.log(mid / mid.shift()) ** 2, "10s")),
        "signed_volume_10s_aggressor": joined["signed"],
        "vwap_deviation_10s": joined["vwap"],
    }


def _seed_peer(frames: dict[str, Any]) -> dict[str, Any]:
    quotes = frames["quotes"]
    return {
        "spread_ticks": (quotes["ask"] - quotes["bid"]) / _MARKET.tick_size,
        "rolling_volume_100": (quotes["bid_size"] + quotes["ask_size"]).rolling(100).sum(),
    }


_PEERS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "tick": _tick_peer,
    "book": _book_peer,
    "seed": _seed_peer,
}
