"""A market without an engine for `nexttick bench ui`: an hour at once, then ticks at the load's rate."""

import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from engine.link.builders import EURUSD, depth_column, market
from engine.messages.columns import LEVEL, QUOTE, TRADE, Rows
from engine.messages.events import Phase
from engine.messages.frames import Frame, Health, Transport

TICKS_PER_S: Final = 20_000
HISTORY_TICKS: Final = 1_000_000
HISTORY_NS: Final = 3_600_000_000_000
FRAME_S: Final = 0.016
_START_NS: Final = 1_723_118_400_000_000_000
_LEVELS: Final = 40


def feed() -> Iterator[Frame]:
    """One frame with the whole history, then one per screen refresh at the load's rate."""
    random = np.random.default_rng(1)
    now = _START_NS + HISTORY_NS
    yield _frame(1, now, _quotes(random, HISTORY_TICKS, _START_NS, now, 1.1), _depth_history(random))
    number, mid = 1, 1.1
    while True:
        number += 1
        until = now + round(FRAME_S * 1e9)
        quotes = _quotes(random, round(TICKS_PER_S * FRAME_S), now, until, mid)
        mid, now = float(quotes["bid"][-1]), until
        yield _frame(number, now, quotes, _depth(random, now, mid) if number % 60 == 0 else None)


def _frame(number: int, now: int, quotes: Rows, depth: Rows | None) -> Frame:
    at = quotes[:: max(1, len(quotes) // 40)]
    trades = np.empty(len(at), TRADE)
    trades["ts"], trades["price"], trades["size"] = at["ts"], at["bid"], 1 + np.arange(len(at)) % 9
    trades["aggressor"] = 1 + np.arange(len(at)) % 2
    mid = float(quotes["bid"][-1])
    bids, asks = (_side(np.random.default_rng(number), mid, step) for step in (-1, 1))
    return Frame(
        number=number,
        epoch=1,
        transport=Transport(phase=Phase.PLAYING, now=now, start=_START_NS, end=now + HISTORY_NS, speed=1.0),
        markets=[market(quotes=quotes, trades=trades, bids=bids, asks=asks, depth=depth)],
        health=Health(ticks=number, oldest_tick_ns=time.monotonic_ns()),
        instruments=[EURUSD] if number == 1 else [],
    )


def _quotes(random: np.random.Generator, count: int, start: int, end: int, first: float) -> Rows:
    quotes = np.zeros(count, QUOTE)
    quotes["ts"] = np.linspace(start, end, count, endpoint=False).astype(np.int64)
    quotes["bid"] = np.round(first + np.cumsum(random.integers(-1, 2, count)) * 1e-5, 5)
    quotes["ask"] = quotes["bid"] + 1e-5 * random.integers(1, 4, count)
    quotes["bid_size"] = quotes["ask_size"] = 1e6
    return quotes


def _side(random: np.random.Generator, mid: float, step: int) -> Rows:
    levels = np.empty(_LEVELS, LEVEL)
    levels["price"] = np.round(mid + step * 1e-5 * np.arange(1, _LEVELS + 1), 5)
    levels["size"] = random.integers(1, 200, _LEVELS) * 1e5
    return levels


def _depth(random: np.random.Generator, ts: int, mid: float) -> Rows:
    return depth_column(ts, _side(random, mid, -1), _side(random, mid, 1))


def _depth_history(random: np.random.Generator) -> Rows:
    mids = 1.1 + np.cumsum(random.integers(-3, 4, 3600)) * 1e-5
    seconds = _START_NS + np.arange(1, 3601) * 1_000_000_000
    return np.concatenate([_depth(random, int(ts), mid) for ts, mid in zip(seconds, mids, strict=True)])
