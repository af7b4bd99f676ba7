"""A market's read model routes each part of a frame, and names a bad bar spec in one sentence."""

import numpy as np
import pytest

from app.state.market import MarketState
from engine.errors import UserError
from engine.link.builders import EURUSD
from engine.link.script import scripted_session


def test_a_session_s_frames_end_up_in_the_tapes() -> None:
    market = MarketState(EURUSD)
    frames = scripted_session(1, 40)
    for frame in frames:
        market.apply(frame.markets[0])
    assert len(market.quotes) == sum(len(frame.markets[0].quotes) for frame in frames)
    assert len(market.trades) == sum(len(frame.markets[0].trades) for frame in frames)
    assert len(market.depth) == 10
    assert market.version == 40
    assert len(market.book.bids) > 0
    assert market.now == max(market.quotes.times[-1], market.trades.times[-1], market.depth.times[-1])


def test_bars_are_built_once_and_grow_with_the_frames() -> None:
    market = MarketState(EURUSD)
    frames = scripted_session(1, 40)
    for frame in frames[:20]:
        market.apply(frame.markets[0])
    bars = market.bars("1-second-mid")
    before = len(bars)
    for frame in frames[20:]:
        market.apply(frame.markets[0])
    assert market.bars("1-SECOND-MID") is bars
    assert len(bars) == before + 5
    assert np.isfinite(bars.candles(0, 2**62, 100)["close"]).all()


@pytest.mark.parametrize("spec", ["nonsense", "7-SECOND-MID", "1-MINUTE-LST", "0-TICK-LAST"])
def test_a_bad_bar_spec_is_one_sentence(spec: str) -> None:
    with pytest.raises(UserError, match=r"^[A-Z][^\n]*\.$"):
        MarketState(EURUSD).bars(spec)
