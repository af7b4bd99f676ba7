"""The why inspector: what it asks, which answers it believes, and the story from a signal to a fill."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.windows.why_deeds import WhyDeeds
from engine.link.scripted import START_NS, fill, frame, order, scripted_session
from engine.link.signal_builders import acted, explanation, model_health, signal
from engine.messages.commands import Explain
from engine.messages.events import AnyEvent
from engine.messages.frames import Contribution, Explanation
from engine.messages.run import Inference, ModelUse, Run
from tests.gui.conftest import Desk
from widgets.blotter import FillsPanel, OrdersPanel
from widgets.why import WhyPanel
from widgets.why.asking import PATIENCE_S

RUN = Run(
    instrument="EURUSD.SIM",
    simulate="fx",
    strategy="ai_signal",
    inference=Inference(models=(ModelUse(file="demo.onnx"),)),
)
SECOND_NS = 1_000_000_000
NOW = START_NS + 60 * SECOND_NS


class _Why:
    """The inspector in a window, with a clock of its own and a session that tells what the test says."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.now_s = 100.0
        self._frames = self._events = 0
        desk.window.deeds.load_layout_named("model")  # strip and inspector side by side
        self.panel = WhyPanel(desk.station.theme, clock=lambda: self.now_s)
        desk.window.hosts["why"].replace(self.panel)
        self.panel.asked.connect(desk.window.deeds.explain_at)
        desk.station.open_run(RUN)

    def tell(
        self,
        *events: AnyEvent,
        answer: Explanation | None = None,
        has_model: bool = True,
        now: int = NOW,
        epoch: int = 1,
        first: bool = False,
    ) -> str:
        """Let a frame bring this; gives what the inspector says then."""
        self._frames += 1
        news = frame(
            1 if first else self._frames,
            events=events,
            first_event=self._events + 1,
            models=[model_health()] if has_model else [],
            explanation=answer,
            epoch=epoch,
        )
        self._events += len(events)
        self.desk.link.push(replace(news, transport=replace(news.transport, now=now)))
        self.desk.tick()
        return self.text

    def wait(self, seconds: float = 0.1) -> str:
        """Let time pass, then a frame."""
        self.now_s += seconds
        self.desk.tick()
        return self.text

    @property
    def text(self) -> str:
        return self.panel.page.text

    @property
    def questions(self) -> list[int]:
        return [command.ts for command in self.desk.sent if isinstance(command, Explain)]

    def line(self, label: str) -> list[str]:
        """Columns of the line that begins with this."""
        found = [row for row in self.text.split("\n") if row.split("\t")[0] == label]
        assert found, f"{label!r} is not in:\n{self.text}"
        return found[0].split("\t")[1:]


@pytest.fixture
def why(desk: Desk) -> _Why:
    return _Why(desk)


def _story() -> Sequence[AnyEvent]:
    """A signal whose order filled: 50 µs to the gate, 2 ms to the fill."""
    signalled = START_NS + 10 * SECOND_NS
    sent = signalled + 50_000
    filled = sent + 2_000_000
    return (
        signal(1, 1, ts=signalled),
        order("O-1", "SUBMITTED", type="MARKET", price=None, ts=sent),
        acted(1, text="The fixed size of 10,000.", ts=sent),
        order("O-1", "FILLED", type="MARKET", price=None, filled=Decimal(10_000), ts=filled),
        fill("T-1", "O-1", price=Decimal("1.09352"), ts=filled),
    )


# What it asks


def test_without_a_model_nothing_is_asked_and_it_says_what_would_fill_it(why: _Why) -> None:
    assert "no model" in why.tell(has_model=False)
    why.panel.point_at(START_NS)
    why.wait()
    assert why.questions == []


def test_before_the_crosshair_was_anywhere_the_newest_row_is_explained(why: _Why) -> None:
    why.tell()
    assert why.questions == [NOW]
    said = why.tell(answer=explanation(NOW))
    assert said.startswith("Newest row")


def test_it_asks_where_the_crosshair_is_and_not_beyond_now(why: _Why) -> None:
    why.tell(answer=explanation(NOW))
    why.tell(answer=explanation(NOW))
    why.panel.point_at(START_NS + 5)
    why.wait()
    assert why.questions == [NOW, START_NS + 5]
    why.tell(answer=explanation(START_NS + 5))
    why.panel.point_at(NOW + 5 * SECOND_NS)
    why.wait()
    assert why.questions[-1] == NOW


def test_a_moving_crosshair_asks_ten_times_a_second_and_the_newest_wins(why: _Why) -> None:
    why.tell(answer=explanation(NOW))
    asked: list[int] = []
    for step in range(100):  # one second, a move each 10 ms, each question answered at once
        why.panel.point_at(START_NS + step)
        why.now_s += 0.01
        why.desk.tick()
        if why.questions[-1:] != asked[-1:]:
            asked.append(why.questions[-1])
            why.tell(answer=explanation(asked[-1]))
    assert 9 <= len(asked) <= 12
    why.wait()
    why.wait()
    assert why.questions[-1] == START_NS + 99
    count = len(why.questions)
    why.tell(answer=explanation(START_NS + 99))
    for _ in range(5):
        why.wait()
    assert len(why.questions) == count, "what was answered is not asked again"


def test_a_slow_model_is_not_flooded(why: _Why) -> None:
    why.tell()
    for step in range(8):
        why.panel.point_at(START_NS + step)
        why.wait()
    assert why.questions == [NOW]
    why.wait(PATIENCE_S)
    assert why.questions == [NOW, START_NS + 7]


def test_a_hidden_inspector_asks_nothing(why: _Why) -> None:
    why.desk.window.docks["why"].hide()
    why.tell()
    why.panel.point_at(START_NS)
    why.wait()
    assert why.questions == []


def test_the_chart_tells_the_time_under_a_mouse_that_rests_while_it_plays(why: _Why) -> None:
    why.desk.link.push(*scripted_session(3, 41, model=True)[:-1])
    why.desk.tick()
    chart = why.desk.window.chart
    assert chart is not None
    canvas = chart.canvas
    QTest.mouseMove(canvas, QPoint(canvas.width() // 2, canvas.height() // 2))
    why.desk.tick()
    why.wait(PATIENCE_S)
    first = why.questions[-1]
    assert why.panel.subject.kind == "crosshair"
    why.desk.link.push(*scripted_session(3, 81, model=True)[41:-1])
    for _ in range(3):
        why.desk.tick()
    why.wait(PATIENCE_S)
    assert why.questions[-1] > first


# Which answers it believes


def test_an_answer_to_an_older_question_is_not_shown(why: _Why) -> None:
    why.tell(answer=explanation(NOW))
    why.panel.point_at(START_NS + 1)
    why.wait(PATIENCE_S)
    why.panel.point_at(START_NS + 2)
    why.wait(PATIENCE_S)
    assert why.questions[-2:] == [START_NS + 1, START_NS + 2]
    late = replace(explanation(START_NS + 1), model="Too late")
    assert "Too late" not in why.tell(answer=late)
    assert "Right" in why.tell(answer=replace(explanation(START_NS + 2), model="Right"))
    assert "Too late" not in why.tell(answer=late)


def test_an_engine_that_does_not_answer_is_said(why: _Why) -> None:
    assert "Asking the engine" in why.tell()
    assert "has not answered yet" in why.wait(PATIENCE_S)


def test_a_problem_is_shown_plainly(why: _Why) -> None:
    why.tell()
    said = why.tell(answer=explanation(NOW, problem="The model was not warm yet; look at a later row."))
    assert said.split("\n")[1:] == ["The model was not warm yet; look at a later row."]


def test_a_new_epoch_forgets_the_answer_and_asks_anew(why: _Why) -> None:
    why.tell()
    assert "Demo MLP" in why.tell(answer=explanation(NOW))
    why.wait()
    assert "Demo MLP" not in why.tell(epoch=2, first=True)
    why.wait()
    assert why.questions == [NOW, NOW]


# What it says


def test_row_output_thresholds_and_decision(why: _Why) -> None:
    why.tell()
    answer = replace(explanation(NOW), ts=NOW - 350_000, direction=-1, down=0.65, up=0.1, score=-0.55)
    why.tell(answer=answer)
    assert why.line("Row") == ["12:00:59.999650", "350 µs before"]
    assert why.line("Model") == ["Demo MLP"]
    assert [why.line(name) for name in ("down", "flat", "up")] == [["0.1"], ["0.25"], ["0.65"]]
    assert why.line("Thresholds") == ["enter 0.55 · exit 0.4"]
    assert why.line("Short ≥ enter") == ["0.650"]
    assert why.line("Long") == ["0.100"]
    assert why.line("Score") == ["−0.550"]
    assert why.line("Decision at this row") == ["short"]


def test_a_regression_is_gauged_on_its_own_scale(why: _Why) -> None:
    why.tell()
    answer = replace(
        explanation(NOW, contributions=[Contribution("microprice_bps", 0.25, 0.0041)], score=-2.5),
        output=[-2.5],
        class_names=(),
        down=None,
        flat=None,
        up=None,
        enter=2.0,
        exit=0.5,
    )
    why.tell(answer=answer)
    assert why.line("Output 1") == ["−2.5"]
    assert why.line("Short ≥ enter") == ["2.50"]
    assert why.line("Long") == ["−2.50"]
    assert why.line("microprice_bps") == ["0.25", "+0.00410"]


def test_contributions_stand_by_the_size_of_their_effect_with_their_sign(why: _Why) -> None:
    why.tell()
    many = [Contribution(f"input_{at}", 10.0**at, (-1) ** at * at / 100) for at in range(12)]
    said = why.tell(answer=explanation(NOW, contributions=many)).split("\n")
    first = next(place for place, row in enumerate(said) if row.startswith("Inputs")) + 1
    assert said[first : first + 2] == [
        "input_11\t100,000,000,000\t−0.110",
        "input_10\t10,000,000,000\t+0.100",
    ]
    assert said[first + 8].startswith("4 more, none beyond ±0.030")
    why.desk.click(why.panel.all_inputs)
    assert "input_0\t1\t0.000" in why.text


def test_the_newest_signal_of_a_row_and_what_came_of_it(why: _Why) -> None:
    why.tell(*_story())
    said = why.tell(answer=explanation(NOW, signal=1))
    assert [row.split("\t")[0] for row in said.split("\n")[-5:]] == [
        "What came of it",
        "Signal 1: flat → long",
        "Risk gate: passed",
        "Order: BUY 10,000 market",
        "Fill: 10,000 at 1.09352",
    ]
    assert why.line("Signal 1: flat → long")[:2] == [
        "12:00:10.000",
        "Entry: long at 0.65 reached the threshold of 0.55.",
    ]
    assert why.line("Risk gate: passed") == ["12:00:10.000050", "+50.0 µs", "The fixed size of 10,000."]
    assert why.line("Order: BUY 10,000 market")[:2] == ["Filled 12:00:10.002050", "10,000 of 10,000 filled"]
    assert why.line("Fill: 10,000 at 1.09352") == [
        "12:00:10.002050",
        "+2.00 ms",
        "A market order takes the best price that there is.",
        "taker, fee 0.22 USD",
    ]


def test_a_row_before_any_signal_has_no_story(why: _Why) -> None:
    why.tell()
    assert "No signal so far" in why.tell(answer=explanation(NOW, signal=None))


# Picks


def test_a_double_click_on_a_fill_tells_how_it_came_about(why: _Why) -> None:
    events = _story()
    why.tell(*events, first=True)
    _double_click(why, "fills")
    assert why.panel.subject.kind == "fill"
    assert why.text.startswith("Fill 12:00:10.002050")
    assert "Signal 1: flat → long" in why.text, "the story needs no answer"
    why.wait()
    assert why.questions[-1] == START_NS + 10 * SECOND_NS, "the row of the signal that caused the order"
    why.tell(answer=explanation(why.questions[-1]))
    assert why.line("imbalance_1") == ["0.82", "+0.310"]
    why.panel.point_at(START_NS + 3)
    why.wait()
    assert START_NS + 3 not in why.questions, "a pick stays while the crosshair moves"
    why.desk.click(why.panel.follow_button)
    why.wait()
    assert why.questions[-1] == START_NS + 3


def _double_click(why: _Why, name: str) -> None:
    dock = why.desk.window.docks[name]
    dock.show()
    dock.raise_()
    why.desk.tick()
    table = why.desk.panel(name, FillsPanel)
    place = table.view.visualRect(table.model.index(0, 0)).center()
    for click in (QTest.mouseClick, QTest.mouseDClick):
        click(table.view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def test_the_key_explains_the_picked_order_and_without_one_the_crosshair(why: _Why) -> None:
    why.tell(*_story(), first=True)
    why.desk.window.docks["orders"].raise_()
    why.desk.window.docks["why"].hide()
    why.desk.tick()
    table = why.desk.panel("orders", OrdersPanel)
    table.view.selectRow(0)
    table.view.setFocus()
    why.desk.key(Qt.Key.Key_W)
    assert not why.desk.window.docks["why"].isHidden()
    assert why.text.startswith("Order O-1")
    why.desk.window.setFocus()
    why.desk.key(Qt.Key.Key_W)
    assert why.panel.subject.kind == "newest", "the crosshair was nowhere yet"
    why.desk.key(Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
    assert why.panel.subject.kind == "newest"


def test_a_refused_order_says_what_the_gate_said(why: _Why) -> None:
    ts = START_NS + SECOND_NS
    refused = order("O-9", "DENIED", type="MARKET", price=None, reason="NOTIONAL_EXCEEDS_FREE_BALANCE", ts=ts)
    why.tell(
        signal(4, -1, 1, ts=ts),
        refused,
        acted(4, "refused", order_id="O-9", text="The account has too little free money.", ts=ts + 50_000),
    )
    why.panel.explain(refused)
    assert why.line("Risk gate: refused")[-1] == "The account has too little free money."
    assert why.line("Order: BUY 10,000 market")[0] == "Denied 12:00:01.000"
    assert why.line("Order: BUY 10,000 market")[-1] == "NOTIONAL_EXCEEDS_FREE_BALANCE"
    assert "Fill" not in why.text


def test_an_order_denied_after_the_verdict_is_refused_all_the_same(why: _Why) -> None:
    denied = order(
        "O-9", "DENIED", type="MARKET", price=None, reason="MARGIN_EXCEEDS_FREE_BALANCE", ts=START_NS
    )
    why.tell(signal(4, ts=START_NS), acted(4, order_id="O-9", ts=START_NS + 50_000), denied)
    why.panel.explain(denied)
    assert "Risk gate: refused" in why.text
    assert "passed" not in why.text
    assert "MARGIN_EXCEEDS_FREE_BALANCE" in why.text


def test_shadow_and_held_signals_end_at_the_gate(why: _Why) -> None:
    first, second = signal(1, ts=START_NS), signal(2, 0, 1, ts=START_NS + 1)
    why.tell(first, second, acted(1, "shadow", text="Only shown."), acted(2, "held"), first=True)
    why.panel.explain(first)
    assert why.line("Only shown: the model is in shadow")[-1] == "Only shown."
    why.panel.explain(second)
    assert "Nothing to do: already so" in why.text
    third = signal(3, ts=START_NS + 2)
    why.tell(third)
    why.panel.explain(third)
    assert "Not acted on yet" in why.text


@pytest.mark.parametrize(
    ("kind", "prices", "said", "reason"),
    [
        (
            "STOP_MARKET",
            {"price": None, "trigger": Decimal("1.09300")},
            "it stopped what signal 1 opened",
            "The market reached the trigger.",
        ),
        (
            "LIMIT",
            {"price": Decimal("1.09400")},
            "it took the profit of what signal 1 opened",
            "The market came to its limit.",
        ),
    ],
)
def test_an_exit_that_no_signal_caused_says_so(
    why: _Why, kind: str, prices: dict[str, Decimal | None], said: str, reason: str
) -> None:
    ts = START_NS + 30 * SECOND_NS
    ended = order("O-2", "FILLED", side="SELL", type=kind, filled=Decimal(10_000), ts=ts, **prices)  # type: ignore[arg-type]
    left = fill("T-2", "O-2", side="SELL", liquidity="maker", ts=ts)
    why.tell(*_story(), ended, left, first=True)
    why.panel.explain(left)
    assert said in why.text
    assert reason in why.text
    assert "What the model said when it happened" in why.text
    why.wait()
    assert why.questions[-1] == ts


def test_a_stop_that_was_rejected_stopped_nothing(why: _Why) -> None:
    rejected = order("O-2", "REJECTED", side="SELL", type="STOP_MARKET", reason="in the market", ts=NOW)
    why.tell(*_story(), rejected, first=True)
    why.panel.explain(rejected)
    assert "it is the stop of what signal 1 opened" in why.text
    assert "it stopped" not in why.text


def test_an_order_of_a_strategy_without_a_model_is_told_too(why: _Why) -> None:
    sent = order("O-5", type="LIMIT", ts=START_NS)
    why.tell(sent, has_model=False, first=True)
    why.panel.explain(sent)
    assert "No signal caused this order" in why.text
    assert "Limit 1.09350" in why.text
    assert why.questions == []


def test_a_pick_that_a_seek_back_undid_says_so(why: _Why) -> None:
    events = _story()
    why.tell(*events, first=True)
    why.panel.explain(events[-1])  # type: ignore[arg-type]
    why._events = 0
    from engine.messages.events import EpochBegan

    why._events = len(events)
    why.tell(EpochBegan(ts=START_NS, epoch=2), epoch=2, first=True, now=START_NS + SECOND_NS)
    assert "has not happened yet" in why.text


def test_two_subjects_of_one_row_share_its_answer(why: _Why) -> None:
    only = signal(1, ts=NOW)
    why.tell(only)
    why.tell(answer=explanation(NOW))
    why.panel.explain(only)
    assert why.text.startswith("Signal 1, 12:01:00.000")
    assert "imbalance_1" in why.wait()


def test_what_is_said_can_be_copied(why: _Why) -> None:
    why.tell()
    why.tell(answer=explanation(NOW))
    why.panel.page.setFocus()
    why.desk.key(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier, why.panel.page)
    assert "imbalance_1\t0.82\t+0.310" in QGuiApplication.clipboard().text()


def test_the_key_shows_the_inspector(why: _Why) -> None:
    why.desk.window.docks["why"].hide()
    why.desk.key(Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier)
    assert not why.desk.window.docks["why"].isHidden()
    assert isinstance(why.desk.window.deeds, WhyDeeds)
