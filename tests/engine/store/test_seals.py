from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from engine.errors import UserError
from engine.store import Store
from engine.store.schema import write_parquet
from engine.store.seals import Seal, check_seal, seal
from tests.engine.store.rows import EURUSD, quotes


def flipped(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def test_any_flipped_bit_of_a_file_breaks_its_seal(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    write_parquet(quotes(list(range(40))), path)
    whole = path.read_bytes()
    assert check_seal(path) is Seal.WHOLE
    for at in range(0, len(whole), 3):
        flipped(path, at, at % 8)
        assert check_seal(path) is Seal.BROKEN, at
        path.write_bytes(whole)
    path.write_bytes(whole + b"\0")
    assert check_seal(path) is Seal.BROKEN


def test_a_sealed_file_is_plain_parquet(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    write_parquet(quotes([1, 2, 3]), path, level=9)
    assert pl.read_parquet(path).height == 3
    assert pq.read_metadata(path).metadata[b"nexttick.zstd-level"] == b"9"


def test_a_file_from_elsewhere_has_no_seal_and_cannot_be_given_one(tmp_path: Path) -> None:
    path = tmp_path / "day.parquet"
    pl.DataFrame({"ts_event": [1]}).write_parquet(path)
    assert check_seal(path) is Seal.NONE
    with pytest.raises(ValueError, match="without a place"):
        seal(path)


def test_a_page_whose_bits_flipped_is_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(EURUSD, {"quotes": quotes(list(range(500)))})
    path = store.files("EURUSD.SIM", "quotes")[0]
    column = pq.read_metadata(path).row_group(0).column(2)
    flipped(path, column.data_page_offset + column.total_compressed_size - 1, 0)
    with pytest.raises(UserError, match="damaged"):
        store.read("EURUSD.SIM", "quotes")
