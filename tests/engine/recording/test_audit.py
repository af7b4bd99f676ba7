"""The audit log: whole as it was written, broken wherever it was touched, and with what led to what."""

import csv
import errno
import hashlib
import json
import threading
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import UserError
from engine.link.trading_builders import twap
from engine.messages.commands import (
    AnyCommand,
    Cancel,
    CancelAll,
    Kill,
    Play,
    Preview,
    Seek,
    SetArmState,
    SetPolicy,
    SetStop,
    Submit,
)
from engine.messages.events import (
    AnyEvent,
    ArmStateChanged,
    Denied,
    Filled,
    HaltChanged,
    HaltStep,
    Logged,
    OrderChanged,
    PolicyChanged,
    Refused,
)
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.orders import HAND, Denial, OrderIntent
from engine.messages.run import Run
from engine.recording import audit
from engine.recording.audit import AuditLog
from engine.recording.audited import export, lines, verify
from engine.recording.recorder import SessionRecorder
from engine.recording.writing import Keeping
from tests.engine.link.fakes import until
from tests.engine.session.markets import CRYPTO

TS = 1_700_000_000_000_000_000
INTENT = OrderIntent(instrument=CRYPTO.id, strategy="EMA-001", side="BUY", type="MARKET", quantity=Decimal(1))
BY_HAND = msgspec.structs.replace(INTENT, strategy=HAND)
DENIAL = Denial(
    rule="order_quantity", text="Size 9 is above 5; order less.", value=Decimal(9), limit=Decimal(5)
)
POLICY = RiskPolicy(version=2, account=Limits(order_quantity=Decimal(5)))


def order(order_id: str, status: str, strategy: str = HAND, request: str = "") -> OrderChanged:
    return OrderChanged(
        ts=TS,
        order_id=order_id,
        instrument=CRYPTO.id,
        strategy=strategy,
        side="BUY",
        type="MARKET",
        quantity=Decimal("1.50"),
        filled=Decimal(0),
        price=None,
        trigger=None,
        average_price=None,
        status=status,
        request=request,
    )


def fill(order_id: str) -> Filled:
    return Filled(
        ts=TS,
        trade_id="T-1",
        order_id=order_id,
        instrument=CRYPTO.id,
        strategy=HAND,
        side="BUY",
        quantity=Decimal("1.50"),
        price=Decimal("50000.10"),
        fee=Decimal("0.0001"),
        fee_currency="USDT",
        liquidity="taker",
    )


def halt(step: HaltStep, by: Any = "person") -> HaltChanged:
    return HaltChanged(ts=TS, step=step, by=by, reason="enough")


STORY: Sequence[AnyCommand | AnyEvent] = (
    Play(),  # line 2, as 1 is the head
    SetArmState(state="paper"),  # 3
    ArmStateChanged(ts=TS, state="paper", by="person"),  # 4
    Submit(request="r1", intents=(BY_HAND,)),  # 5
    order("H-1", "SUBMITTED", request="r1"),  # 6
    order("S-1", "ACCEPTED", strategy="EMA-001"),  # 7
    Logged(ts=TS, level="info", source="x", text="not for the audit"),
    Preview(request="p", intents=(BY_HAND,)),
    order("H-1", "FILLED", request="r1"),  # 8
    fill("H-1"),  # 9
    CancelAll(),  # 10
    order("S-1", "CANCELED", strategy="EMA-001"),  # 11
    SetPolicy(POLICY),  # 12
    PolicyChanged(ts=TS, policy=POLICY, by="person"),  # 13
    Seek(TS),  # 14
    Refused(ts=TS, command="seek", text="No."),  # 15
    order("S-2", "ACCEPTED", strategy="EMA-001"),  # 16
    Denied(ts=TS, order_id="S-3", intent=INTENT, denial=DENIAL),  # 17
    Kill("enough"),  # 18
    halt(HaltStep.CANCELLING),  # 19
    order("S-2", "CANCELED", strategy="EMA-001"),  # 20
    order("X-1", "FILLED", strategy=HAND),  # 21
    halt(HaltStep.HALTED),  # 22
    twap("r1", ts=TS),  # 23
    order("H-2", "ACCEPTED", request="r1"),  # 24
    Cancel("r1"),  # 25
    order("H-2", "CANCELED", request="r1"),  # 26
    twap("r1", "CANCELED", ts=TS),  # 27
)
CAUSES = {
    4: "command 3",
    6: "command 5",
    7: "strategy EMA-001",
    8: "command 5",
    9: "order H-1",
    11: "command 10",
    13: "command 12",
    15: "command 14",
    16: "strategy EMA-001",
    17: "strategy EMA-001",
    19: "command 18",
    20: "halt",
    21: "halt",
    22: "command 18",
    23: "command 5",
    24: "command 5",
    26: "command 25",
    27: "command 25",
}


def tell(log: AuditLog | SessionRecorder, story: Sequence[AnyCommand | AnyEvent] = STORY) -> None:
    for each in story:
        if hasattr(type(each), "__struct_config__") and each.__struct_config__.tag_field == "kind":
            log.events([each])  # type: ignore[list-item]
        else:
            log.command(each, TS)  # type: ignore[arg-type]


def written(path: Path, story: Sequence[AnyCommand | AnyEvent] = STORY) -> Path:
    log = AuditLog()
    tell(log, story)
    log.open(path, Run(instrument=CRYPTO.id))
    log.end()
    log.join()
    assert not log.problem
    return path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(tmp_path_factory.mktemp("audit") / "audit.jsonl").read_bytes()


def check(folder: Path, data: bytes) -> Any:
    path = folder / "touched.jsonl"
    path.write_bytes(data)
    return verify(path)


def test_what_was_said_is_there_with_what_led_to_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl")
    found = verify(path)
    assert (found.problem, found.broken, found.sealed, found.lines) == ("", None, True, 28)
    told = [line for line, _ in lines(path)]
    assert [line.number for line in told] == list(range(1, 29))
    assert {line.number: line.cause for line in told if line.cause} == CAUSES
    assert (told[0].what, told[-1].what) == ("head", "seal")
    assert told[0].body["instrument"] == CRYPTO.id
    assert told[8].body["price"] == "50000.10", "prices are exact"
    assert {line.ts for line in told[1:-1]} == {TS}


def test_a_stop_that_is_kept_for_a_position_is_led_to_by_who_asked_for_it(tmp_path: Path) -> None:
    story = (
        Submit(request="r1", intents=(BY_HAND,)),  # 2
        order("H-1", "FILLED", request="r1"),  # 3
        SetStop(instrument=CRYPTO.id, kind="atr"),  # 4
        order("H-2", "ACCEPTED"),  # 5
    )
    told = [line for line, _ in lines(written(tmp_path / "a.jsonl", story))]
    assert (told[2].cause, told[4].cause) == ("command 2", "command 4")


def test_the_chain_is_what_the_documentation_says(log: bytes) -> None:
    before = "0" * 64
    for text in log.splitlines():
        said = json.loads(text)
        rest = text.replace(b'"hash":"%s",' % said["hash"].encode(), b"", 1)
        assert said["hash"] == hashlib.sha256(before.encode() + rest).hexdigest()
        before = said["hash"]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_that_is_changed_is_found_in_its_line(
    tmp_path: Path, log: bytes, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(log) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != log[place]))
    found = check(tmp_path, log[:place] + bytes([byte]) + log[place + 1 :])
    assert found.broken == log[:place].count(b"\n") + 1
    assert found.lines == found.broken - 1


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_left_out_put_in_or_moved_are_found(tmp_path: Path, log: bytes, data: st.DataObject) -> None:
    whole = log.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.integers(0, len(whole) - 1).filter(lambda value: value != place))
    without = whole[:place] + whole[place + 1 :]
    assert check(tmp_path, b"".join(without)).broken == place + 1
    doubled = whole[: place + 1] + whole[place:]
    assert check(tmp_path, b"".join(doubled)).broken == place + 2
    moved = whole.copy()
    moved[place], moved[other] = moved[other], moved[place]
    assert check(tmp_path, b"".join(moved)).broken == min(place, other) + 1


def test_a_log_that_was_cut_is_known_by_its_missing_seal(tmp_path: Path, log: bytes) -> None:
    whole = log.splitlines(keepends=True)
    for count in range(len(whole)):
        found = check(tmp_path, b"".join(whole[:count]))
        assert (found.broken, found.lines, found.sealed) == (None, count, False)
        assert "without a seal" in found.problem
    assert "cut off" in check(tmp_path, log[:-1]).problem
    assert check(tmp_path, log[:-1]).broken == len(whole)
    added = check(tmp_path, log + whole[-1])
    assert (added.broken, "after the seal" in added.problem) == (len(whole) + 1, True)


def test_a_line_is_in_the_file_while_the_session_runs(tmp_path: Path) -> None:
    log, path = AuditLog(), tmp_path / "a.jsonl"
    log.open(path, Run(instrument=CRYPTO.id))
    tell(log, [Kill("now")])
    until(lambda: path.exists() and b'"kind":"kill"' in path.read_bytes(), "the line", 1.0)
    assert "without a seal" in verify(path).problem
    log.end()
    log.join()
    assert not verify(path).problem


class Full:
    """A file on a disk that takes no more after a while."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, 3

    def write(self, data: bytes) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_a_disk_that_is_full_is_told_and_the_session_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    log = AuditLog(lambda path: Full(path.open("xb")))  # type: ignore[arg-type, return-value]
    log.open(path, Run(instrument=CRYPTO.id))
    tell(log)
    until(lambda: log.problem, "the problem")
    assert log.problem.startswith("The audit log stopped: no space left on device")
    tell(log)
    log.end()
    log.join()
    assert verify(path).lines == 3


class Hanging:
    """A file on a disk that takes nothing until it is let."""

    def __init__(self, file: BinaryIO, may_go_on: threading.Event) -> None:
        self._file, self._may_go_on = file, may_go_on

    def flush(self) -> None:
        self._may_go_on.wait(20.0)
        self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def test_a_verdict_is_in_the_file_once_it_is_called_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    log = AuditLog()
    log.open(path, Run(instrument=CRYPTO.id))
    for number in range(50):
        log.verdict(INTENT, f"S-{number}", None, TS)
        assert log.unwritten() == ""
        assert f'"S-{number}"' in path.read_text(encoding="utf-8").splitlines()[-1]
    log.end()
    log.join()


def test_what_a_full_disk_did_not_take_is_never_called_written(tmp_path: Path) -> None:
    log = AuditLog(lambda path: Full(path.open("xb")))  # type: ignore[arg-type, return-value]
    log.open(tmp_path / "a.jsonl", Run(instrument=CRYPTO.id))
    told = []
    for number in range(4):
        log.verdict(INTENT, f"S-{number}", None, TS)
        told.append(log.unwritten())
    assert told[:2] == ["", ""]
    assert [text.startswith("The audit log stopped: no space left") for text in told] == [False] * 2 + [
        True
    ] * 2
    log.end()
    log.join()


def test_a_disk_that_hangs_is_waited_for_once_and_written_to_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_PATIENCE_S", 0.2)
    may_go_on = threading.Event()
    log = AuditLog(lambda path: Hanging(path.open("xb"), may_go_on))  # type: ignore[arg-type, return-value]
    log.open(tmp_path / "a.jsonl", Run(instrument=CRYPTO.id))
    log.verdict(INTENT, "S-1", None, TS)
    began = time.monotonic()
    assert log.unwritten().endswith("choose another for recordings.")
    assert time.monotonic() - began >= 0.2
    began = time.monotonic()
    for _ in range(10):
        assert log.unwritten() != ""
    assert time.monotonic() - began < 0.2
    may_go_on.set()
    until(lambda: log.unwritten() == "", "the disk")
    may_go_on.clear()
    log.verdict(INTENT, "S-2", None, TS)
    assert log.unwritten() != ""
    may_go_on.set()
    until(lambda: log._written > 1, "the disk, with nobody waiting for it")
    log.verdict(INTENT, "S-3", None, TS)
    assert log.unwritten() == ""  # it is waited for again
    log.end()
    log.join()


def session_recorder(root: Path, **keeping: Any) -> SessionRecorder:
    recorder = SessionRecorder(Keeping(root=str(root), **keeping), "1.2.3")
    recorder.begin(Run(instrument=CRYPTO.id), CRYPTO, frozenset({"quotes"}))
    recorder.verdict(INTENT, "S-1", None, TS)
    recorder.verdict(BY_HAND, "H-1", DENIAL, TS)
    tell(recorder)
    recorder.close()
    assert recorder.take_news() == []
    return recorder


def test_a_recorded_session_has_its_audit_log_beside_it_with_the_gates_verdicts(tmp_path: Path) -> None:
    session_recorder(tmp_path)
    (folder,) = tmp_path.iterdir()
    path = folder / audit.NAME
    assert not verify(path).problem
    told = [line for line, _ in lines(path)]
    assert told[0].body["program"] == "1.2.3"
    passed, denied = [line for line in told if line.what == "verdict"]
    assert (passed.body["denial"], passed.cause, passed.body["order_id"]) == (None, "strategy EMA-001", "S-1")
    assert denied.body["denial"]["value"] == "9"
    assert list(folder.glob("events-*"))


def test_a_session_of_which_nothing_is_to_be_recorded_keeps_the_audit_log_alone(tmp_path: Path) -> None:
    session_recorder(tmp_path, market=False, lines=False)
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} - {".lock"} == {"manifest.json", audit.NAME}
    assert not verify(folder / audit.NAME).problem


def test_it_is_exported_as_a_table_and_as_json(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl")
    assert export(path, tmp_path / "a.csv") == export(path, tmp_path / "a.json") == 28
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    array = json.loads((tmp_path / "a.json").read_text())
    assert [int(row["number"]) for row in rows] == [each["number"] for each in array] == list(range(1, 29))
    assert json.loads(rows[8]["body"]) == array[8]["body"]
    assert array[-1]["hash"] == verify(path).last_hash
    with pytest.raises(UserError, match="end it with"):
        export(path, tmp_path / "a.xml")
    with pytest.raises(UserError, match="no audit log"):
        verify(tmp_path / "none")
