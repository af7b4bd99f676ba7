"""What files bring beside ticks: series and the vendor's facts of the instrument."""

import weakref
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from engine.errors import UserError
from engine.feeds import formats
from engine.feeds.decoded import Decoded
from engine.feeds.formats import Head, SourceFile
from engine.feeds.importing import import_files
from engine.feeds.report import ImportReport
from engine.messages.instrument import Instrument
from engine.store import Store
from engine.store.series import SeriesStore
from tests.engine.feeds.files import known
from tests.engine.store.rows import quotes

YEAR_NS = 365 * 86_400_000_000_000
LISTED = known().find("EURUSD.DUKASCOPY").instrument
DEFINED = msgspec.structs.replace(LISTED, tick_size=Decimal("0.00005"))


class Fake:
    """A format whose files name what they decode to."""

    name = "fake"

    def __init__(self, found: Mapping[str, Decoded]) -> None:
        self._found = found

    def matches(self, head: Head) -> bool:
        return head.path.name in self._found

    def decode(self, file: SourceFile) -> Decoded:
        return self._found[file.path.name]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def imported(monkeypatch: pytest.MonkeyPatch, store: Store, found: Mapping[str, Decoded]) -> ImportReport:
    monkeypatch.setattr(formats, "FORMATS", (Fake(found),))
    return import_files(written(store, found), "EURUSD.DUKASCOPY", store, known())


def written(store: Store, names: Iterable[str]) -> list[Path]:
    paths = [store.root.parent / name for name in names]
    for path in paths:
        path.write_bytes(b"-")
    return paths


def depth(*times: int, **other: list[int]) -> pa.Table:
    ts = np.array(times, np.int64)
    return pa.table({"ts_event": ts, "ts_init": ts + 1, **(other or {"depth": [7] * len(ts)})})


def decoded(
    table: pa.Table | None = None, *, ticks: bool = False, instrument: Instrument | None = None
) -> Decoded:
    return Decoded(
        columns={"quotes": quotes([1])} if ticks else {},
        timestamps="as given",
        series={"EURUSD.depth": table} if table is not None else {},
        instrument=instrument,
    )


def test_series_are_stored_and_counted_once(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    files = {"a": decoded(depth(YEAR_NS - 1, YEAR_NS)), "b": decoded(depth(YEAR_NS, 5), ticks=True)}
    first = imported(monkeypatch, store, files)
    again = imported(monkeypatch, store, files)

    assert (first.kinds, first.rows) == ({"quotes": 1, "EURUSD.depth": 4}, 5)
    assert (first.added, first.duplicates, first.first_ts_ns) == (4, 1, 5)
    assert (again.added, again.duplicates) == (0, 5)
    found = SeriesStore(store.root).read("EURUSD.depth")
    assert found.column("ts_event").to_pylist() == [5, YEAR_NS - 1, YEAR_NS]


def test_a_series_alone_needs_no_ticks(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    report = imported(monkeypatch, store, {"a": decoded(depth(1, 2))})
    assert (report.rows, report.added, report.timestamps) == (2, 2, ["as given"])
    assert SeriesStore(store.root).names() == ["EURUSD.depth"]
    assert store.instruments() == []


def test_a_series_of_other_columns_is_refused_before_anything_is_stored(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    files = {"a": decoded(depth(1), ticks=True), "b": decoded(depth(2, notional=[3]))}
    with pytest.raises(UserError, match=r"series EURUSD\.depth once with columns depth .*notional"):
        imported(monkeypatch, store, files)
    assert not store.root.exists()


def test_no_file_stays_in_memory_once_the_next_one_is_read(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    alive: list[int] = []
    seen: list[weakref.ref[Any]] = []

    class Counting(Fake):
        def decode(self, file: SourceFile) -> Decoded:
            alive.append(sum(each() is not None for each in seen))
            rows = quotes([int(file.path.name)])
            seen.append(weakref.ref(rows.ts_event))
            return Decoded(columns={"quotes": rows}, timestamps="as given")

    found = {str(number): decoded() for number in range(9)}
    monkeypatch.setattr(formats, "FORMATS", (Counting(found),))
    report = import_files(written(store, found), "EURUSD.DUKASCOPY", store, known())

    assert report.added == 9
    assert max(alive) <= 1


def test_a_vendors_definition_replaces_the_known_facts(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    other = msgspec.structs.replace(DEFINED, id="GBPUSD.DUKASCOPY", tick_size=Decimal(3))
    imported(
        monkeypatch,
        store,
        {"a": decoded(instrument=other), "b": decoded(instrument=DEFINED), "c": decoded(ticks=True)},
    )
    assert store.instrument("EURUSD.DUKASCOPY") == DEFINED


def test_definitions_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    files = {"a": decoded(ticks=True, instrument=DEFINED), "b": decoded(instrument=LISTED)}
    with pytest.raises(
        UserError, match=r"b cannot be imported: it says that the tick_size of .* is 0\.00001, but"
    ):
        imported(monkeypatch, store, files)
    assert not store.root.exists()
