"""What the window keeps of models and signals, and when it forgets it."""

from decimal import Decimal

from app.state.session import SessionState
from engine.link.scripted import (
    EURUSD,
    acted,
    arming,
    explanation,
    frame,
    judged,
    model_health,
    order,
    predictions,
    scripted_session,
    signal,
)
from engine.messages.events import AnyEvent, EpochBegan
from engine.messages.frames import Outcomes
from engine.messages.wire import decode_frame, encode

ROW = (1_000, 0.1, 0.25, 0.65, 0.55)


def test_predictions_are_appended_and_what_was_left_out_is_counted() -> None:
    state = SessionState()
    signals = state.signals.of(EURUSD.id)
    state.apply(frame(1, predictions=[predictions([ROW, (2_000, 0.2, 0.3, 0.5, 0.3)], conflated=7)]))
    state.apply(frame(2, predictions=[predictions([(3_000, 0.3, 0.3, 0.4, 0.1)], conflated=2)]))
    assert signals.predictions.rows["ts"].tolist() == [1_000, 2_000, 3_000]
    assert signals.predictions.conflated == 9
    assert (signals.enter, signals.exit) == (0.55, 0.4)
    envelope = signals.predictions.envelope("up", 0, 4_000, 1)
    assert (round(envelope.low[0], 3), round(envelope.high[0], 3)) == (0.4, 0.65)


def test_a_regression_has_no_probabilities_but_a_score() -> None:
    nan = float("nan")
    state = SessionState()
    state.apply(frame(predictions=[predictions([(1_000, nan, nan, nan, -2.5), (2_000, nan, nan, nan, 1.0)])]))
    tape = state.signals.of(EURUSD.id).predictions
    envelope = tape.envelope("score", 0, 4_000, 1)
    assert (envelope.low[0], envelope.high[0]) == (-2.5, 1.0)


def test_a_signal_is_joined_with_what_became_of_it() -> None:
    state = SessionState()
    events: list[AnyEvent] = [
        signal(1, ts=10),
        acted(1, order_id="O-7", ts=11),
        order("O-7", "FILLED"),
        signal(2, 0, 1, ts=20),
        acted(2, "shadow", ts=21),
        judged(1, hit=False, ts=30),
    ]
    state.apply(frame(events=events))
    signals = state.signals.of(EURUSD.id)
    first, second = signals.records.rows
    assert first.acted is not None
    assert first.acted.order_id == "O-7"
    assert first.judged is not None
    assert not first.judged.hit
    assert first.order is not None
    assert first.order.status == "FILLED"
    assert second.acted is not None
    assert (second.acted.verdict, second.order, second.judged) == ("shadow", None, None)
    assert signals.marks["ts"].tolist() == [10, 20]
    assert signals.marks["direction"].tolist() == [1, 0]
    assert signals.marks["previous"].tolist() == [0, 1]
    assert signals.marks["traded"].tolist() == [True, False]


def test_an_order_that_fills_later_is_the_signals_too() -> None:
    state = SessionState()
    state.apply(frame(events=[signal(1), acted(1), order("O-1", "SUBMITTED"), order("O-9", "FILLED")]))
    records = state.signals.of(EURUSD.id).records
    seen = records.version
    state.apply(frame(2, first_event=5, events=[order("O-1", "FILLED", average_price=Decimal("1.0937"))]))
    assert records.changed_since(seen) == [0]
    made = records["1"].order
    assert made is not None
    assert made.average_price == Decimal("1.0937")


def test_news_of_an_unknown_signal_is_passed_over() -> None:
    state = SessionState()
    state.apply(frame(events=[acted(5), judged(6)]))
    assert len(state.signals.of(EURUSD.id).records) == 0


def test_a_new_epoch_begins_with_neither_rows_nor_signals() -> None:
    state = SessionState()
    state.apply(
        frame(
            predictions=[predictions([ROW], outcomes=Outcomes(rows=4))],
            models=[model_health()],
            explanation=explanation(),
            events=[arming("shadow"), signal(1), acted(1)],
        )
    )
    signals = state.signals.of(EURUSD.id)
    records, rows = signals.records, signals.predictions
    state.apply(frame(2, epoch=2, instruments=[EURUSD], first_event=4, events=[EpochBegan(ts=0, epoch=2)]))
    assert (len(signals.predictions), signals.outcomes, len(signals.marks)) == (0, None, 0)
    assert len(signals.records) == 0
    # A reader who counts rows sees that they are others.
    assert signals.records is not records
    assert signals.predictions is not rows
    assert (state.signals.models, state.signals.explanation, state.signals.arming) == ([], None, None)
    state.apply(frame(3, epoch=2, first_event=5, events=[signal(1, -1), acted(1)]))
    assert [record.signalled.direction for record in signals.records.rows] == [-1]


def test_a_watch_that_begins_again_keeps_the_signals() -> None:
    """Frames come again from the start of the epoch, events do not."""
    state = SessionState()
    state.apply(frame(predictions=[predictions([ROW])], events=[signal(1)]))
    state.apply(frame(2, instruments=[EURUSD], predictions=[predictions([ROW])]))
    signals = state.signals.of(EURUSD.id)
    assert (len(signals.predictions), len(signals.records)) == (1, 1)


def test_health_explanation_and_arming_are_the_latest() -> None:
    assert SessionState().signals.arming is None
    state = SessionState()
    state.apply(frame(1, models=[model_health(arming="armed")], explanation=explanation(1_000)))
    armings = [state.signals.arming]
    state.apply(frame(2, models=[model_health("second")], events=[arming("off", "rule", reason="NaN")]))
    armings.append(state.signals.arming)
    assert armings == ["armed", "off"]
    assert state.signals.arming_changed is not None
    assert state.signals.arming_changed.reason == "NaN"
    state.apply(frame(3))  # a frame without a picture says nothing about the models
    assert [model.name for model in state.signals.models] == ["second"]
    assert state.signals.explanation is not None
    assert state.signals.explanation.asked_ts == 1_000


def test_the_scripted_model_agrees_with_its_trader() -> None:
    """Each signal names the order that fills on its side, and the outcomes count what was told."""
    state = SessionState()
    for made in scripted_session(3, 200, model=True):
        state.apply(decode_frame(encode(made)))
    signals = state.signals.of(EURUSD.id)
    assert len(signals.records) == 16
    assert len(signals.predictions) == 4_000
    held = 0
    for record in signals.records.rows:
        told = record.signalled
        assert told.previous == held
        held = told.direction
        assert record.acted is not None
        assert record.order is not None
        assert record.order.order_id == record.acted.order_id
        assert record.order.status == "FILLED"
        assert record.order.side == ("BUY" if told.direction > told.previous else "SELL")
    verdicts = [record.judged.hit for record in signals.records.rows if record.judged is not None]
    assert signals.outcomes is not None
    assert (signals.outcomes.signals, signals.outcomes.hits) == (len(verdicts), sum(verdicts))
    assert signals.outcomes.rows == sum(group.count for group in signals.outcomes.bins) == 3_980
