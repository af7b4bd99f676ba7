"""Frames and events in one line each, with defaults that look like a session: for tests, scripts and demos.

Everything a builder does not get told is plausible and constant, so that a test names only what it is about.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import numpy as np

from engine.messages.columns import DEPTH, DEPTH_LEVELS, EQUITY, LEVEL, QUOTE, TRADE, Rows, empty
from engine.messages.events import (
    AccountChanged,
    AnyEvent,
    Balance,
    Filled,
    Logged,
    Numbered,
    OrderChanged,
    Phase,
    PositionChanged,
    Results,
)
from engine.messages.frames import (
    Control,
    Explanation,
    Frame,
    Health,
    Market,
    ModelHealth,
    Predictions,
    Risk,
    Transport,
)
from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk
from engine.messages.orders import OrderPreview, TimeInForce

EURUSD: Final = Instrument(
    id="EURUSD.SIM",
    kind="fx",
    base="EUR",
    quote="USD",
    price_precision=5,
    size_precision=0,
    tick_size=Decimal("0.00001"),
    lot_size=Decimal(1000),
    maker_fee=Decimal("0.00002"),
    taker_fee=Decimal("0.00002"),
)
"""The instrument of everything built here, unless another is given."""

START_NS: Final = 1_723_118_400_000_000_000
"""2024-08-08 12:00:00 UTC: market time at which built sessions begin."""

HOUR_NS: Final = 3_600_000_000_000

type _Table = Sequence[tuple[Any, ...]] | Rows


def rows(dtype: "np.dtype[np.void]", table: _Table) -> Rows:
    """Structured array of `dtype` from tuples in the order of its fields; an array passes through."""
    return table if isinstance(table, np.ndarray) else np.array(list(table), dtype)


def depth_column(ts: int, bids: Rows, asks: Rows) -> Rows:
    """One row of dtype `DEPTH` from two `LEVEL` arrays, best first; missing levels are NaN."""
    column = np.empty(1, DEPTH)
    column["ts"] = ts
    column["price"] = column["size"] = np.nan
    for side, levels in enumerate((bids, asks)):
        count = min(len(levels), DEPTH_LEVELS)
        column["price"][0, side, :count] = levels["price"][:count]
        column["size"][0, side, :count] = levels["size"][:count]
    return column


def market(
    *,
    quotes: _Table = (),
    trades: _Table = (),
    bids: _Table = (),
    asks: _Table = (),
    depth: Rows | None = None,
    instrument: str = EURUSD.id,
    quotes_conflated: int = 0,
    trades_conflated: int = 0,
) -> Market:
    """One instrument's news, from tuples in the order of the dtypes' fields.

    `quotes` are (ts, bid, ask, bid_size, ask_size), `trades` (ts, price, size, aggressor), `bids` and `asks`
    (price, size), best first.
    """
    return Market(
        instrument=instrument,
        quotes=rows(QUOTE, quotes),
        trades=rows(TRADE, trades),
        depth=empty(DEPTH) if depth is None else depth,
        bids=rows(LEVEL, bids),
        asks=rows(LEVEL, asks),
        quotes_conflated=quotes_conflated,
        trades_conflated=trades_conflated,
    )


def transport(
    *,
    phase: Phase = Phase.PLAYING,
    now: int = START_NS,
    start: int = START_NS,
    end: int = START_NS + HOUR_NS,
    speed: float = 1.0,
    progress: float = 0.0,
    loop: tuple[int, int] | None = None,
) -> Transport:
    """A clock of one hour that plays at 1x."""
    return Transport(phase=phase, now=now, start=start, end=end, speed=speed, progress=progress, loop=loop)


def numbered(events: Iterable[AnyEvent], first: int = 1) -> list[Numbered]:
    """Events with running numbers from `first`."""
    return [Numbered(first + i, event) for i, event in enumerate(events)]


def frame(
    number: int = 1,
    *,
    epoch: int = 1,
    quotes: _Table = (),
    trades: _Table = (),
    bids: _Table = (),
    asks: _Table = (),
    depth: Rows | None = None,
    events: Iterable[AnyEvent] = (),
    first_event: int = 1,
    risks: Sequence[Risk] = (),
    health: Health | None = None,
    phase: Phase = Phase.PLAYING,
    now: int = START_NS,
    instrument: Instrument = EURUSD,
    instruments: Sequence[Instrument] | None = None,
    predictions: Sequence[Predictions] = (),
    models: Sequence[ModelHealth] = (),
    explanation: Explanation | None = None,
    control: Control | None = None,
    account_risk: AccountRisk | None = None,
    preview: OrderPreview | None = None,
) -> Frame:
    """One frame of one instrument; columns as in `market`, `events` numbered from `first_event`.

    Frame 1 carries the instrument unless `instruments` says otherwise. Without any market column the frame
    has no market.
    """
    news = market(quotes=quotes, trades=trades, bids=bids, asks=asks, depth=depth, instrument=instrument.id)
    columns = (news.quotes, news.trades, news.bids, news.asks, news.depth)
    if instruments is None:
        instruments = [instrument] if number == 1 else []
    return Frame(
        number=number,
        epoch=epoch,
        transport=transport(phase=phase, now=now),
        markets=[news] if any(map(len, columns)) else [],
        risks=list(risks),
        events=numbered(events, first_event),
        health=health or Health(),
        instruments=list(instruments),
        predictions=list(predictions),
        models=list(models),
        explanation=explanation,
        control=control or Control(),
        account_risk=account_risk,
        preview=preview,
    )


def order(
    order_id: str = "O-1",
    status: str = "ACCEPTED",
    *,
    side: Literal["BUY", "SELL"] = "BUY",
    type: str = "LIMIT",  # noqa: A002 -- the field's name in the message
    quantity: Decimal = Decimal(10_000),
    filled: Decimal = Decimal(0),
    price: Decimal | None = Decimal("1.09350"),
    trigger: Decimal | None = None,
    average_price: Decimal | None = None,
    reason: str = "",
    strategy: str = "ema_cross",
    instrument: str = EURUSD.id,
    time_in_force: TimeInForce = "GTC",
    post_only: bool = False,
    reduce_only: bool = False,
    request: str = "",
    contingent: tuple[str, ...] = (),
    ts: int = START_NS,
) -> OrderChanged:
    """A working limit order, unless told otherwise."""
    return OrderChanged(
        ts=ts,
        order_id=order_id,
        instrument=instrument,
        strategy=strategy,
        side=side,
        type=type,
        quantity=quantity,
        filled=filled,
        price=price,
        trigger=trigger,
        average_price=average_price,
        status=status,
        reason=reason,
        time_in_force=time_in_force,
        post_only=post_only,
        reduce_only=reduce_only,
        request=request,
        contingent=contingent,
    )


def fill(
    trade_id: str = "T-1",
    order_id: str = "O-1",
    *,
    side: Literal["BUY", "SELL"] = "BUY",
    quantity: Decimal = Decimal(10_000),
    price: Decimal = Decimal("1.09350"),
    fee: Decimal = Decimal("0.22"),
    liquidity: Literal["maker", "taker", ""] = "taker",
    corrects: str = "",
    reason: str = "",
    strategy: str = "ema_cross",
    instrument: str = EURUSD.id,
    ts: int = START_NS,
) -> Filled:
    """A buy of 10,000 that took liquidity; the fee is in USD."""
    return Filled(
        ts=ts,
        trade_id=trade_id,
        order_id=order_id,
        instrument=instrument,
        strategy=strategy,
        side=side,
        quantity=quantity,
        price=price,
        fee=fee,
        fee_currency="USD",
        liquidity=liquidity,
        corrects=corrects,
        reason=reason,
    )


def position(
    quantity: Decimal = Decimal(10_000),
    *,
    position_id: str = "P-1",
    average_open: Decimal = Decimal("1.09350"),
    average_close: Decimal | None = None,
    realised_pnl: Decimal = Decimal(0),
    opened_ns: int = START_NS,
    closed_ns: int | None = None,
    strategy: str = "ema_cross",
    instrument: str = EURUSD.id,
    ts: int = START_NS,
) -> PositionChanged:
    """An open long position; profit is in USD."""
    return PositionChanged(
        ts=ts,
        position_id=position_id,
        instrument=instrument,
        strategy=strategy,
        quantity=quantity,
        average_open=average_open,
        average_close=average_close,
        realised_pnl=realised_pnl,
        currency="USD",
        opened_ns=opened_ns,
        closed_ns=closed_ns,
    )


def account(
    total: Decimal = Decimal(1_000_000), locked: Decimal = Decimal(0), ts: int = START_NS
) -> AccountChanged:
    """A balance in USD."""
    return AccountChanged(
        ts=ts, account_id="SIM-001", balances=[Balance("USD", total, total - locked, locked)]
    )


def log(
    text: str = "ready",
    level: Literal["debug", "info", "warning", "error"] = "info",
    *,
    source: str = "ema_cross",
    ts: int = START_NS,
) -> Logged:
    """A line for the log table."""
    return Logged(ts=ts, level=level, source=source, text=text)


def risk(
    position: float = 10_000.0,
    *,
    average_open: float | None = 1.0935,
    mid: float = 1.0936,
    realised_pnl: float = 0.0,
    equity: float = 1_000_001.0,
    drawdown: float = 0.0,
    max_drawdown: float = 0.0,
    fees: float = 0.22,
    instrument: str = EURUSD.id,
) -> Risk:
    """Risk of a position marked at `mid`; exposure and unrealised profit follow from it."""
    return Risk(
        instrument=instrument,
        currency="USD",
        position=position,
        average_open=average_open,
        exposure=abs(position) * mid,
        realised_pnl=realised_pnl,
        unrealised_pnl=0.0 if average_open is None else position * (mid - average_open),
        equity=equity,
        drawdown=drawdown,
        max_drawdown=max_drawdown,
        fees=fees,
    )


def results(
    equity: Rows | None = None,
    *,
    ticks: int = 0,
    seconds: float = 1.0,
    orders: int = 0,
    fills: int = 0,
    final_balance: str = "1000000.00 USD",
    stats: dict[str, float | str | None] | None = None,
    fills_sha256: str = "",
    ts: int = START_NS,
) -> Results:
    """A finished run; `equity` has dtype `EQUITY`."""
    return Results(
        ts=ts,
        ticks=ticks,
        seconds=seconds,
        orders=orders,
        fills=fills,
        final_balance=final_balance,
        stats={"Win Rate": 0.5, "Sharpe Ratio (252 days)": None} if stats is None else stats,
        fills_sha256=fills_sha256,
        equity=empty(EQUITY) if equity is None else equity,
    )
