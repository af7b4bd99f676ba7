"""The prefix probe passes every feature and catches those that know the future."""

from dataclasses import dataclass

import numpy as np
import pytest

from ai.features import Entry, Feature, FeatureSet, Line, Market
from ai.features.proof import look_ahead
from ai.features.sources import Source
from ai.features.values import OPERATIONS, Floats, Operation, Value
from tests.ai.features.markets import TICK, everything, table


def _next_row(x: Floats, out: Floats) -> None:
    out[:-1] = x[1:]
    out[-1] = np.nan


def _less_the_mean_of_all(x: Floats, out: Floats) -> None:
    out[:] = x - x.mean()


@dataclass(frozen=True)
class Cheat(Feature):
    name = "cheat"
    streams = ("quotes",)
    source = nan = "none"

    operation: str = "next_row"

    def formula(self, of: Source, market: Market) -> tuple[Value, ...]:
        return (Value(self.operation, (of.price,)),)


@pytest.mark.parametrize("how", [_next_row, _less_the_mean_of_all])
def test_a_feature_that_looks_ahead_is_caught(how: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPERATIONS, "cheating", Operation("{0}", how))  # type: ignore[arg-type]
    honest = FeatureSet.of("honest", {"clock": "quotes", "feature": [{"name": "mid"}]})
    cheat = Entry(Cheat("cheating"), Line("", "quotes"), ("cheat",))
    features = FeatureSet("both", "", "quotes", "", (*honest.entries, cheat))
    found = look_ahead(features, {"quotes": table("quotes", 500)}, TICK)
    assert list(found) == ["cheat"]


@pytest.mark.parametrize("clock", ["quotes", "trades", "book", "bars"])
def test_no_feature_looks_ahead_at_any_row(clock: str) -> None:
    features = everything(clock)
    assert look_ahead(features, {clock: table(clock, 70)}, TICK, rows=range(70)) == {}


def test_rows_of_another_stream_at_the_same_time_are_not_seen() -> None:
    given = {"clock": "quotes", "feature": [{"name": "rolling_volume", "window": 1, "on": "trades"}]}
    features = FeatureSet.of("joined", given)
    quotes = table("quotes", 3).collect()
    trades = table("trades", 3).collect()
    ts = [100, 200, 300]
    tables = {
        "quotes": quotes.with_columns(ts=np.array(ts)).lazy(),
        "trades": trades.with_columns(ts=np.array([100, 200, 200]), size=np.array([1.0, 2.0, 4.0])).lazy(),
    }
    values = features.batch(tables, TICK).collect()["rolling_volume_1"].to_list()
    assert np.isnan(values[0])
    assert values[1:] == [1.0, 4.0]
