"""Rates of a store: direct, inverted, through a third currency, the freshest, and never from the future."""

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Columns
from engine.cross_asset.conversion import CurrencyConverter
from engine.errors import UserError
from engine.store import Store
from engine.store import schema as stored_schema
from engine.store.row_groups import RowGroup, read_rows
from tests.engine.cross_asset.test_merging import instrument, quotes

DAY_NS = 86_400_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.add(instrument("EURUSD.A"), {"quotes": quotes([10, 20], bid=109_999)})  # mids 1.100005, 1.100015
    store.add(instrument("USDJPY.A"), {"quotes": quotes([15], bid=14_999_999)})  # mid 150.000005
    return store


def used(store: Store, source: str, target: str, ts_ns: int, oldest_ns: int = DAY_NS) -> list[str]:
    way = CurrencyConverter(store, target, oldest_ns).way(source, ts_ns)
    return [f"{'1/' if step.inverted else ''}{step.instrument}" for step in way]


def test_the_shortest_way_is_taken(store: Store) -> None:
    assert used(store, "EUR", "JPY", 20) == ["EURUSD.A", "USDJPY.A"]
    assert used(store, "JPY", "EUR", 20) == ["1/USDJPY.A", "1/EURUSD.A"]
    assert used(store, "USD", "USD", 20) == []
    store.add(instrument("EURJPY.A"), {"quotes": quotes([18])})
    assert used(store, "EUR", "JPY", 17) == ["EURUSD.A", "USDJPY.A"]
    assert used(store, "EUR", "JPY", 18) == ["EURJPY.A"]
    with pytest.raises(UserError, match="from EUR to CHF; import quotes of EURCHF"):
        used(store, "EUR", "CHF", 20)


def test_of_the_same_currencies_the_freshest_rate_counts(store: Store) -> None:
    store.add(instrument("EURUSD.B"), {"quotes": quotes([12])})
    perpetual = msgspec.structs.replace(instrument("EURUSD.AA"), kind="perpetual")
    store.add(perpetual, {"quotes": quotes([20, 30])})
    taken = {ts: used(store, "EUR", "USD", ts) for ts in (11, 12, 20, 30)}
    assert taken == {11: ["EURUSD.A"], 12: ["EURUSD.B"], 20: ["EURUSD.A"], 30: ["EURUSD.AA"]}


def test_amounts_are_exact_at_the_rate_of_the_time(store: Store) -> None:
    dollars = CurrencyConverter(store, "USD")
    assert dollars.convert(Decimal(200), "EUR", 19) == Decimal("220.001000")
    assert dollars.convert(Decimal(200), "EUR", 20) == Decimal("220.003000")
    assert dollars.rate("USD", 0) == 1
    euros = CurrencyConverter(store, "EUR")
    assert euros.rate("JPY", 30) == 1 / Decimal("150.000005") / Decimal("1.100015")


def test_a_rate_is_never_from_the_future(store: Store) -> None:
    with pytest.raises(UserError, match=r"USDJPY\.A begin at 1970"):
        CurrencyConverter(store, "JPY").rate("USD", 14)


def test_a_rate_that_is_too_old_is_refused(store: Store) -> None:
    late = 20 + 3 * DAY_NS
    assert used(store, "EUR", "USD", late, 3 * DAY_NS) == ["EURUSD.A"]
    with pytest.raises(UserError, match=r"last rate of EURUSD\.A .* is of 1970-01-01T00:00:00 .* 3 d old"):
        CurrencyConverter(store, "USD").rate("EUR", late + 1)
    store.add(instrument("EURGBP.A"), {"quotes": quotes([late])})
    store.add(instrument("GBPUSD.A"), {"quotes": quotes([late])})
    assert used(store, "EUR", "USD", late + 1) == ["EURGBP.A", "GBPUSD.A"]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_many_times_at_once_agree_with_one(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    times = st.lists(st.integers(0, 30), min_size=1, max_size=30).map(sorted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_schema, "ROW_GROUP_ROWS", data.draw(st.integers(1, 7)))
        for name in ("EURUSD.A", "EURUSD.B", "USDJPY.A", "EURGBP.A", "GBPJPY.A"):
            store.add(instrument(name), {"quotes": quotes([t * DAY_NS // 5 for t in data.draw(times)])})
    oldest = data.draw(st.integers(1, 10)) * DAY_NS // 5
    converter = CurrencyConverter(store, "JPY", oldest)
    at = np.arange(32) * DAY_NS // 5
    for ts, rate in zip(at.tolist(), converter.rates("EUR", at), strict=True):
        if np.isnan(rate):
            with pytest.raises(UserError):
                converter.rate("EUR", ts)
        else:
            assert rate == pytest.approx(float(converter.rate("EUR", ts)))


def test_only_what_lies_around_the_time_is_read(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stored_schema, "ROW_GROUP_ROWS", 10)
    store.add(instrument("GBPUSD.A"), {"quotes": quotes(list(range(1000)))})
    store.add(instrument("AUDNZD.A"), {"quotes": quotes([5])})  # leads nowhere
    (tmp_path / "AUDNZD.A" / "quotes" / "1970-01-01.parquet").write_bytes(b"")
    read: list[int] = []

    def reading(kind: str, group: RowGroup) -> Columns:
        read.append(group.rows)
        return read_rows(kind, group)

    monkeypatch.setattr("engine.store.stream.read_rows", reading)
    assert CurrencyConverter(store, "USD").way("GBP", 555)[0].ts_ns == 555
    assert sum(read) <= 20
