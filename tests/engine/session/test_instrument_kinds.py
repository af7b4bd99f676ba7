"""Sessions over what is no currency: shares run, contracts of another size are refused in one sentence."""

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from engine.columns import Columns, Quotes, Trades
from engine.errors import UserError
from engine.messages.commands import Finish
from engine.messages.events import AnyEvent, Filled, Results
from engine.messages.instrument import Instrument
from engine.messages.run import Run
from engine.session.replay import ReplaySession
from engine.session.source import ColumnsSource
from tests.engine.feeds.files import known
from tests.engine.session.markets import START_NS, obey
from tests.engine.session.strategies import Market

SHARE = known().find("AAPL.NASDAQ").instrument
ROWS = 2_000


def market(instrument: Instrument) -> tuple[Columns, ...]:
    """Quotes a cent wide that walk, and trades between them; sizes in hundreds."""
    steps = np.random.default_rng(4).integers(-2, 3, ROWS)
    ts, bid, size = START_NS + np.arange(ROWS) * 100_000_000, 18_000 + steps.cumsum(), np.full(ROWS, 100)
    size = size * 10**instrument.size_precision
    digits = instrument.size_precision
    quotes = Quotes(
        ts_event=ts,
        ts_init=ts,
        bid=bid,
        ask=bid + 1,
        bid_size=size,
        ask_size=size,
        price_precision=2,
        size_precision=digits,
    )
    trades = Trades(
        ts_event=ts,
        ts_init=ts,
        price=bid,
        size=size,
        aggressor=np.ones(ROWS, np.uint8),
        trade_id=np.arange(ROWS),
        price_precision=2,
        size_precision=digits,
    )
    return quotes, trades


def session(instrument: Instrument) -> ReplaySession:
    source = ColumnsSource(instrument, *market(instrument), rows=700)
    return ReplaySession(Run(instrument=instrument.id), source, None, strategy=Market, watched=False)


def results(events: list[AnyEvent]) -> Results:
    return next(event for event in events if isinstance(event, Results))


@pytest.mark.parametrize("size_precision", [0, 3], ids=["whole shares", "fractions of shares"])
def test_a_share_is_traded_and_its_profit_is_what_the_fills_earned(size_precision: int) -> None:
    share = msgspec.structs.replace(SHARE, size_precision=size_precision, lot_size=Decimal(100))
    events = obey(session(share), Finish())
    fills = [event for event in events if isinstance(event, Filled)]
    assert len(fills) > 20
    signed = [(Decimal(1) if fill.side == "BUY" else Decimal(-1)) * fill.quantity for fill in fills]
    held = sum(signed)
    paid = sum(size * fill.price for size, fill in zip(signed, fills, strict=True))
    quotes, _ = market(share)
    assert isinstance(quotes, Quotes)
    mid = Decimal(int(quotes.bid[-1] + quotes.ask[-1])) / 200
    amount, currency = results(events).net_pnl.split()
    assert currency == "USD"
    assert Decimal(amount) == held * mid - paid


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("BTCUSD-PERP.BINANCE", "an inverse contract of 100 USD"),
        ("XBTUSD.BITMEX", "an inverse contract of 1 USD"),
        ("BTC-USDT-SWAP.OKX", r"a contract of 0\.01 BTC"),
    ],
)
def test_a_contract_whose_profit_would_be_wrong_is_refused(name: str, told: str) -> None:
    instrument = msgspec.structs.replace(
        known().find(name).instrument, price_precision=2, tick_size=Decimal("0.01")
    )
    with pytest.raises(UserError, match=f"{name} is {told}.*look at it as data"):
        session(instrument)
