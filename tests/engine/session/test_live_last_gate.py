"""What passed the gate of a live session is judged once more before it leaves for the venue."""

import errno
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

import msgspec
from nautilus_trader.model import OrderSide

from engine.messages.commands import Flatten, Modify, SetArmState, SetPolicy, Submit
from engine.messages.events import Denied, Logged, OrderChanged, TwapChanged
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import HAND, Twap
from engine.nautilus.instrument import quantity
from engine.recording import audit
from engine.recording.audited import lines
from engine.recording.journal import create
from engine.recording.recorder import SessionRecorder
from engine.recording.writing import Keeping
from tests.engine.session.live_sessions import Driven
from tests.engine.session.test_live_venue import ETH, at, by_hand, is_now, other
from tests.venue import ThreadVenue
from tests.venue.client import Client

REFUSED = "The last check before the venue refused it: "


TWAP = msgspec.structs.replace(by_hand("0.6"), twap=Twap(horizon_s=2.0, interval_s=1.0))


def forget(driven: Driven) -> None:
    """Have the first gate believe that the account is empty."""
    driven.session._control._book.clear()


def limited(driven: Driven, position: str) -> None:
    driven.session.handle(SetPolicy(RiskPolicy(account=Limits(position=Decimal(position)))))


def test_an_order_that_passed_no_gate_is_told_as_denied_and_not_at_the_venue(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        size = quantity(Decimal("0.1"), puppet.instrument)
        order = puppet.order_factory.market(puppet.instrument_id, OrderSide.BUY, size)
        assert not puppet._send([order])
        [denied] = driven.told(Denied)
        assert (denied.denial.rule, denied.order_id) == ("altered", str(order.client_order_id))
        assert denied.denial.text.startswith(REFUSED)
        assert puppet.refusal == denied.denial.text
        assert [event.status for event in driven.told(OrderChanged)] == ["DENIED"]
        bought = puppet.market("BUY", "0.1")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        assert len(venue.truth().orders) == 1


def test_a_position_that_the_first_gate_knows_nothing_of_counts(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet), Client(other(venue)) as someone:
        someone.wait(lambda event: event["event"] == "quote")
        someone.do("market", id="TAKEN", side="BUY", size="0.7")
        driven.until(lambda: is_now(driven, "TAKEN", "FILLED"))
        limited(driven, "1")
        forget(driven)
        refused = puppet.market("BUY", "0.5")
        driven.session.handle(Submit(request="r1", intents=(by_hand("0.5"),)))
        first, second = driven.told(Denied)
        assert (first.order_id, first.denial.rule) == (refused, "position")
        assert (first.denial.value, first.denial.limit) == (Decimal("1.2"), Decimal(1))
        assert all(each.denial.text.startswith(REFUSED) for each in (first, second))
        assert {event.status for event in driven.told(OrderChanged)[-2:]} == {"DENIED"}
        forget(driven)
        bought = puppet.market("BUY", "0.3")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        driven.session.handle(Flatten())
        driven.until(lambda: not venue.truth().positions)


def test_of_several_orders_of_a_request_all_leave_or_none(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        bought = puppet.market("BUY", "0.5")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        limited(driven, "1")
        forget(driven)
        several = tuple(by_hand("0.3", "BUY", "LIMIT", price=Decimal(price)) for price in (1900, 1901))
        driven.session.handle(Submit(request="r1", intents=several))
        told = driven.told(OrderChanged)[-2:]
        assert [event.status for event in told] == ["DENIED", "DENIED"]
        assert told[0].reason == f"Not sent, as {told[1].order_id} was refused."
        assert told[1].reason.startswith(REFUSED)
        forget(driven)
        driven.session.handle(Submit(request="r2", intents=several[:1]))
        driven.until(lambda: driven.told(OrderChanged)[-1].status == "ACCEPTED")
        assert len(venue.truth().orders) == 2


def test_what_a_slice_should_have_sent_and_did_not_leaves_with_the_next(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        bought = puppet.market("BUY", "0.5")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        limited(driven, "0.6")
        forget(driven)
        driven.session.handle(Submit(request="r1", intents=(TWAP,)))
        assert [each.denial.rule for each in driven.told(Denied)] == ["position"]
        assert driven.told(TwapChanged)[-1].sent == 0
        limited(driven, "5")
        driven.until(lambda: driven.told(TwapChanged)[-1].order.status == "FILLED")
        [(held, _)] = venue.truth().positions.values()
        assert held == Decimal("1.1")


def test_a_change_that_the_account_does_not_bear_is_not_made(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        working = puppet.limit("BUY", "0.2", "1900.00")
        bought = puppet.market("BUY", "0.5")
        driven.until(lambda: is_now(driven, working, "ACCEPTED") and is_now(driven, bought, "FILLED"))
        limited(driven, "1")
        total = driven.session._control._book.total(ETH)
        total.long = total.net = Decimal(0)
        driven.session.handle(Modify(order_id=working, quantity=Decimal("0.6")))
        [denied] = driven.told(Denied)
        assert (denied.order_id, denied.denial.value) == (working, Decimal("1.1"))
        assert REFUSED in driven.told(Logged)[-1].text
        driven.session.handle(Modify(order_id=working, quantity=Decimal("0.5")))
        driven.until(lambda: driven.told(OrderChanged)[-1].quantity == Decimal("0.5"))
        assert is_now(driven, working, "ACCEPTED")


def test_every_verdict_of_the_last_gate_stands_in_the_audit_log(venue: ThreadVenue, tmp_path: Path) -> None:
    recorder = SessionRecorder(Keeping(root=str(tmp_path)))
    with at(venue, recorder=recorder) as (driven, puppet):
        bought = puppet.market("BUY", "0.5")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        limited(driven, "1")
        forget(driven)
        refused = puppet.market("BUY", "0.6")
    [path] = tmp_path.rglob("audit.jsonl")
    said = [
        (line.kind, line.body["order_id"], (line.body["denial"] or {}).get("rule"), bool(line.cause))
        for line, _ in lines(path)
        if line.what == "verdict"
    ]
    assert said == [
        ("verdict", bought, None, True),
        ("last_verdict", bought, None, True),
        ("verdict", refused, None, True),
        ("last_verdict", refused, "position", True),
    ]


def test_a_burst_of_orders_counts_before_the_engine_tells_of_the_first(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        limited(driven, "1")
        sent = []
        for _ in range(4):
            forget(driven)
            sent.append(puppet.market("BUY", "0.4"))
        driven.until(lambda: all(is_now(driven, each, "FILLED") for each in sent[:2]))
        assert [each.order_id for each in driven.told(Denied)] == sent[2:]
        [(held, _)] = venue.truth().positions.values()
        assert held == Decimal("0.8")


def test_what_the_account_bears_all_leaves(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet):
        limited(driven, "1")
        sent = [puppet.limit("BUY", "0.01", "1900.00") for _ in range(60)]
        driven.until(lambda: all(is_now(driven, each, "ACCEPTED") for each in sent))
        assert driven.told(Denied) == []


def test_a_foreign_position_is_flattened_whatever_the_hand_may_hold(venue: ThreadVenue) -> None:
    with at(venue) as (driven, puppet), Client(other(venue)) as someone:
        someone.wait(lambda event: event["event"] == "quote")
        someone.do("market", id="TAKEN", side="BUY", size="0.7")
        bought = puppet.market("SELL", "0.2")
        driven.until(lambda: is_now(driven, "TAKEN", "FILLED") and is_now(driven, bought, "FILLED"))
        nothing = Limits(position=Decimal("0.1"), order_quantity=Decimal("0.1"))
        policy = RiskPolicy(account=nothing, strategies={HAND: nothing}, instruments={ETH: nothing})
        driven.session.handle(SetPolicy(policy))
        driven.session.handle(SetArmState(state="view"))
        driven.session.handle(Flatten())
        driven.until(lambda: not venue.truth().positions)
        assert driven.told(Denied) == []


class Disk:
    """Takes the audit log until it is full."""

    def __init__(self) -> None:
        self.is_full = False

    def open_file(self, path: Path) -> BinaryIO:
        return cast("BinaryIO", _OnDisk(create(path), self)) if path.name == audit.NAME else create(path)


class _OnDisk:
    def __init__(self, file: BinaryIO, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def flush(self) -> None:
        if self._disk.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_what_the_audit_log_cannot_take_opens_nothing_and_still_closes(
    venue: ThreadVenue, tmp_path: Path
) -> None:
    disk = Disk()
    recorder = SessionRecorder(Keeping(root=str(tmp_path)), open_file=disk.open_file)
    with at(venue, recorder=recorder) as (driven, puppet):
        bought = puppet.market("BUY", "0.5")
        driven.until(lambda: is_now(driven, bought, "FILLED"))
        disk.is_full = True
        refused = [puppet.market("BUY", "0.1"), puppet.market("BUY", "0.1")]
        driven.session.handle(Submit(request="r1", intents=(by_hand("0.1"),)))
        denied = driven.told(Denied)
        assert [each.order_id for each in denied[:2]] == refused
        assert [each.denial.rule for each in denied] == ["audit"] * 3
        assert all("no space left on device" in each.denial.text for each in denied)
        driven.session.handle(Flatten())
        driven.until(lambda: not venue.truth().positions)
        told = [each.text for each in driven.told(Logged) if each.level == "error"]
        [once] = [text for text in told if text.startswith("The audit log stopped")]
        assert once.endswith(
            "restart the session. Until then no order leaves for the venue but what reduces."
        )
        assert len(venue.truth().orders) == 2
