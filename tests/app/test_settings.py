"""Settings and layouts survive what happens to files: damage, strange names, several windows."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings, SettingsFile
from app.toml import encode, write_atomically
from app.windows.layouts import Layouts, WindowPlace
from engine.errors import UserError


def test_settings_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    SettingsFile(path).update(theme="light", bookmarks={"EURUSD.SIM": [1, 2], 'odd "name"': [3]}, speed=0.5)
    again = SettingsFile(path)
    assert again.problem == ""
    assert again.settings == Settings(
        theme="light", bookmarks={"EURUSD.SIM": [1, 2], 'odd "name"': [3]}, speed=0.5
    )


@pytest.mark.parametrize("damage", [b"theme = ", b'theme = "pink"', b"\xff\xfe", b"unknown = 1"])
def test_a_damaged_file_is_kept_aside_and_said_in_one_sentence(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(damage)
    file = SettingsFile(path)
    assert file.settings == Settings()
    assert "could not be read" in file.problem
    kept = [other for other in tmp_path.iterdir() if "broken" in other.name]
    assert [other.read_bytes() for other in kept] == [damage]
    file.update(theme="light")
    assert SettingsFile(path).settings.theme == "light"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.toml"
    write_atomically(path, "old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [other.name for other in tmp_path.iterdir()] == ["settings.toml"]


class _Inner(msgspec.Struct, frozen=True):
    name: str
    numbers: list[int]


class _Outer(msgspec.Struct, frozen=True):
    text: str
    flag: bool
    ratio: float
    table: dict[str, list[int]]
    rows: list[_Inner]


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=20)
_INTS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4)


@given(
    st.builds(
        _Outer,
        text=_TEXT,
        flag=st.booleans(),
        ratio=st.floats(allow_nan=False, allow_infinity=False),
        table=st.dictionaries(_TEXT, _INTS, max_size=4),
        rows=st.lists(st.builds(_Inner, name=_TEXT, numbers=_INTS), max_size=3),
    )
)
def test_any_struct_reads_back_from_its_toml(value: _Outer) -> None:
    assert msgspec.toml.decode(encode(value), type=_Outer) == value


def test_an_own_layout_wins_over_a_shipped_one_of_the_same_name(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    shipped.mkdir()
    (shipped / "desk.toml").write_text('title = "Desk"\n')
    layouts = Layouts(shipped, own)
    assert layouts.load("desk").title == "Desk"
    layouts.save("desk", [WindowPlace(state="AA==", geometry="BB==")])
    assert layouts.load("desk").windows == [WindowPlace(state="AA==", geometry="BB==")]
    assert layouts.names() == ["desk"]


def test_a_damaged_layout_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text("title = ")
    with pytest.raises(UserError, match="desk"):
        Layouts(tmp_path, tmp_path).load("desk")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "x" * 41, "a\nb"])
def test_names_that_cannot_be_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        Layouts(tmp_path, tmp_path).save(name, [])
    with pytest.raises(UserError):
        Layouts(tmp_path, tmp_path).load(name)
