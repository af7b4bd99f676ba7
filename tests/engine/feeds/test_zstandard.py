import pytest
import zstandard

from engine.feeds.decoded import Undecodable
from engine.feeds.unpacking import contents, head_of

TEXT = b"time,bid,ask\n" * 50_000
PACKED = zstandard.compress(TEXT)


def test_all_frames_of_a_file_are_unpacked() -> None:
    assert contents("x.csv.zst", PACKED) == [("x.csv.zst", TEXT)]
    assert contents("x", PACKED + zstandard.compress(b"end")) == [("x", TEXT + b"end")]
    assert head_of("x", PACKED)[1] == TEXT[:65_536]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (PACKED[:-1], "cut off"),
        (PACKED[:20], "cut off"),
        (PACKED + b"more", "damaged"),
        (PACKED[:30] + b"\xff" * 8 + PACKED[38:], "damaged"),
    ],
)
def test_a_damaged_file_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(Undecodable, match=told):
        contents("x", data)


def test_nothing_is_unpacked_without_end() -> None:
    with pytest.raises(Undecodable, match="unpacks to more than"):
        contents("x", PACKED, largest=100_000)
