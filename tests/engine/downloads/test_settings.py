from pathlib import Path

import pytest

from engine.downloads.settings import DownloadSettings
from engine.downloads.sources import SOURCES
from engine.errors import UserError
from tests.engine.downloads.fakes import SHIPPED


def load(folder: Path, own: str | None = None) -> DownloadSettings:
    path = folder / "downloads.toml"
    if own is not None:
        path.write_text(own)
    return DownloadSettings.load(SHIPPED, path)


def test_every_source_has_an_address_and_a_rate(tmp_path: Path) -> None:
    assert set(load(tmp_path).sources) == set(SOURCES)
    assert all(each.is_private for each in load(tmp_path).sources.values())


def test_ones_own_file_changes_single_values(tmp_path: Path) -> None:
    shipped = load(tmp_path)
    changed = load(tmp_path, 'stall_s = 90\n[sources.tardis]\nurl = "http://mirror.local:8080/tardis"\n')
    assert changed.stall_s == 90
    assert changed.sources["tardis"].url == "http://mirror.local:8080/tardis"
    assert changed.sources["tardis"].requests_per_second == shipped.sources["tardis"].requests_per_second
    assert changed.sources["yahoo"] == shipped.sources["yahoo"]
    assert changed.connections == shipped.connections


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("conections = 3", "conections is nothing that belongs there"),
        ("connections = 'four'", "connections is a text, not a whole number"),
        ("connections = 0", "sets connections to 0, which is not above 0"),
        ("[sources.yahoo]\nrequests_per_second = -1", "sets the rate of yahoo to -1"),
        ("[sources.yahoo]\nurl = 'ftp://x'", "sets the url of yahoo to 'ftp://x', which is no web address"),
        ("retries = -1", "sets retries to -1"),
        ("[[", "cannot be used"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_file(own: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said) as error:
        load(tmp_path, own)
    assert str(tmp_path / "downloads.toml") in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://vendor.example", True),
        ("http://vendor.example", False),
        ("http://127.0.0.1:80", True),
        ("http://localhost.vendor.example", False),
    ],
)
def test_a_key_is_only_sent_where_nobody_reads_along(url: str, private: bool, tmp_path: Path) -> None:
    assert load(tmp_path, f"[sources.tardis]\nurl = '{url}'").sources["tardis"].is_private is private
