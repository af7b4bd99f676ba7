"""Strategies as forms and command lines see them."""

from decimal import Decimal

import pytest

from engine.errors import UserError
from engine.strategies import STRATEGIES, Value, describe, parse_parameters


def test_every_parameter_has_what_a_form_needs() -> None:
    for name, spec in STRATEGIES.items():
        for parameter in describe(name):
            assert parameter.title
            assert parameter.description.endswith(".")
            assert parameter.kind in {"int", "float", "decimal", "text", "choice", "bool"}
            if parameter.kind in {"int", "float"}:
                assert parameter.minimum is not None
                assert parameter.maximum is not None
                assert parameter.minimum <= parameter.default <= parameter.maximum
        assert spec.summary.endswith(".")
        assert parse_parameters(name, {}) == spec.parameters()


def test_typed_text_becomes_exact_values_and_back() -> None:
    given: dict[str, Value] = {"fast": "10", "slow": 20, "on": "bars", "trade_size": "0.10"}
    parsed = parse_parameters("ema_cross", given)
    values = parsed.builtins()
    assert values["fast"] == 10
    assert values["trade_size"] == "0.10"
    assert parse_parameters("ema_cross", values) == parsed
    assert getattr(parsed, "trade_size") == Decimal("0.10")  # noqa: B009 - the base knows no fields


@pytest.mark.parametrize(
    ("strategy", "given", "words"),
    [
        ("ema", {}, "ema_cross"),
        ("ema_cross", {"fsat": 3}, "choose fast"),
        ("ema_cross", {"fast": "ten"}, "whole number from 1 to 100,000"),
        ("ema_cross", {"fast": 1.5}, "whole number"),
        ("ema_cross", {"fast": 50, "slow": 50}, "smaller than slow=50"),
        ("ema_cross", {"on": "tick"}, "bars or ticks"),
        ("ema_cross", {"bar": "7-MINUTE-MID"}, "choose"),
        ("ema_cross", {"trade_size": "-1"}, "0 or more"),
        ("ema_cross", {"trade_size": "NaN"}, "0 or more"),
        ("book_imbalance", {"threshold": 1}, "between 0 and 1"),
        ("none", {"fast": 1}, "takes no parameters"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_right(
    strategy: str, given: dict[str, int | float | str | bool], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        parse_parameters(strategy, given)
