"""Sets as files: what may stand in them, what their hash covers, and what is said about a mistake."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ai.features import FEATURES, FeatureSet
from ai.features.code_hash import code_hash, normalised
from ai.features.sources import STREAMS
from app.paths import CONFIGS
from engine.errors import UserError
from tests.ai.features.markets import TICK, table

TWO = [{"name": "spread", "unit": "ticks"}, {"name": "return", "window": "10s"}]


def made(*features: dict[str, Any], **given: Any) -> FeatureSet:
    return FeatureSet.of("mine", {"clock": "quotes", "feature": list(features)} | given)


@pytest.mark.parametrize("name", ["tick", "book", "bars", "deeplob"])
def test_the_shipped_sets_load(name: str) -> None:
    features = FeatureSet.load(CONFIGS / "features" / f"{name}.toml")
    assert len(features.outputs) == {"tick": 12, "book": 12, "bars": 16, "deeplob": 40}[name]
    assert len(features.sha256) == 64


def test_every_feature_says_what_a_passport_records() -> None:
    for name, kind in FEATURES.items():
        feature = kind.of({})
        clock = kind.streams[0] if kind.streams[0] in STREAMS else "quotes"
        facts = made({"name": name}, clock=clock, bars="1-MINUTE-MID").entries[0].facts()
        assert facts["parameters"] == feature.parameters()
        assert facts["code"] == code_hash(kind)
        assert facts["lag_rows"] == 0
        assert kind.source
        assert kind.nan
        assert kind.__doc__


def test_the_hash_follows_parameters_order_clock_and_source() -> None:
    hashes = [
        made(*TWO).sha256,
        made(*reversed(TWO)).sha256,
        made(TWO[0], {"name": "return", "window": "11s"}).sha256,
        made(TWO[0], {"name": "return", "window": "10s", "as": "r"}).sha256,
        made(TWO[0], {"name": "return", "window": "10s", "of": "leader"}).sha256,
        made(*TWO, clock="book").sha256,
    ]
    assert len(set(hashes)) == len(hashes)
    assert made(*TWO, title="another title").sha256 == hashes[0]
    assert made(TWO[0] | {"unit": "ticks"}, TWO[1]).sha256 == hashes[0]


SOURCE = '''
from ai.features.values import before

SCALE = 2.0

def change(x):
    """How far it moved."""
    return x - before(x)

class Momentum:
    """Moves."""
    def formula(self, of):
        return change(of.price) * SCALE  # as in the paper
'''


def hash_of(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Hash of class Momentum in a module of this source."""
    path = tmp_path / f"momentum{len(list(tmp_path.iterdir()))}.py"
    path.write_text(source)
    module = ModuleType("ai.features.momentum")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, str(path), "exec"), vars(module))  # noqa: S102 - the text above
    return code_hash(module.Momentum)


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ("# as in the paper", "# another comment", False),
        ('"""Moves."""', '"""Moves, said otherwise."""', False),
        ("x - before(x)", "(x  -  before( x ))".replace("(x  -", "x  -").replace("))", ")"), False),
        ("* SCALE", "/ SCALE", True),
        ("SCALE = 2.0", "SCALE = 3.0", True),
        ("x - before(x)", "before(x) - x", True),
    ],
)
def test_the_hash_follows_the_code_and_what_it_uses_but_not_its_layout(
    old: str, new: str, moves: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hash_of(SOURCE, tmp_path, monkeypatch)
    assert old in SOURCE
    assert (hash_of(SOURCE.replace(old, new), tmp_path, monkeypatch) != first) == moves


def test_a_change_in_the_rolling_sum_would_move_every_feature_that_sums() -> None:
    from ai.features import values

    text = Path(values.__file__).read_text(encoding="utf-8")
    assert normalised(text) != normalised(text.replace('Value("prefix", (x,))', 'Value("suffix", (x,))'))
    assert code_hash(FEATURES["rolling_volume"]) != code_hash(FEATURES["vwap_deviation"])


def test_a_source_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("ai.features.packed")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    module.Packed = type("Packed", (), {"__module__": module.__name__})  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=r"install the station with its \.py files"):
        code_hash(module.Packed)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"feature": [{"name": "sprad"}]}, "choose spread"),
        ({"feature": [{"name": "spread", "unti": "bps"}]}, "choose unit"),
        ({"feature": [{"name": "spread", "unit": "pips"}]}, "must be ticks or bps"),
        ({"feature": [{"name": "mid", "window": 3}]}, "takes no parameters"),
        ({"feature": [{"name": "return", "window": 0}]}, "rows from 1 to 1,000,000 or a time like"),
        ({"feature": [{"name": "return", "window": "10 s"}]}, "rows from 1"),
        ({"feature": [{"name": "imbalance", "levels": 21}]}, "from 1 to 20"),
        ({"feature": [{"name": "imbalance", "levels": 2.5}]}, "a whole number"),
        ({"feature": [{"name": "imbalance", "levels": True}]}, "a whole number"),
        (
            {"feature": [{"name": "macd", "fast": 26, "slow": 12}], "bars": "1-MINUTE-MID"},
            "smaller than slow",
        ),
        ({"feature": [{"name": "imbalance", "on": "quotes"}]}, "reads book, not 'quotes'"),
        ({"feature": [{"name": "atr"}]}, "say which, for example bars"),
        ({"feature": [{"name": "mid"}, {"name": "mid"}]}, "as = "),
        ({"feature": [{"name": "mid", "as": "ts"}]}, "two columns 'ts'"),
        ({"feature": [{"name": "mid", "of": "a b"}]}, "role is one word"),
        ({"feature": []}, "lists no features"),
        ({"clock": "tick", "feature": TWO}, "clock"),
        ({"colck": "quotes", "feature": TWO}, "choose clock"),
    ],
)
def test_a_mistake_in_a_set_is_one_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        FeatureSet.of("mine", given)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        FeatureSet.load(tmp_path / "none.toml")
    path = tmp_path / "bad.toml"
    path.write_text("clock = ")
    with pytest.raises(UserError, match="is not TOML"):
        FeatureSet.load(path)


def test_a_table_or_a_column_that_is_missing_is_said() -> None:
    features = made({"name": "mid"}, {"name": "return", "of": "leader"})
    with pytest.raises(UserError, match=r"reads leader\.quotes, of which nothing was given"):
        features.batch({"quotes": table("quotes", 3)}, TICK)
    with pytest.raises(UserError, match="lacks the column 'ask_size'"):
        features.batch({"quotes": table("quotes", 3).drop("ask_size")}, TICK)


def test_the_batch_form_is_lazy_and_may_be_sliced() -> None:
    features = made(*TWO)
    frame = features.batch({"quotes": table("quotes", 300)}, TICK)
    whole = frame.collect()
    assert frame.tail(3).collect().equals(whole.tail(3), null_equal=True)
    assert frame.select("spread_ticks").collect().equals(whole.select("spread_ticks"))
    assert whole.null_count().sum_horizontal().item() == 0
