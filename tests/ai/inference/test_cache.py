"""Predictions on disk: found again, never half, never too many."""

import os
from pathlib import Path

import numpy as np
import pytest

from ai.inference.cache import PredictionCache
from ai.inference.predicted import Predicted, RangeFacts
from engine.errors import UserError
from engine.messages.columns import PREDICTION

FACTS = RangeFacts(first_ts=5, first_warm=(3,), sick_from=2, sick="")


def kept(cache: PredictionCache, key: str, rows: int = 10) -> Predicted:
    draft = cache.draft(key)
    told = np.zeros(rows, PREDICTION)
    told["ts"] = np.arange(rows)
    for part in np.array_split(told, 3):
        draft.add("rows", part)
        draft.add("x0", np.full((len(part), 4), len(part), np.float32))
    draft.add("counts0", np.empty((0, 7), np.int64))
    return draft.finish(FACTS)


def test_what_was_kept_is_found_as_it_was(tmp_path: Path) -> None:
    cache = PredictionCache(tmp_path / "predictions")
    assert cache.find("a") is None
    made = kept(cache, "a")
    found = PredictionCache(tmp_path / "predictions").find("a")
    assert found is not None
    assert found.facts == made.facts == FACTS
    assert {name: array.shape for name, array in found.arrays.items()} == {
        "rows": (10,),
        "x0": (10, 4),
        "counts0": (0, 7),
    }
    assert found.arrays["rows"]["ts"].tolist() == list(range(10))
    assert found.arrays["x0"][:, 0].tolist() == [4.0] * 4 + [3.0] * 6
    assert isinstance(found.arrays["x0"], np.memmap)
    assert cache.find("b") is None
    assert sorted(path.name for path in (tmp_path / "predictions").iterdir()) == ["a"]


@pytest.mark.parametrize("harm", ["shorter", "flipped", "no facts", "broken facts", "lost", "other type"])
def test_a_damaged_entry_is_as_if_it_were_not_there(harm: str, tmp_path: Path) -> None:
    cache = PredictionCache(tmp_path)
    kept(cache, "a")
    rows, facts = tmp_path / "a" / "rows.npy", tmp_path / "a" / "facts.json"
    data = bytearray(rows.read_bytes())
    match harm:
        case "shorter":
            rows.write_bytes(data[:-8])
        case "flipped":
            data[-3] ^= 1
            rows.write_bytes(data)
        case "no facts":
            facts.unlink()
        case "broken facts":
            facts.write_bytes(facts.read_bytes()[:-4])
        case "lost":
            (tmp_path / "a" / "x0.npy").unlink()
        case _:
            rows.write_bytes(b"no array")
    assert cache.find("a") is None
    assert not (tmp_path / "a").exists()
    kept(cache, "a")
    assert cache.find("a") is not None


def test_a_dropped_draft_leaves_nothing(tmp_path: Path) -> None:
    cache = PredictionCache(tmp_path)
    draft = cache.draft("a")
    draft.add("rows", np.zeros(5, PREDICTION))
    assert cache.find("a") is None
    draft.drop()
    assert list(tmp_path.iterdir()) == []


def test_whoever_comes_second_takes_what_the_first_kept(tmp_path: Path) -> None:
    cache = PredictionCache(tmp_path)
    late = cache.draft("a")
    late.add("rows", np.zeros(3, PREDICTION))
    kept(cache, "a")
    assert len(late.finish(FACTS).arrays["rows"]) == 10
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_longest_unused_entries_go_beyond_the_limit(tmp_path: Path) -> None:
    cache = PredictionCache(tmp_path, most_bytes=3 * 45_000)
    for count, key in enumerate("abc"):
        kept(cache, key, 1_000)
        _age(tmp_path / key, 100 - count)
    assert cache.find("a") is not None
    kept(cache, "d", 1_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "d"]
    kept(PredictionCache(tmp_path, most_bytes=1), "e", 1_000)
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def _age(entry: Path, seconds: int) -> None:
    facts = entry / "facts.json"
    then = facts.stat().st_mtime - seconds
    os.utime(facts, (then, then))


def test_a_folder_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        UserError, match=r"Predictions cannot be kept in .*make room there or mend the folder"
    ):
        PredictionCache(tmp_path / "file").draft("a")
