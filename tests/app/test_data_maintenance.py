import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.__main__ import main
from engine.columns import Quotes
from engine.feeds.simulated import PROFILES, random_quotes
from engine.store import Store
from tests.engine.store.rows import DAY_NS, EURUSD, NOON_NS, quotes, same, trades
from tests.engine.store.test_seals import flipped

ID = "EURUSD.SIM"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two days of quotes, two of them crossed, and three trades."""
    rows = quotes([1, 2, 3, DAY_NS])
    ask = rows.ask.copy()
    ask[[1, 3]] -= 3
    store = Store(tmp_path / "store")
    store.add(
        EURUSD, {"quotes": rows.with_arrays({"ask": ask}), "trades": trades([1, 2, 3], [1, 2, 3], [1, 2, 3])}
    )
    return store


class Asking:
    """Asks `nexttick data` questions of one store."""

    def __init__(self, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
        self._store, self._capsys = store, capsys

    def text(self, *arguments: str, code: int = 0) -> str:
        assert main(["data", *arguments, "--store", str(self._store.root)]) == code
        return self._capsys.readouterr().out

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.text(*arguments, "--json", "-", code=code))
        return answer

    def refused(self, *arguments: str) -> str:
        assert main(["data", *arguments, "--store", str(self._store.root)]) == 2
        (line,) = self._capsys.readouterr().err.splitlines()
        return line


@pytest.fixture
def data(store: Store, capsys: pytest.CaptureFixture[str]) -> Asking:
    return Asking(store, capsys)


def test_a_repair_is_shown_made_listed_and_undone(data: Asking, store: Store) -> None:
    before = store.read(ID, "quotes")
    dry = data.text("repair", ID, "--kind", "quotes", "--drop", "crossed", "--dry-run")
    assert "2 of 4 quotes in 2 files" in dry
    assert "would be taken out  2" in dry
    assert same(store.read(ID, "quotes"), before)

    said = data.text("repair", ID, "--kind", "quotes", "--drop", "crossed", "--reason", "swapped sides")
    assert f"undo: nexttick data repairs {ID} --undo 1 --store {shlex.quote(str(store.root))}" in said
    assert len(store.read(ID, "quotes")) == 2
    assert "swapped sides" in data.text("repairs", ID)
    assert data.json("repairs", ID)["repairs"][0]["rows_removed"] == 2

    assert "2 quotes are back" in data.text("repairs", ID, "--undo", "1")
    assert same(store.read(ID, "quotes"), before)
    assert "(undone)" in data.text("repairs", ID)


def test_each_action_answers_what_it_did(data: Asking, store: Store) -> None:
    filled = data.json("repair", ID, "--kind", "quotes", "--fill-forward", "crossed")
    assert (filled["repair"]["rows_added"], filled["preview"]["examples"][0]["after"]["ask"]) == (
        2,
        "1.14501",
    )
    clipped = data.text("repair", ID, "--kind", "trades", "--clip", "0.00002", "1")
    assert "0.00001 → 0.00002" in clipped
    assert "invented" in clipped
    assert "1 of 3" in data.text("repair", ID, "--kind", "trades", "--drop", "outside:0.00001:0.00002")
    split = data.text(
        "repair",
        ID,
        "--kind",
        "trades",
        "--split-adjust",
        "4:1",
        "--before",
        "2019-02-05",
        "--from",
        "2019-02-04",
    )
    assert "prices are kept with 1 more decimals" in split
    assert [repair.kind for repair in map(_Kind, data.json("repairs", ID)["repairs"])] == [
        "quotes",
        "trades",
        "trades",
        "trades",
    ]
    assert store.instrument(ID).price_precision == 6


class _Kind:
    def __init__(self, repair: dict[str, Any]) -> None:
        self.kind = repair["kind"]


def test_spikes_are_dropped_by_the_rule_of_the_check_and_only_they(data: Asking, store: Store) -> None:
    facts = PROFILES["crypto"].instrument
    rows = random_quotes(3_000, 1, facts, NOON_NS)
    bid, ask = rows.bid.copy(), rows.ask.copy()
    for side in (bid, ask):
        side[[1_000, 1_001, 2_500]] *= 2
    store.add(facts, {"quotes": rows.with_arrays({"bid": bid, "ask": ask})})

    done = data.json("repair", facts.id, "--kind", "quotes", "--drop", "spike")

    assert (done["repair"]["rows_removed"], done["repair"]["parameters"]) == (3, {"rows": "3"})
    assert store.read(facts.id, "quotes").bid.max() == np.delete(rows.bid, [1_000, 1_001, 2_500]).max()
    assert "nothing to repair" in data.text("repair", facts.id, "--kind", "quotes", "--drop", "spike")
    assert "not in deltas" in data.refused("repair", facts.id, "--kind", "deltas", "--drop", "spike")


def test_a_repair_of_nothing_changes_nothing(data: Asking) -> None:
    assert "nothing to repair" in data.text("repair", ID, "--kind", "quotes", "--drop", "locked")
    assert "never repaired" in data.text("repairs", ID)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["repair", ID, "--kind", "quotes"], "Say one thing to do"),
        (["repair", ID, "--kind", "quotes", "--drop", "crosed"], "choose crossed"),
        (["repair", ID, "--kind", "quotes", "--drop", "outside"], "outside:1.05:1.20"),
        (["repair", ID, "--kind", "quotes", "--clip", "x", "1"], "no price"),
        (["repair", ID, "--kind", "quotes", "--drop", "all"], "Say which rows"),
        (
            ["repair", ID, "--kind", "quotes", "--drop", "all", "--to", "2019", "--before", "2019"],
            "one of them",
        ),
        (["repairs", ID, "--undo", "3"], "never repaired"),
        (["compact", "--kind", "quotes"], "name it before"),
        (["compact", ID, "--level", "40"], "1 to 22"),
        (["prune", ID, "--before", "yesterday"], "no day of the calendar"),
        (["prune", ID, "--kind", "depth"], "choose"),
        (["export", ID, "--to", "csv", "q.csv"], "--kind quotes"),
        (["export", ID, "--to", "xml", "q.xml"], "choose"),
        (["export", ID, "--to", "csv", "nowhere/q.csv", "--kind", "quotes"], "could not be written"),
        (["verify", "EURUSD.SIN"], f"choose {ID}"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(data: Asking, arguments: list[str], words: str) -> None:
    assert words in data.refused(*arguments)


def test_verify_answers_two_where_a_bit_has_flipped(data: Asking, store: Store) -> None:
    assert "all as they were written" in data.text("verify")
    path = store.files(ID, "trades")[0]
    flipped(path, 100, 3)
    found = data.json("verify", ID, code=2)
    assert [problem["path"] for problem in found["problems"]] == [str(path)]
    assert "import that day again" in data.text("verify", code=2)


def test_sizes_and_compacting_tell_bytes(data: Asking, store: Store) -> None:
    facts = PROFILES["crypto"].instrument
    rows = random_quotes(30_000, 1, facts, NOON_NS)
    again = np.arange(len(rows)) // 100
    store.add(facts, {"quotes": Quotes.take(rows, again)})
    (size,) = [each for each in data.json("sizes")["sizes"] if each["instrument"] == facts.id]
    assert size["bytes_per_million"] == round(size["size_bytes"] * 1e6 / size["rows"])
    assert "per million rows" in data.text("sizes", ID)

    done = data.json("compact", facts.id)
    assert done["bytes_after"] <= done["bytes_before"] == size["size_bytes"]
    assert "no row has changed" in data.text("compact")


def test_pruning_deletes_only_when_told_twice(data: Asking, store: Store) -> None:
    assert "nothing was deleted" in data.text("prune", ID, "--before", "2019-02-05")
    assert len(store.files(ID, "quotes")) == 2
    done = data.json("prune", ID, "--before", "2019-02-05", "--yes")
    assert (done["files"], done["deleted"], done["whole_instrument"]) == (2, True, False)
    assert len(store.files(ID, "quotes")) == 1
    assert "nothing to delete" in data.text("prune", ID, "--before", "2019-02-05", "--yes")
    assert "nothing of it is stored any more" in data.text("prune", ID, "--yes")


@pytest.mark.parametrize("form", ["csv", "arrow"])
def test_a_file_is_exported(data: Asking, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"out.{form}"
    done = data.json("export", ID, "--kind", "quotes", "--to", form, str(path), "--until", "2019-02-04")
    assert (done["rows"], done["size_bytes"]) == (3, path.stat().st_size)


def test_a_catalog_is_exported(data: Asking, tmp_path: Path) -> None:
    said = data.text("export", ID, "--to", "nautilus", str(tmp_path / "catalog"))
    assert "4 quotes" in said
    assert "3 trades" in said
    assert (tmp_path / "catalog/data/quotes" / ID).is_dir()
