"""Archives and pickles made to mislead: by names, sizes, places, or by what they are called."""

import gzip
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ai.loading import Inspection, Question, inspect
from ai.loading.archives import ArchiveError, open_archive, read_pickle_names

QUICK = Question(measure=False)


class Hostile:
    """Writes the marker when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        return Path.write_text, (self.marker, "ran")


def looked_at(folder: Path, data: bytes, name: str) -> Inspection:
    path = folder / name
    path.write_bytes(data)
    return inspect(path, QUICK)


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def test_the_marker_would_be_written_by_unpickling(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Hostile(tmp_path / "ran")))  # noqa: S301 - proves that the other tests can fail
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["m.pkl", "m.joblib", "m.pt", "m.onnx", "m.safetensors", "m.pt2"])
def test_no_pickle_is_loaded_whatever_it_is_called(tmp_path: Path, name: str, protocol: int) -> None:
    found = looked_at(tmp_path, pickle.dumps(Hostile(tmp_path / "ran"), protocol), name)
    assert not found.accepted
    assert found.runtime is None
    assert found.reason
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", [2, 4])
def test_no_pickle_inside_a_state_dict_is_loaded(tmp_path: Path, protocol: int) -> None:
    data = pickle.dumps(Hostile(tmp_path / "ran"), protocol)
    found = looked_at(tmp_path, archive({"m/data.pkl": data, "m/version": b"3"}), "m.pt")
    assert (found.format, found.accepted) == ("module_pickle", False)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"m/MAR-INF/MANIFEST.json": b"{}", "m/model.py": b"raise"}, "mar"),
        ({"MAR-INF/MANIFEST.json": b"{}"}, "mar"),
        ({"m/.data/python_version": b"3", "m/net.py": b"raise"}, "torch_package"),
        ({"m/data/aotinductor/model/x.so": b""}, "aotinductor"),
        ({"config.json": b"{}", "model.weights.h5": b""}, "keras"),
        ({"x.npy": b""}, "unknown"),
    ],
)
def test_bundles_of_code_are_refused_by_their_members(
    tmp_path: Path, members: dict[str, bytes], kind: str
) -> None:
    found = looked_at(tmp_path, archive(members), "m.pt")
    assert (found.format, found.accepted) == (kind, False)


CODE = "from pathlib import Path\nPath({marker!r}).write_text('ran')\n"


def hostile_bundle(kind: str, marker: Path) -> bytes:
    """A bundle as its tool would run it: with a handler, a pickle, or a layer that holds Python."""
    code, pickled = CODE.format(marker=str(marker)).encode(), pickle.dumps(Hostile(marker), 2)
    numpy_objects = io.BytesIO()
    np.save(numpy_objects, np.array([Hostile(marker)], dtype=object), allow_pickle=True)
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as file:
        member = tarfile.TarInfo("pickle")
        member.size = len(pickled)
        file.addfile(member, io.BytesIO(pickled))
    weights = b'{"config": {"w": {"use_pickle": true}}}'
    return {
        "mar": archive({"MAR-INF/MANIFEST.json": b"{}", "handler.py": code, "model.pt": pickled}),
        "torch_package": archive({"m/.data/python_version": b"3", "m/net.py": code, "m/model.pkl": pickled}),
        "keras": archive({"config.json": b'{"class_name": "Lambda"}', "model.weights.h5": pickled}),
        "aotinductor": archive({"m/archive_format": b"pt2", "m/data/aotinductor/model/x.so": code}),
        "pt2": archive(
            {
                "m/archive_format": b"pt2",
                "m/models/model.json": b"{}",
                "m/data/weights/model_weights_config.json": weights,
                "m/data/weights/w": pickled,
            }
        ),
        "numpy": numpy_objects.getvalue(),
        "tar": tarred.getvalue(),
        "joblib": gzip.compress(pickled),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["mar", "torch_package", "keras", "aotinductor", "pt2", "numpy", "tar", "joblib"]
)
def test_nothing_runs_of_a_hostile_bundle_even_if_it_is_trusted(tmp_path: Path, kind: str) -> None:
    data = hostile_bundle(kind, tmp_path / "ran")
    for name in ("m.pt", "m.onnx", "m.joblib", "m.mar", "m.keras", "m.npy"):
        found = looked_at(tmp_path, data, name)
        trusting = inspect(Path(found.path), Question(trust=found.sha256, measure=False))
        assert (found.accepted, trusting.accepted) == (False, False)
        assert found.reason
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"\x7fELF\x02", "m.so", "shared_library"),
        (b"MZ\x90", "m.onnx", "shared_library"),
        (gzip.compress(pickle.dumps(1), mtime=0), "m.joblib", "joblib"),
        (gzip.compress(b"x", mtime=0), "m.onnx", "compressed"),
        (b"\x89HDF\r\n", "m.h5", "keras"),
        (b"\x1c\0\0\0TFL3", "m.tflite", "tflite"),
        (b"\x1c\0\0\0ORTM", "m.ort", "ort"),
        (b"\0" * 257 + b"ustar", "m.pt", "tar"),
        (b"hello", "m.bin", "unknown"),
    ],
)
def test_other_formats_are_refused_with_the_next_step(
    tmp_path: Path, data: bytes, name: str, kind: str
) -> None:
    found = looked_at(tmp_path, data, name)
    assert (found.format, found.accepted) == (kind, False)
    assert len(found.reason) > 40


# -- archives that two readers would read differently, or that never end ----------------------------------


@pytest.mark.parametrize("name", ["m/../../x", "/etc/x", "m\\..\\x", "c:/x"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(ArchiveError, match="leads out"):
        open_archive(archive({"m/data.pkl": b"", name: b""}))


def test_a_name_that_hides_its_end_is_refused() -> None:
    data = archive({"m/data.pklXevil": b""}).replace(b"data.pklXevil", b"data.pkl\0evil")
    with pytest.raises(ArchiveError, match="leads out"):
        open_archive(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("m/data.pkl", b"harmless")
        file.writestr("m/DATA.pkl", b"other")
    with pytest.raises(ArchiveError, match="two members"):
        open_archive(out.getvalue())


def test_a_zip_bomb_is_refused_unopened() -> None:
    with pytest.raises(ArchiveError, match="zip bomb"):
        open_archive(archive({"m/data.pkl": b"\0" * 5_000_000}, zipfile.ZIP_DEFLATED))


def test_overlapping_members_are_refused() -> None:
    """One member's data hold another, header and all, so that both readers find it there."""
    inner = archive({"m/b": b"y" * 100})[: 30 + 3 + 100]
    data = bytearray(archive({"m/a": inner, "m/b": b"y" * 100}))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = (30 + 3).to_bytes(4, "little")
    with pytest.raises(ArchiveError, match="members overlap"):
        open_archive(bytes(data))


def test_a_header_that_contradicts_the_directory_is_refused() -> None:
    data = archive({"m/harmless": b"1"}).replace(b"m/harmless", b"m/data.pkl", 1)
    with pytest.raises(ArchiveError, match="directory differ"):
        open_archive(data)


def test_bytes_around_the_archive_are_refused() -> None:
    data = archive({"m/data.pkl": b""})
    with pytest.raises(ArchiveError, match="before its first"):
        open_archive(b"PK\x03\x04" + b"\0" * 60 + data)
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as file:
        file.comment = b"PK\x05\x06 another directory"
    with pytest.raises(ArchiveError, match=r"after its last|damaged"):
        open_archive(out.getvalue())


def test_an_archive_that_unpacks_to_more_than_any_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai.loading.archives.MAX_UNPACKED_BYTES", 1_000)
    open_archive(archive({"m/a": b"x" * 400, "m/b": b"x" * 400}))
    with pytest.raises(ArchiveError, match="unpacks to more"):
        open_archive(archive({"m/a": b"x" * 600, "m/b": b"x" * 600}))


def test_every_truncation_of_an_archive_is_refused() -> None:
    data = archive({"m/data.pkl": b"1234", "m/version": b"3"})
    for length in range(len(data)):
        with pytest.raises(ArchiveError):
            open_archive(data[:length])


def test_pickles_that_make_names_while_they_load_are_told() -> None:
    assert read_pickle_names(pickle.dumps(Path("x"), 4)).foreign == ("a name made while it loads",)
    assert read_pickle_names(pickle.dumps({"a": 1}, 2)).foreign == ()
    with pytest.raises(ArchiveError, match="damaged"):
        read_pickle_names(b"\x80\x02X\xff\xff")
