"""Rates of a store: direct, inverted, through a third currency, and never from the future."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.cross_asset.conversion import CurrencyConverter, Step, way
from engine.errors import UserError
from engine.store import Store
from tests.engine.cross_asset.test_merging import instrument, quotes


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.add(instrument("EURUSD.A"), {"quotes": quotes([10, 20], bid=109_999)})  # mids 1.100005, 1.100015
    store.add(instrument("USDJPY.A"), {"quotes": quotes([15], bid=14_999_999)})  # mid 150.000005
    return store


def test_the_shortest_way_is_taken(store: Store) -> None:
    known = [store.instrument(name) for name in store.instruments()]
    assert way(known, "EUR", "JPY") == [Step("EURUSD.A", inverted=False), Step("USDJPY.A", inverted=False)]
    assert way(known, "JPY", "EUR") == [Step("USDJPY.A", inverted=True), Step("EURUSD.A", inverted=True)]
    assert way(known, "USD", "USD") == []
    with pytest.raises(UserError, match="from EUR to CHF; import quotes of EURCHF"):
        way(known, "EUR", "CHF")


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


def test_many_times_at_once_agree_with_one(store: Store) -> None:
    converter = CurrencyConverter(store, "JPY")
    found = converter.rates("EUR", np.array([9, 12, 15, 25], np.int64))
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(float(converter.rate("EUR", 15)))
    assert found[3] == pytest.approx(float(converter.rate("EUR", 25)))
