"""Large tables in pieces: the same rows, report and refusals as from the whole file."""

import gzip
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from engine.errors import UserError
from engine.feeds import reader
from engine.feeds.report import ImportReport
from engine.feeds.simulated import PROFILES, random_quotes
from tests.engine.feeds.test_importing import imported

PIECE_BYTES = 20_000
START_NS = 1_549_238_400_000_000_000


def table(*, header: bool = True) -> str:
    """8,000 quotes of some days, a few lines of which are damaged; about 300 KB."""
    drawn = random_quotes(8_000, 3, PROFILES["fx"].instrument)
    frame = pl.DataFrame(
        {
            "time": START_NS // 10**6 + np.arange(8_000) * 30_000,
            "bid": drawn.bid / 1e5,
            "ask": drawn.ask / 1e5,
            "bid_size": drawn.bid_size,
            "ask_size": drawn.ask_size,
        }
    )
    lines = frame.write_csv(include_header=header, float_precision=5).splitlines()
    lines[700], lines[4_321], lines[6_000] = "damaged", "1549238400000,x,1.2,1,1", ""
    lines[7_000], lines[7_100] = lines[7_100], lines[7_000]
    return "\n".join(lines) + "\n"


def stored(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PIECE_BYTES", PIECE_BYTES)
    monkeypatch.setattr(reader, "_SMALL_BYTES", 0)


def plain(text: str, path: Path) -> Path:
    path.write_text(text)
    return path


def gzipped(text: str, path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(text.encode()))
    return packed


def zipped(text: str, path: Path) -> Path:
    packed = path.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path.name, text)
    return packed


def counted(report: ImportReport) -> dict[str, object]:
    return {**msgspec.structs.asdict(report), "formats": None}


@pytest.mark.parametrize("pack", [plain, gzipped, zipped])
@pytest.mark.parametrize("header", [True, False])
def test_a_table_in_pieces_is_stored_and_reported_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object, header: bool
) -> None:
    assert callable(pack)
    path = pack(table(header=header), tmp_path / "ticks.csv")
    form = "auto" if header else "quotes"
    whole = imported(tmp_path / "whole", path, format=form)
    in_pieces(monkeypatch)
    pieces = imported(tmp_path / "pieces", path, format=form)

    assert (whole.rows, sum(each.count for each in whole.rejected)) == (7_997, 2)
    assert whole.out_of_order == 100
    assert counted(pieces) == counted(whole)
    assert stored(tmp_path / "pieces") == stored(tmp_path / "whole")


@pytest.mark.parametrize(
    ("line", "damage", "said"),
    [
        (7_000, b"\xff\xff", r"line \d+ is not UTF-8 text \(lines counted from line [0-9,]+ on\)"),
        (7_000, b"1" * 200_000, "line 7001 is longer than"),
    ],
    ids=["no text", "one long line"],
)
def test_damage_far_down_is_told_with_its_place_and_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int, damage: bytes, said: str
) -> None:
    in_pieces(monkeypatch)
    lines = table().encode().splitlines()
    lines[line] = damage
    path = tmp_path / "ticks.csv"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(UserError, match=said):
        imported(tmp_path / "store", path)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("pack", [gzipped, zipped])
def test_an_archive_that_is_cut_off_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: object
) -> None:
    in_pieces(monkeypatch)
    assert callable(pack)
    path = pack(table(), tmp_path / "ticks.csv")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match="damaged, cut off"):
        imported(tmp_path / "store", path)
    assert not (tmp_path / "store").exists()


def test_a_large_table_without_a_good_row_is_refused_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pieces(monkeypatch)
    path = plain("time,bid,ask\n" + "1549238400,x,2\n" * 10_000, tmp_path / "ticks.csv")
    with pytest.raises(UserError, match="no row can be taken, because the bid is missing or no number"):
        imported(tmp_path / "store", path)


def test_progress_moves_within_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(monkeypatch)
    seen: list[float] = []
    path = plain(table(), tmp_path / "ticks.csv")
    from engine.feeds.importing import import_files
    from engine.store import Store
    from tests.engine.feeds.files import known

    import_files(
        [path], "EURUSD.DUKASCOPY", Store(tmp_path / "s"), known(), progress=lambda part, _: seen.append(part)
    )
    assert seen == sorted(seen)
    assert len({part for part in seen if part < 0.8}) > 5
