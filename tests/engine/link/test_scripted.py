"""The scripted session is compared with its own sums, as widget tests will compare it."""

from decimal import Decimal

import numpy as np

from engine.link.protocols import LinkDown
from engine.link.scripted import EURUSD, ScriptedLink, frame, log, scripted_session
from engine.messages.commands import Pause, Play
from engine.messages.events import AccountChanged, Filled, Phase, PositionChanged, Results
from engine.messages.wire import decode_frame, encode


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    def coded(seed: int) -> list[bytes]:
        return [encode(frame) for frame in scripted_session(seed, 60)]

    assert coded(3) == coded(3)
    assert coded(3) != coded(4)


def test_every_frame_crosses_the_wire_unchanged() -> None:
    for sent in scripted_session(1, 60):
        came = decode_frame(encode(sent))
        assert encode(came) == encode(sent)


def test_the_market_is_one_that_can_be() -> None:
    frames = scripted_session(2, 120)
    columns = 0
    last_ts = 0
    for shown in frames:
        (news,) = shown.markets
        assert (news.quotes["ask"] > news.quotes["bid"]).all()
        assert (np.diff(news.quotes["ts"]) >= 0).all()
        assert last_ts <= news.quotes["ts"][0]
        last_ts = news.quotes["ts"][-1]
        assert last_ts <= shown.transport.now
        assert len(news.bids) == len(news.asks) == 30
        assert (news.bids["price"][0], news.asks["price"][0]) == tuple(news.quotes[-1][["bid", "ask"]])
        assert (np.diff(news.bids["price"]) < 0).all()
        assert (np.diff(news.asks["price"]) > 0).all()
        columns += len(news.depth)
    assert columns == 30


def test_the_trading_adds_up() -> None:
    frames = scripted_session(5, 240)
    numbered = [each for shown in frames for each in shown.events]
    assert [each.number for each in numbered] == list(range(1, len(numbered) + 1))
    events = [each.event for each in numbered]
    fills = [event for event in events if isinstance(event, Filled)]
    closed = [event for event in events if isinstance(event, PositionChanged) and event.closed_ns]
    (result,) = (event for event in events if isinstance(event, Results))
    assert len(fills) == result.fills == 20
    cash = sum(
        (each.quantity * each.price * (1 if each.side == "SELL" else -1) for each in fills), Decimal(0)
    )
    assert cash == sum((each.realised_pnl for each in closed), Decimal(0))
    fees = sum((each.fee for each in fills), Decimal(0))
    (balance,) = [event for event in events if isinstance(event, AccountChanged)][-1].balances
    assert balance.total == Decimal(1_000_000) + cash - fees
    assert result.final_balance == f"{balance.total:.2f} USD"
    assert float(result.equity["equity"][-1]) == float(balance.total) == frames[-1].risks[0].equity
    assert frames[-1].transport.phase is Phase.FINISHED
    assert frames[0].instruments == [EURUSD]


def test_the_scripted_link_plays_its_part() -> None:
    link = ScriptedLink()
    link.push(frame(1, events=[log("hello")]), frame(2))
    link.send(Play())
    assert [shown.number for shown in link.drain()] == [1, 2]
    assert link.drain() == []
    assert link.acknowledged == [1, 2]
    link.break_with(LinkDown("killed by signal 9", [], expected=False))
    link.send(Pause())
    assert link.sent == [Play()]
    assert link.down is not None
    link.close()
    assert link.closed
    assert not link.down.expected
