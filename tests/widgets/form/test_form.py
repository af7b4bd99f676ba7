"""The generated form: parameters go in and come out unchanged; what is out of range is one sentence."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from engine.strategies import STRATEGIES, parse_parameters
from widgets.form import FormError, ParameterForm
from widgets.form.fields import fields_of


class _Parameters(msgspec.Struct):
    fast: Annotated[int, Meta(ge=1, le=200, title="Fast period", description="Ticks in it.")] = 10
    ratio: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    quiet: bool = True
    on: Literal["bid", "ask"] = "ask"
    name: str = "x"


@pytest.fixture
def form(qtbot: QtBot) -> ParameterForm:
    made = ParameterForm()
    qtbot.addWidget(made)
    made.set_schema(msgspec.json.schema(_Parameters))
    return made


def test_defaults_come_back_typed(form: ParameterForm) -> None:
    values = form.values()
    assert values == {"fast": 10, "ratio": 0.5, "quiet": True, "on": "ask", "name": "x"}
    assert [type(value) for value in values.values()] == [int, float, bool, str, str]
    assert msgspec.convert(values, _Parameters) == _Parameters()


def test_titles_and_descriptions_are_shown(form: ParameterForm) -> None:
    label = next(label for label in form.findChildren(QLabel) if label.text() == "Fast period")
    assert label.toolTip() == "Ticks in it. — 1 to 200"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("fast", "0", "Fast period must be 1 to 200, not 0."),
        ("fast", "201", "Fast period must be 1 to 200, not 201."),
        ("fast", "1.5", "Fast period must be a whole number, not '1.5'."),
        ("fast", "", "Fast period must be a whole number, not ''."),
        ("ratio", "1", "ratio must be above 0 and below 1, not 1."),
        ("ratio", "nan", "ratio must be a number, not 'nan'."),
        ("ratio", "much", "ratio must be a number, not 'much'."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    form: ParameterForm, name: str, text: str, sentence: str
) -> None:
    form.set_value(name, text)
    assert form.error == sentence
    with pytest.raises(FormError, match=r"must be"):
        form.values()
    form.set_value(name, "0.5" if name == "ratio" else "7")
    assert form.error == ""


def test_values_that_do_not_go_together_are_refused_too(qtbot: QtBot) -> None:
    form = ParameterForm(lambda values: "fast is too fast." if values["fast"] == 7 else "")
    qtbot.addWidget(form)
    form.set_schema(msgspec.json.schema(_Parameters))
    form.set_value("fast", "7")
    assert form.error == "fast is too fast."


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_has_a_form_that_round_trips(qtbot: QtBot, name: str) -> None:
    kind = STRATEGIES[name].parameters
    form = ParameterForm()
    qtbot.addWidget(form)
    form.set_schema(msgspec.json.schema(kind))
    assert parse_parameters(name, form.values()) == kind()
    assert all(field.description for field in fields_of(msgspec.json.schema(kind)))


def test_another_schema_takes_the_place_of_the_first(form: ParameterForm) -> None:
    form.set_value("fast", "0")
    form.set_schema(msgspec.json.schema(_Parameters), {"fast": 33})
    assert form.values()["fast"] == 33
    assert form.error == ""
    assert len([label for label in form.findChildren(QLabel) if label.text() == "Fast period"]) == 1


def test_what_a_zero_means_stands_under_its_field(qtbot: QtBot) -> None:
    form = ParameterForm()
    qtbot.addWidget(form)
    form.set_schema(msgspec.json.schema(STRATEGIES["ema_cross"].parameters))
    notes = [label.text() for label in form.findChildren(QLabel)]
    assert "0 is about 1 % of the starting balance" in notes
    form.set_schema(msgspec.json.schema(_Parameters))
    assert len(form.values()) == 5
