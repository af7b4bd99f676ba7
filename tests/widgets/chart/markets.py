"""A small market with round numbers, so that a test can say which pixel shows what."""

from decimal import Decimal
from pathlib import Path

import numpy as np

from app.state.market import MarketState
from engine.messages.columns import DEPTH, DEPTH_LEVELS, QUOTE, TRADE, Rows, empty
from engine.messages.frames import Market
from engine.messages.instrument import Instrument
from widgets.theme import Theme, load_themes

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
TICK = 0.5
INSTRUMENT = Instrument(
    id="ABC.TEST",
    kind="spot",
    base="ABC",
    quote="USD",
    price_precision=1,
    size_precision=2,
    tick_size=Decimal("0.5"),
    lot_size=Decimal("0.01"),
)
_THEMES = Path(__file__).resolve().parents[3] / "resources" / "themes.toml"


def theme(name: str = "dark") -> Theme:
    return load_themes(_THEMES.read_bytes())[name]


def quotes(seconds: "np.ndarray", bids: "np.ndarray | float") -> Rows:
    rows = np.zeros(len(seconds), QUOTE)
    rows["ts"] = START + (np.asarray(seconds) * SECOND).astype(np.int64)
    rows["bid"] = bids
    rows["ask"] = rows["bid"] + TICK
    rows["bid_size"] = rows["ask_size"] = 1.0
    return rows


def trades(seconds: "np.ndarray", prices: object, sizes: object, aggressors: object) -> Rows:
    rows = np.zeros(len(seconds), TRADE)
    rows["ts"] = START + (np.asarray(seconds) * SECOND).astype(np.int64)
    rows["price"], rows["size"], rows["aggressor"] = prices, sizes, aggressors
    return rows


def depth(seconds: "np.ndarray", bid: float = 100.0, wall: float | None = None) -> Rows:
    """Ten levels a side of size 1 in each column; `wall` is a price with size 1,000."""
    rows = np.zeros(len(seconds), DEPTH)
    rows["ts"] = START + (np.asarray(seconds) * SECOND).astype(np.int64)
    rows["price"], rows["size"] = np.nan, np.nan
    steps = np.arange(min(10, DEPTH_LEVELS))
    rows["price"][:, 0, : len(steps)] = bid - steps * TICK
    rows["price"][:, 1, : len(steps)] = bid + TICK + steps * TICK
    rows["size"][:, :, : len(steps)] = 1.0
    if wall is not None:
        rows["size"][rows["price"] == wall] = 1000.0
    return rows


def market(
    quote_rows: Rows | None = None, trade_rows: Rows | None = None, depth_rows: Rows | None = None
) -> MarketState:
    state = MarketState(INSTRUMENT)
    give(state, quote_rows, trade_rows, depth_rows)
    return state


def give(
    state: MarketState,
    quote_rows: Rows | None = None,
    trade_rows: Rows | None = None,
    depth_rows: Rows | None = None,
) -> None:
    state.apply(
        Market(
            instrument=INSTRUMENT.id,
            quotes=empty(QUOTE) if quote_rows is None else quote_rows,
            trades=empty(TRADE) if trade_rows is None else trade_rows,
            depth=empty(DEPTH) if depth_rows is None else depth_rows,
        )
    )
