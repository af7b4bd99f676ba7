import json
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.columns import Columns, VendorBars, bars_kind
from engine.errors import UserError
from engine.feeds.simulated import PROFILES, random_quotes, simulate
from engine.store import Store, schema
from engine.store.corrections import Correction
from engine.store.locking import exclusive
from engine.store.maintenance import compact, prune, sizes
from engine.store.repairs import apply, undo
from engine.store.seals import Seal, check_seal
from engine.store.verifying import verify
from tests.engine.store.rows import DAY_NS, EURUSD, NOON_NS, quotes, same, trades
from tests.engine.store.test_seals import flipped

ID = "EURUSD.SIM"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three days of quotes and one of trades, one quote of them dropped by a repair."""
    store = Store(tmp_path)
    store.add(
        EURUSD,
        {
            "quotes": quotes([1, 2, DAY_NS, 2 * DAY_NS], [1, 2, 3, 4]),
            "trades": trades([1, 2], [5, 6], [1, 2]),
        },
    )
    apply(store, ID, Correction(kind="quotes", action="drop", end_ns=NOON_NS + 1))
    return store


def bars_of(*years: int) -> VendorBars:
    ts = np.array([f"{year}-06-01" for year in years], "datetime64[ns]").astype(np.int64)
    prices = np.full(len(ts), 7, np.int64)
    return VendorBars(
        ts_event=ts,
        ts_init=ts + DAY_NS,
        **dict.fromkeys(("open", "high", "low", "close", "volume"), prices),
        price_precision=5,
        size_precision=0,
    )


# -- verify -----------------------------------------------------------------------------------------------


def test_a_store_as_it_was_written_is_whole(store: Store) -> None:
    found = verify(store)
    assert found.problems == []
    assert (found.files, found.rows, found.without_checksum) == (5, 6, 0)
    assert verify(store, ID) == found


def test_every_flipped_byte_of_a_file_is_found_and_named_with_the_next_step(store: Store) -> None:
    path = store.files(ID, "trades")[0]
    whole = path.read_bytes()
    for at in [*range(0, len(whole), 41), *range(len(whole) - 12, len(whole))]:
        flipped(path, at, at % 8)
        (problem,) = verify(store, ID).problems
        assert problem.path == str(path), at
        assert "import that day again" in problem.text
        path.write_bytes(whole)


@pytest.mark.parametrize("cut", [1, 200])
def test_a_file_that_was_cut_off_is_found(store: Store, cut: int) -> None:
    path = store.files(ID, "trades")[0]
    path.write_bytes(path.read_bytes()[:-cut])
    (problem,) = verify(store, ID).problems
    assert problem.path == str(path)


def test_a_damaged_day_that_was_repaired_says_how_to_come_back_to_it(store: Store) -> None:
    flipped(store.files(ID, "quotes")[0], 60, 1)
    (problem,) = verify(store, ID).problems
    assert "undo and repeat what it was repaired by (1)" in problem.text


def test_damage_in_what_a_repair_keeps_is_found(store: Store, tmp_path: Path) -> None:
    path = tmp_path / ID / "repairs/0001/removed/quotes/2019-02-04.parquet"
    flipped(path, 60, 1)
    (problem,) = verify(store, ID).problems
    assert problem.path == str(path)
    assert "without undoing" in problem.text


def test_files_from_before_there_were_checksums_are_counted_and_their_rows_checked(store: Store) -> None:
    path = store.files(ID, "trades")[0]
    pq.write_table(pq.read_table(path), path, store_decimal_as_integer=True)
    found = verify(store, ID)
    assert (found.without_checksum, found.problems) == (1, [])
    compact(store, ID, ["trades"])
    assert verify(store).without_checksum == 0


def rewritten(store: Store, rows: Columns, name: str = "2019-02-04") -> Path:
    path = store.root / ID / "quotes" / f"{name}.parquet"
    schema.write_parquet(rows, path)
    return path


@pytest.mark.parametrize(
    ("rows", "name", "words"),
    [
        (quotes([2, 1]), "2019-02-04", "order of its times"),
        (quotes([1, 1], received=[2, 1]), "2019-02-04", "order of its times"),
        (quotes([1]), "2019-02-05", "other days than its name"),
        (schema.restated(quotes([1]), 7, 0), "2019-02-04", "other decimals than instrument.json"),
    ],
)
def test_a_sound_file_of_wrong_rows_is_found(store: Store, rows: Columns, name: str, words: str) -> None:
    path = rewritten(store, rows, name)
    (problem,) = verify(store, ID).problems
    assert str(path) in problem.text
    assert words in problem.text


def test_what_does_not_belong_is_found(store: Store) -> None:
    folder = store.root / ID
    (folder / "notes.txt").touch()
    (folder / "quotes/.2019-02-04.parquet.part").touch()
    shutil.copy(store.files(ID, "trades")[0], folder / "trades/copy.parquet")
    facts = json.loads((folder / "instrument.json").read_text())
    (folder / "instrument.json").write_text(json.dumps({**facts, "id": "EURUSD.OTHER"}))

    texts = sorted(problem.text for problem in verify(store).problems)

    assert [
        words in text
        for words, text in zip(
            (
                "copy.parquet is not the store's",
                "is of EURUSD.OTHER",
                "notes.txt is not the store's",
                "killed",
            ),
            sorted(texts, key=lambda text: ("copy" not in text, "OTHER" not in text, "notes" not in text)),
            strict=True,
        )
    ] == [True] * 4


def test_a_repair_that_was_interrupted_is_told_with_the_way_out(store: Store) -> None:
    begun = store.root / ID / "repairs/.0002/pending/quotes"
    begun.mkdir(parents=True)
    (begun / "2019-02-04.parquet").write_bytes(b"half a file")
    with exclusive(store.root / ID, ID):
        assert verify(store).problems == []
    (problem,) = verify(store).problems
    assert f"'nexttick data repairs {ID}' completes it" in problem.text


def test_an_instrument_without_its_facts_or_with_a_damaged_record_is_found(store: Store) -> None:
    (store.root / ID / "repairs/0001/repair.json").write_text("{")
    (store.root / ID / "instrument.json").write_text("{")
    texts = [problem.text for problem in verify(store).problems]
    assert any("repair.json is damaged" in text for text in texts)
    assert any("instrument.json is damaged" in text for text in texts)


def test_a_changed_value_in_the_facts_or_in_a_record_is_found_once(store: Store) -> None:
    folder = store.root / ID
    for path, old, new in (
        (folder / "instrument.json", '"price_precision": 5', '"price_precision": 6'),
        (folder / "repairs/0001/repair.json", '"rows_removed": ', '"rows_removed": 1'),
    ):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        (problem,) = verify(store).problems
        assert f"{path} has changed since it was written" in problem.text
        path.write_text(text)
        assert verify(store).problems == []


def test_damaged_facts_are_told_once_and_facts_from_before_there_were_checksums_are_counted(
    store: Store,
) -> None:
    path = store.root / ID / "instrument.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({name: facts[name] for name in facts if "checksum" not in name}))
    found = verify(store)
    assert (found.records_without_checksum, found.problems) == (1, [])
    path.write_text("{")
    (problem,) = verify(store).problems
    assert "instrument.json is damaged" in problem.text


# -- compact ----------------------------------------------------------------------------------------------


def test_compacting_makes_files_smaller_and_changes_no_row(tmp_path: Path) -> None:
    store = Store(tmp_path)
    rows = random_quotes(200_000, 1, PROFILES["fx"].instrument, NOON_NS)
    rows = rows.with_arrays(
        {"ts_event": NOON_NS + np.arange(len(rows)) // 7, "ts_init": NOON_NS + np.arange(len(rows)) // 7}
    )
    store.add(PROFILES["fx"].instrument, {"quotes": rows})
    name = PROFILES["fx"].instrument.id
    before = store.read(name, "quotes")
    path = store.files(name, "quotes")[0]
    tables = pq.read_table(path)
    pq.write_table(tables, path, row_group_size=1_000, compression="snappy", store_decimal_as_integer=True)
    size = path.stat().st_size

    done = compact(store, name)

    assert (done.files, done.rewritten, done.bytes_before) == (1, 1, size)
    assert done.bytes_after == path.stat().st_size < size
    assert same(store.read(name, "quotes"), before)
    assert pq.ParquetFile(path).num_row_groups == 2
    assert check_seal(path) is Seal.WHOLE
    assert compact(store, name).rewritten == 0


def test_every_kind_is_compacted_without_a_change_or_left_where_nothing_is_gained(tmp_path: Path) -> None:
    market = simulate(PROFILES["crypto"], seed=3, start_ns=NOON_NS, seconds=20)
    store, name = Store(tmp_path), market.instrument.id
    parts: dict[str, Columns] = {"quotes": market.quotes, "trades": market.trades, "deltas": market.deltas}
    store.add(market.instrument, parts)
    done = compact(store, name)
    assert done.bytes_after <= done.bytes_before
    for kind, columns in parts.items():
        assert same(store.read(name, kind), columns)
    assert verify(store).problems == []


def test_a_compacted_file_that_does_not_come_back_equal_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, name = Store(tmp_path), PROFILES["fx"].instrument.id
    store.add(
        PROFILES["fx"].instrument, {"quotes": random_quotes(5_000, 1, PROFILES["fx"].instrument, NOON_NS)}
    )
    path = store.files(name, "quotes")[0]
    pq.write_table(pq.read_table(path), path, compression="none", store_decimal_as_integer=True)
    before = path.read_bytes()
    monkeypatch.setattr("engine.store.maintenance._equal", lambda _left, _right: False)
    with pytest.raises(UserError, match="did not come back equal"):
        compact(store, name)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


# -- prune ------------------------------------------------------------------------------------------------


def test_pruning_tells_before_it_deletes_and_takes_what_repairs_kept_of_those_days(store: Store) -> None:
    told = prune(store, ID, ["quotes"], date(2019, 2, 6))
    assert (told.files, told.rows, told.first_day, told.last_day) == (2, 2, "2019-02-04", "2019-02-05")
    assert not told.deleted
    assert verify(store).files == 5
    stored = sum(path.stat().st_size for path in store.root.rglob("*.parquet"))

    done = prune(store, ID, ["quotes"], date(2019, 2, 6), delete=True)

    assert done.size_bytes == told.size_bytes
    assert sum(path.stat().st_size for path in store.root.rglob("*.parquet")) == stored - done.size_bytes
    assert store.days(ID, "quotes") == [date(2019, 2, 6)]
    assert len(store.read(ID, "trades")) == 2
    assert store.instrument(ID) == EURUSD
    assert undo(store, ID, 1).rows_restored == 0
    assert verify(store).problems == []


def test_pruning_everything_leaves_no_folder(store: Store) -> None:
    (store.root / ID / "quality.json").write_text("{}")
    assert verify(store).problems == []
    assert prune(store, ID, delete=True).whole_instrument
    assert store.instruments() == []
    assert not (store.root / ID).exists()


def test_a_year_of_bars_goes_only_as_a_whole(tmp_path: Path) -> None:
    store, kind = Store(tmp_path), bars_kind("1-DAY-LAST")
    store.add(EURUSD, {kind: bars_of(2018, 2019)})
    assert prune(store, ID, before=date(2019, 7, 1)).files == 1
    assert prune(store, ID, before=date(2020, 1, 1)).files == 2


def test_an_unknown_kind_is_answered_with_the_stored_ones(store: Store) -> None:
    with pytest.raises(UserError, match="quotes or trades"):
        prune(store, ID, ["depth"])
    with pytest.raises(UserError, match="quotes or trades"):
        compact(store, ID, ["depth"])


# -- sizes, and two at once -------------------------------------------------------------------------------


def test_sizes_are_those_of_the_files(store: Store) -> None:
    by_kind = {size.kind: size for size in sizes(store, ID)}
    assert list(by_kind) == ["quotes", "trades", "repairs"]
    assert (by_kind["quotes"].rows, by_kind["quotes"].files) == (3, 3)
    assert by_kind["quotes"].size_bytes == sum(path.stat().st_size for path in store.files(ID, "quotes"))
    assert by_kind["quotes"].bytes_per_million == round(by_kind["quotes"].size_bytes / 3 * 1e6)
    assert by_kind["repairs"].rows == 1


@pytest.mark.parametrize(
    "work", [lambda store: compact(store, ID), lambda store: prune(store, ID, delete=True)]
)
def test_two_commands_at_once_are_refused_in_a_sentence(store: Store, work: Any) -> None:
    with exclusive(store.root / ID, ID), pytest.raises(UserError, match="wait until it has finished"):
        work(store)


DIES = """
import os, signal, sys
from datetime import date
from pathlib import Path
from engine.store import Store
from engine.store.maintenance import compact, prune

def dying(name):
    real = getattr(Path, name)
    def moved(self, *args, **kwargs):
        global left
        if self.suffix in (".parquet", ".part") and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= self.suffix in (".parquet", ".part")
        return real(self, *args, **kwargs)
    setattr(Path, name, moved)

left = int(sys.argv[2])
dying("unlink" if sys.argv[3] == "prune" else "replace")
store = Store(Path(sys.argv[1]))
if sys.argv[3] == "prune":
    prune(store, "EURUSD.SIM", ["quotes"], date(2019, 2, 6), delete=True)
else:
    compact(store, "EURUSD.SIM")
"""


@pytest.mark.parametrize("moves", [0, 1])
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_compaction_changes_no_row_and_is_taken_up_again(store: Store, moves: int) -> None:
    for path in store.files(ID, "quotes"):
        pq.write_table(pq.read_table(path), path, store_decimal_as_integer=True)
    before = store.read(ID, "quotes")

    done = subprocess.run(
        [sys.executable, "-c", DIES, str(store.root), str(moves), "compact"], cwd=ROOT, check=False
    )

    assert done.returncode == -signal.SIGKILL
    assert same(store.read(ID, "quotes"), before)
    assert [problem.text for problem in verify(store).problems if "killed" not in problem.text] == []
    compact(store, ID)
    assert same(store.read(ID, "quotes"), before)
    assert verify(store).problems == []
    assert verify(store).without_checksum == 0


@pytest.mark.parametrize("moves", [0, 1, 2])
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_pruning_leaves_whole_days_and_is_taken_up_again(store: Store, moves: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(store.root), str(moves), "prune"], cwd=ROOT, check=False
    )

    assert done.returncode == -signal.SIGKILL
    assert len(store.days(ID, "quotes")) == 3 - min(moves, 2)
    assert verify(store).problems == []
    prune(store, ID, ["quotes"], date(2019, 2, 6), delete=True)
    assert store.days(ID, "quotes") == [date(2019, 2, 6)]
    assert not list((store.root / ID / "repairs").rglob("*.parquet"))
