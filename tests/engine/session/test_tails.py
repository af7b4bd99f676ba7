"""Value at risk is told from all minutes that passed, however fast the session was watched."""

import numpy as np
import pytest

from engine.messages.commands import Seek
from engine.messages.limits import TailRisk
from engine.session.replay import ReplaySession
from tests.engine.nautilus.desks import SECOND, quotes_at
from tests.engine.session.hands import buy
from tests.engine.session.live_sessions import paper
from tests.engine.session.markets import START_NS, obey, session

MINUTES = 160
MIDS = 110_000 + np.random.default_rng(7).integers(-20, 21, MINUTES * 60).cumsum() // 8
QUOTES = quotes_at(MIDS)


def tails(run: ReplaySession) -> list[TailRisk]:
    risk = run.take_picture().account_risk
    assert risk is not None
    return risk.tails


def test_a_seek_over_hours_tells_the_risk_of_every_minute_on_the_way() -> None:
    run = session(QUOTES, arm="paper")
    obey(run, buy(quantity=100_000))
    obey(run, Seek(START_NS + 155 * 60 * SECOND))
    obey(run, buy("late", quantity=100_000))
    historical, ewma = tails(run)

    closes_at = np.flatnonzero(np.diff(QUOTES.ts_event // (60 * SECOND)))
    closes_at = closes_at[QUOTES.ts_event[closes_at] < START_NS + 155 * 60 * SECOND]
    closes = MIDS[closes_at] / 1e5
    bid, ask = MIDS[155 * 60] - 1, MIDS[155 * 60] + 1
    held = 100_000 * (bid + ask) / 2 / 1e5
    losses = np.sort(-held * np.diff(closes) / closes[:-1])[::-1]
    assert historical.returns == ewma.returns == len(losses)
    assert historical.value_at_risk == pytest.approx(losses[0])
    assert historical.expected_shortfall == pytest.approx(losses[0])
    assert ewma.value_at_risk is not None
    assert 0 < ewma.value_at_risk < 3 * losses.std()
    run.close()


def test_a_seek_back_begins_anew() -> None:
    run = session(QUOTES, arm="paper")
    obey(run, Seek(START_NS + 100 * 60 * SECOND))
    obey(run, buy(quantity=100_000))
    before = tails(run)[0].returns
    obey(run, Seek(START_NS + 50 * 60 * SECOND))
    obey(run, buy("again", quantity=100_000))
    assert before > 95
    assert 45 < tails(run)[0].returns < 55
    run.close()


def test_a_live_session_counts_what_came() -> None:
    with paper(QUOTES, speed=1_000.0) as driven:
        driven.until(lambda: driven.session.course.ticks > 3, watched=True)
        risk = driven.session.take_picture().account_risk
        assert risk is not None
        assert [each.method for each in risk.tails] == ["historical", "ewma"]
