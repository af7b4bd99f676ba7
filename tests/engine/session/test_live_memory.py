"""What a session knows again when it is started anew, and what of it is its own."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.messages.commands import Finish
from engine.messages.events import Filled, Logged, Phase
from engine.session.memory import Remembered, SessionMemory
from tests.engine.session.live_sessions import paper
from tests.engine.session.markets import CRYPTO, crypto_columns


def remembered(strategy: str = "buy_and_hold", held: str = "0.5", **state: str) -> Remembered:
    return Remembered(
        strategy=strategy, instrument=CRYPTO.id, held=Decimal(held), orders=("O-1",), state=state
    )


def test_what_was_written_last_is_read_by_the_same_strategy_on_the_same_instrument(tmp_path: Path) -> None:
    path = tmp_path / "memory" / "one.json"
    assert SessionMemory(path).read("buy_and_hold", CRYPTO.id) is None
    memory = SessionMemory(path)
    memory.write(remembered(bought="no"))
    memory.write(remembered(bought="yes"))
    assert SessionMemory(path).read("buy_and_hold", CRYPTO.id) == remembered(bought="yes")
    assert SessionMemory(path).read("ema_cross", CRYPTO.id) is None
    assert SessionMemory(path).read("buy_and_hold", "ETHUSDT.SIM") is None


def test_what_the_hand_had_is_known_whatever_strategy_comes_next(tmp_path: Path) -> None:
    memory = SessionMemory(tmp_path / "one.json")
    hand = {"requests": "r1", "involved": "yes"}
    memory.write(msgspec.structs.replace(remembered(), hand=hand))
    same, other = memory.read("buy_and_hold", CRYPTO.id), memory.read("ema_cross", CRYPTO.id)
    assert same is not None
    assert same.hand == hand
    assert other is not None
    assert not other.is_involved
    assert other.hand == {"requests": "r1", "involved": ""}  # what the strategy left is not the hand's
    assert memory.read("ema_cross", "ETHUSDT.SIM") is None


def test_a_file_that_is_no_memory_is_passed_over_and_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(b'{"strategy": 1')
    assert SessionMemory(path).read("buy_and_hold", CRYPTO.id) is None
    assert "is passed over" in capfd.readouterr().err


def test_a_disk_that_takes_nothing_is_told_once_and_trading_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = SessionMemory(tmp_path / "file" / "one.json")
    with paper(*crypto_columns(), strategy="buy_and_hold", speed=4.0, memory=memory) as driven:
        driven.until(lambda: driven.told(Filled))
        driven.until(lambda: driven.session.take_picture().health.ticks > 2_000)
        driven.session.handle(Finish())
        told = [line.text for line in driven.told(Logged) if line.level == "warning"]
    assert driven.session.phase is Phase.FINISHED
    assert [text.partition(" cannot be")[0] for text in told] == [
        "What this session must know after a restart"
    ]


def test_nothing_is_taken_over_by_who_had_nothing() -> None:
    assert remembered().is_involved
    assert not Remembered(strategy="none", instrument=CRYPTO.id, held=Decimal(0)).is_involved


def test_who_bought_already_buys_no_second_time(tmp_path: Path) -> None:
    memory = SessionMemory(tmp_path / "one.json")
    with paper(*crypto_columns(), strategy="buy_and_hold", speed=4.0, memory=memory) as driven:
        driven.until(lambda: driven.told(Filled))
    kept = SessionMemory(tmp_path / "one.json").read("buy_and_hold", CRYPTO.id)
    assert kept is not None
    assert kept.held == sum(fill.quantity for fill in driven.told(Filled))
    assert kept.state == {"bought": "yes"}
    with paper(
        *crypto_columns(), strategy="buy_and_hold", speed=4.0, memory=SessionMemory(tmp_path / "one.json")
    ) as again:
        again.until(lambda: again.session.take_picture().health.ticks > 500)
        assert not again.told(Filled)
