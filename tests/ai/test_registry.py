import json
import subprocess
import sys
from pathlib import Path

import pytest

from ai.loading import Inspection, Question, inspect
from ai.passport import write_beside
from ai.registry import Registry
from engine.errors import UserError
from tests.ai.loading import onnx_files as files
from tests.ai.loading.passports import linear_passport

QUICK = Question(measure=False)


def inspected(folder: Path, data: bytes, name: str = "linear.onnx") -> Inspection:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    found = inspect(path, QUICK)
    assert found.accepted
    return found


def test_a_model_is_found_by_name_version_and_content(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    one = registry.add(inspected(tmp_path, files.linear()), notes="first")
    two = registry.add(inspected(tmp_path, files.linear(weights=files.WEIGHTS * 2)))
    other = registry.add(inspected(tmp_path, files.windowed(), "windowed.onnx"))
    assert (one.name, one.version, two.version, other.name) == ("linear", 1, 2, "windowed")
    assert registry.entries() == [one, two, other]
    assert registry.find("linear") == two
    assert registry.find("linear:1") == one
    assert registry.find(other.sha256[:10]) == other
    assert registry.path(one).read_bytes() == files.linear()


def test_the_same_content_is_the_same_version(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    found = inspected(tmp_path, files.linear())
    assert registry.add(found, notes="kept") == registry.add(found, notes="not used")
    assert registry.add(found, name="again").version == 1
    renamed = registry.add(inspected(tmp_path, files.linear(), "renamed.onnx"))
    assert registry.path(renamed).read_bytes() == files.linear()
    assert len(list((tmp_path / "registry" / "files").iterdir())) == 1


def test_the_passport_comes_along_with_its_metrics(tmp_path: Path) -> None:
    data = files.linear()
    write_beside(linear_passport(name="my model", metrics={"accuracy": 0.61}), tmp_path)
    registry = Registry(tmp_path / "registry")
    entry = registry.add(inspected(tmp_path, data), training_run="run 7")
    assert (entry.name, entry.metrics, entry.lineage.training_run) == (
        "my model",
        {"accuracy": 0.61},
        "run 7",
    )
    assert registry.passport(entry) == linear_passport(name="my model", metrics={"accuracy": 0.61})
    again = inspect(registry.path(entry), QUICK)
    assert (again.accepted, again.passport_from) == (True, "beside")


def test_another_passport_of_the_same_file_is_the_next_version(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    told = [linear_passport(name="mine", licence=licence) for licence in ("MIT", "BSD")]
    entries = []
    for passport in (*told, told[0]):
        write_beside(passport, tmp_path)
        entries.append(registry.add(inspected(tmp_path, files.linear())))
    assert [entry.version for entry in entries] == [1, 2, 1]
    assert [registry.passport(entry) for entry in entries[:2]] == told
    for entry, passport in zip(entries, told, strict=False):
        assert inspect(registry.path(entry), QUICK).passport == passport
    (tmp_path / "model.json").unlink()
    bare = registry.add(inspected(tmp_path, files.linear()), name="mine")
    assert (bare.version, registry.passport(bare)) == (3, None)


def test_an_entry_that_does_not_tell_its_passport_still_opens(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    passport = linear_passport(name="old")
    write_beside(passport, tmp_path)
    found = inspected(tmp_path, files.linear())
    folder = tmp_path / "registry" / "files" / found.sha256
    folder.mkdir(parents=True)
    (folder / "linear.onnx").write_bytes(files.linear())
    (folder / "model.json").write_bytes(passport.to_json())
    version = tmp_path / "registry" / "models" / "old" / "1.json"
    version.parent.mkdir(parents=True)
    told = {"name": "old", "version": 1, "sha256": found.sha256, "file_name": "linear.onnx"}
    told |= {"format": "onnx", "size_bytes": found.size_bytes, "added_ns": 1, "has_passport": True}
    version.write_text(json.dumps(told))
    (old,) = registry.entries()
    assert (registry.path(old).read_bytes(), registry.passport(old)) == (files.linear(), passport)
    assert registry.add(found) == old
    changed = registry.add(found, passport=linear_passport(name="old", licence="MIT"))
    assert (changed.version, registry.passport(old)) == (2, passport)


def test_notes_and_metrics_can_be_added(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    entry = registry.add(inspected(tmp_path, files.linear()))
    registry.annotate(entry, notes="good at noon", metrics={"p50_us": 6.2})
    assert registry.find("linear").notes == "good at noon"
    assert registry.find("linear").metrics == {"p50_us": 6.2}


def test_what_cannot_be_taken_in_says_why(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    found = inspected(tmp_path, files.linear())
    for name in ("../up", "", "a/b", "con", "x" * 99):
        with pytest.raises(UserError, match="cannot name a model"):
            registry.add(found, name=name or "/")
    Path(found.path).write_bytes(files.windowed())
    with pytest.raises(UserError, match="changed since"):
        registry.add(found)
    (tmp_path / "bad.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match="is refused"):
        registry.add(inspect(tmp_path / "bad.pkl"))
    assert registry.entries() == []


def test_what_is_not_there_is_named_with_what_is(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    with pytest.raises(UserError, match="no model yet"):
        registry.find("linear")
    registry.add(inspected(tmp_path, files.linear()))
    with pytest.raises(UserError, match="choose linear"):
        registry.find("linaer")
    with pytest.raises(UserError, match="no version 9; choose 1"):
        registry.find("linear:9")


COUNT = 8

_IMPORTER = """
import sys
import time
from pathlib import Path
from ai.loading import Inspection
from ai.registry import Registry
import msgspec
registry = Registry(Path(sys.argv[1]))
found = [msgspec.json.decode(Path(p).read_bytes(), type=Inspection) for p in sys.argv[3:]]
print("ready", flush=True)
while not Path(sys.argv[2]).exists():
    time.sleep(0.0005)
for each in found:
    registry.add(each, name="shared")
"""


def test_two_importers_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    import msgspec

    paths = []
    for n in range(COUNT):
        made = inspected(tmp_path / f"from_{n}", files.linear(weights=files.WEIGHTS * (n + 1)))
        (tmp_path / f"{n}.json").write_bytes(msgspec.json.encode(made))
        paths.append(str(tmp_path / f"{n}.json"))
    root = str(tmp_path / "registry")
    orders = (paths, paths[::-1], paths[COUNT // 2 :] + paths[: COUNT // 2])
    go = tmp_path / "go"
    running = [
        subprocess.Popen([sys.executable, "-c", _IMPORTER, root, str(go), *order], stdout=subprocess.PIPE)
        for order in orders
    ]
    for process in running:
        assert process.stdout is not None
        with process.stdout as ready:
            assert ready.readline() == b"ready\n"
    go.touch()
    assert [process.wait(60) for process in running] == [0, 0, 0]
    entries = Registry(Path(root)).entries()
    assert [entry.version for entry in entries] == list(range(1, COUNT + 1))
    assert len({entry.sha256 for entry in entries}) == COUNT
    assert not list(Path(root).rglob(".part-*"))
