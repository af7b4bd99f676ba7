"""The model strip: whether a model trades in a word, its figures, the health of its inputs, three buttons."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt

from engine.link.scripted import frame, scripted_session
from engine.link.signal_builders import arming, model_health
from engine.messages.commands import SetArming
from engine.messages.events import AnyEvent, Phase
from engine.messages.frames import InputHealth, ModelHealth
from engine.messages.run import Arming, Inference, ModelUse, Run
from tests.gui.conftest import Desk
from widgets.model.strip import ModelPanel

RUN = Run(
    instrument="EURUSD.SIM",
    simulate="fx",
    strategy="ai_signal",
    inference=Inference(models=(ModelUse(file="demo.onnx"),)),
)
MINUTE_NS = 60_000_000_000


class _Strip:
    """The strip in a window whose session told what the test says."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.station.open_run(RUN)
        desk.window.docks["model_strip"].raise_()
        self.panel = desk.panel("model_strip", ModelPanel)
        self._frames = self._events = 0

    def tell(
        self, *models: ModelHealth, events: Sequence[AnyEvent] = (), after_ns: int = 0, epoch: int = 1
    ) -> str:
        """Let a frame bring this; gives what the strip says then."""
        self._frames += 1
        news = frame(
            self._frames,
            events=events,
            first_event=self._events + 1,
            phase=Phase.PAUSED,
            models=list(models),
            epoch=epoch,
        )
        self._events += len(events)
        clock = replace(news.transport, now=news.transport.start + after_ns)
        self.desk.link.push(replace(news, transport=clock))
        self.desk.tick_later()
        return self.panel.page.text

    def line(self, label: str) -> list[str]:
        """Columns of the line that begins with this."""
        found = [row for row in self.panel.page.text.split("\n") if row.split("\t")[0] == label]
        assert found, f"{label!r} is not in:\n{self.panel.page.text}"
        return found[0].split("\t")[1:]


@pytest.fixture
def strip(desk: Desk) -> _Strip:
    return _Strip(desk)


def test_without_a_model_it_says_what_would_fill_it(strip: _Strip) -> None:
    assert "Drop a model file" in strip.tell()
    assert not any(button.isEnabled() for button in strip.panel.buttons.values())


@pytest.mark.parametrize(
    ("mode", "word", "token"),
    [("armed", "ARMED", "signal"), ("shadow", "SHADOW", "signal"), ("off", "OFF", "quiet")],
)
def test_whether_it_trades_is_one_word_and_one_colour(
    strip: _Strip, mode: Arming, word: str, token: str
) -> None:
    said = strip.tell(model_health(arming=mode))
    assert said.startswith(f"{word}\t")
    assert strip.panel.buttons[mode].isChecked()
    assert [m for m, button in strip.panel.buttons.items() if button.isChecked()] == [mode]
    assert _ground(strip, token) == (mode == "armed")


def _ground(strip: _Strip, token: str) -> bool:
    """Whether the state's line is filled with this colour."""
    picture = strip.panel.page.grab().toImage()
    return picture.pixelColor(picture.width() // 2, 10) == strip.desk.station.theme.colour(token)


def test_what_a_rule_disarmed_is_red_and_says_why(strip: _Strip) -> None:
    strip.tell(model_health())
    reason = "Input spread_ticks has no value; look at the data, then arm the model again."
    said = strip.tell(model_health(arming="off"), events=[arming("off", "rule", reason=reason)])
    assert said.split("\n")[:2] == ["DISARMED\tby a rule", reason]
    assert _ground(strip, "danger")
    said = strip.tell(model_health(arming="off"), events=[arming("off", "person")])
    assert reason not in said
    assert said.startswith("OFF")


def test_a_disarming_is_said_above_all_panels_once(strip: _Strip) -> None:
    window = strip.desk.window
    strip.tell(model_health())
    strip.tell(model_health(arming="off"), events=[arming("off", "rule", reason="Input return_10 drifted.")])
    assert window.top.banner.text == "A rule disarmed the model. Input return_10 drifted."
    window.docks["strategy"].raise_()
    strip.desk.click(window.top.banner.action)
    strip.desk.tick_later()
    assert window.hosts["model_strip"].is_seen()
    assert window.top.banner.text == ""
    strip.tell(model_health(arming="off"), events=[arming("off", "rule", reason="Again.")])
    assert "Again." in window.top.banner.text
    strip.tell(model_health(), events=[arming("armed")])
    assert window.top.banner.text == "", "what is armed again needs no warning"


def test_the_status_line_has_a_models_figures_only_while_there_is_one(strip: _Strip) -> None:
    status = strip.desk.window.status
    strip.tell()
    assert not {"Model drops", "Inference p99"} & set(status.values)
    strip.tell(model_health(dropped=0))
    assert (status.values["Model drops"], status.values["Inference p99"]) == ("0", "9.4 µs")
    strip.tell(model_health(dropped=1_234))
    assert status.values["Model drops"] == "1,234"


def test_a_session_with_a_model_brings_its_strip_to_the_front_once(desk: Desk) -> None:
    desk.station.open_run(RUN)
    desk.window.docks["strategy"].raise_()
    desk.link.push(frame(1, models=[model_health()]))
    desk.tick_later()
    assert desk.window.hosts["model_strip"].is_seen()
    desk.window.docks["strategy"].raise_()
    desk.link.push(frame(2, models=[model_health()]))
    desk.tick_later()
    assert not desk.window.hosts["model_strip"].is_seen()


def test_a_watcher_who_joins_late_reads_the_reason_too(strip: _Strip) -> None:
    said = strip.tell(model_health(arming="off", reason="Too many NaN."))
    assert said.split("\n")[:2] == ["DISARMED\tby a rule", "Too many NaN."]


def test_every_figure_is_shown_zero_included(strip: _Strip) -> None:
    strip.tell(model_health(predictions=12_345, signals=7))
    assert strip.line("Runs on") == ["onnxruntime · cpu", "tick by tick"]
    assert strip.line("Predictions") == ["12,345", "7 signals"]
    assert strip.line("Dropped") == ["0"]
    assert strip.line("Queued") == ["0"]
    assert strip.line("Signal latency") == ["50.0 µs"]
    assert strip.line("Memory") == ["46.0 MB"]
    assert strip.line("GPU memory") == ["–"]
    assert strip.line("Warm-up") == ["done"]
    assert strip.line("Inference") == ["12,345", "6.2 µs", "9.4 µs"]
    assert strip.line("Signal to order") == ["7", "21.0 µs", "48.0 µs"]


def test_tags_say_what_its_profit_does_not_prove(strip: _Strip) -> None:
    said = strip.tell(model_health(simulated=True, in_sample=True))
    assert "trained on simulated data, in-sample" in said
    assert "trained on" not in strip.tell(model_health(simulated=False))


def test_an_old_prediction_is_stale_and_counts(strip: _Strip) -> None:
    strip.tell(model_health(predictions=6_000, age_ms=40.0), after_ns=MINUTE_NS)
    assert strip.line("Last prediction") == ["40.00 ms ago"]
    strip.tell(model_health(predictions=6_000, age_ms=7_000.0), after_ns=MINUTE_NS)
    assert strip.line("Last prediction") == ["stale 7 s"]
    strip.tell(model_health(predictions=6_000, age_ms=9_000.0), after_ns=MINUTE_NS)
    assert strip.line("Last prediction") == ["stale 9 s"]


def test_a_model_of_slow_bars_is_not_stale_between_them(strip: _Strip) -> None:
    strip.tell(model_health(predictions=10, age_ms=50_000.0), after_ns=10 * MINUTE_NS)
    assert strip.line("Last prediction") == ["50.00 s ago"]


def test_predictions_per_second_are_counted_over_real_time(desk: Desk) -> None:
    now = [100.0]
    panel = ModelPanel(desk.station.theme, clock=lambda: now[0])
    desk.window.deeds.load_layout_named("model")
    desk.window.hosts["model_strip"].replace(panel)
    desk.station.open_run(RUN)
    desk.link.push(frame(1, models=[model_health(predictions=1_000)]))
    desk.tick()
    now[0] += 2.0
    desk.link.push(frame(2, models=[model_health(predictions=4_000)]))
    desk.tick()
    assert "Predictions/s\t1,500" in panel.page.text


def test_inputs_stand_worst_first_with_a_word_for_their_drift(strip: _Strip) -> None:
    inputs = [
        InputHealth("alike", psi=0.05),
        InputHealth("drifted", psi=0.4),
        InputHealth("unknown"),
        InputHealth("shifting", psi=0.2, out_of_range=12),
        InputHealth("hollow", nans=3, psi=0.01),
        InputHealth("edge", psi=0.25),
    ]
    said = strip.tell(model_health(inputs=inputs)).split("\n")
    first = next(place for place, row in enumerate(said) if row.startswith("Inputs")) + 2
    assert [row.split("\t") for row in said[first:]] == [
        ["drifted", "0", "0", "0.400", "drifted"],
        ["hollow", "3", "0", "0.010", "alike"],
        ["edge", "0", "0", "0.250", "shifting"],
        ["shifting", "0", "12", "0.200", "shifting"],
        ["alike", "0", "0", "0.050", "alike"],
        ["unknown", "0", "0", "–", "–"],
    ]


def test_many_inputs_are_cut_to_the_worst_until_all_are_asked_for(strip: _Strip) -> None:
    inputs = [InputHealth(f"input_{at}", psi=at / 100) for at in range(40)]
    said = strip.tell(model_health(inputs=inputs))
    assert "input_39" in said
    assert "input_3\t" not in said
    assert "34 more" in said
    strip.desk.click(strip.panel.all_inputs)
    assert "input_3\t" in strip.panel.page.text
    assert "more;" not in strip.panel.page.text


def test_each_model_of_an_ensemble_has_its_part(strip: _Strip) -> None:
    other = replace(model_health("Second"), sha256="7a" * 32, dropped=5)
    said = strip.tell(model_health("First"), other)
    assert said.index("First") < said.index("Second")
    assert "Dropped\t5" in said[said.index("Second") :]
    assert said.count("ARMED") == 1


def test_the_buttons_ask_the_engine_and_show_what_it_says(strip: _Strip) -> None:
    strip.tell(model_health())
    for mode in ("shadow", "off", "armed"):
        strip.desk.click(strip.panel.buttons[mode])
    assert [c.mode for c in strip.desk.sent if isinstance(c, SetArming)] == ["shadow", "off", "armed"]
    strip.desk.click(strip.panel.buttons["off"])
    assert strip.panel.buttons["armed"].isChecked()
    strip.tell(model_health(arming="off"), events=[arming("off")])
    assert strip.panel.buttons["off"].isChecked()


def test_keys_reach_the_strip_and_its_buttons(strip: _Strip) -> None:
    strip.tell(model_health())
    strip.desk.window.docks["model_strip"].hide()
    strip.desk.key(Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier)
    assert not strip.desk.window.docks["model_strip"].isHidden()
    button = strip.panel.buttons["shadow"]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    strip.desk.key(Qt.Key.Key_Return, widget=button)
    assert SetArming("shadow") in strip.desk.sent


def test_the_strip_of_a_silent_engine_counts_its_age(strip: _Strip) -> None:
    strip.tell(model_health())
    strip.desk.link.fall_silent(12.0)
    strip.desk.tick_later()
    assert strip.panel._stale.text == "Stale 12 s"


def test_a_new_epoch_drops_what_was_told(strip: _Strip) -> None:
    strip.desk.link.push(*scripted_session(3, 40, model=True)[:-1])
    strip.desk.tick_later()
    assert "Demo MLP" in strip.panel.page.text
    strip.desk.station.open_run(RUN)
    strip.desk.tick_later()
    assert "No model" in strip.panel.page.text
