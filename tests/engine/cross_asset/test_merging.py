"""Several instruments as one sequence: the tie rule, and the same answer however the rows are stored."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.columns import Quotes
from engine.cross_asset.merging import merge_order, merged
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.store import Store
from engine.store import schema as stored_schema

DAY_NS = 86_400_000_000_000


def instrument(name: str) -> Instrument:
    return Instrument(
        id=name,
        kind="fx",
        base=name[:3],
        quote=name[3:6],
        price_precision=5,
        size_precision=0,
        tick_size=Decimal("0.00001"),
        lot_size=Decimal(1000),
    )


def quotes(ts: list[int], bid: int = 100_000) -> Quotes:
    times = np.array(ts, np.int64)
    number = np.arange(1, len(ts) + 1, dtype=np.int64)
    return Quotes(
        ts_event=times,
        ts_init=times,
        bid=bid + number,
        ask=bid + number + 1,
        bid_size=number,
        ask_size=number,
        price_precision=5,
        size_precision=0,
    )


@given(st.lists(st.lists(st.integers(0, 20), max_size=15).map(sorted), min_size=1, max_size=4))
def test_ties_follow_the_order_of_naming_then_of_storing(several: list[list[int]]) -> None:
    which, row = merge_order([np.array(each, np.int64) for each in several])
    expected = sorted((t, i, n) for i, each in enumerate(several) for n, t in enumerate(each))
    assert list(zip(which.tolist(), row.tolist(), strict=True)) == [(i, n) for _, i, n in expected]


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_stored_rows_come_in_one_order_however_they_are_grouped(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = ["EURUSD.A", "GBPUSD.A", "USDJPY.A"]
    times = {
        name: sorted(
            data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=40)), key=lambda t: t * DAY_NS // 10
        )
        for name in names
    }
    store = Store(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_schema, "ROW_GROUP_ROWS", data.draw(st.integers(1, 7)))
        for name, each in times.items():
            store.add(instrument(name), {"quotes": quotes([t * DAY_NS // 10 for t in each])})
    found = [
        (int(ts), names[which], int(part.parts[which].bid_size[row]))
        for part in merged(store, names, "quotes")
        for ts, which, row in zip(part.ts_event, part.which, part.row, strict=True)
    ]
    expected = sorted(
        (t * DAY_NS // 10, names.index(name), n)
        for name, each in times.items()
        for n, t in enumerate(each, 1)
    )
    assert found == [(ts, names[place], n) for ts, place, n in expected]


def test_a_range_is_cut_by_event_time(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("EURUSD.A", "GBPUSD.A"):
        store.add(instrument(name), {"quotes": quotes([1, 5, 5 * DAY_NS, 6 * DAY_NS])})
    parts = list(merged(store, ["GBPUSD.A", "EURUSD.A"], "quotes", 5, 6 * DAY_NS))
    assert np.concatenate([part.ts_event for part in parts]).tolist() == [5, 5, 5 * DAY_NS, 5 * DAY_NS]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["EURUSD.A", "EURUSD.A"], "named twice"),
        (["EURUSD.B"], "choose EURUSD.A"),
        ([], "at least 1 instruments"),
    ],
)
def test_what_cannot_be_merged_is_said(tmp_path: Path, names: list[str], said: str) -> None:
    store = Store(tmp_path)
    store.add(instrument("EURUSD.A"), {"quotes": quotes([1])})
    with pytest.raises(UserError, match=said):
        list(merged(store, names, "quotes"))
    with pytest.raises(UserError, match=r"No trades of EURUSD\.A"):
        list(merged(store, ["EURUSD.A"], "trades"))
