from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.book import Book
from engine.columns import Aggressor, Deltas, Flag, Trades
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import SourceFile, detect
from engine.feeds.importing import import_files
from engine.feeds.reader import Source
from engine.feeds.vendors.lobster import decode
from engine.store import Store
from tests.engine.feeds.files import known, source_file
from tests.engine.feeds.mutations import mutations, survives
from tests.recordings import recording

STEM = "AAPL_2012-06-21_34200000_57600000"
MESSAGES, BOOKS = f"{STEM}_message_10.csv", f"{STEM}_orderbook_10.csv"
MIDNIGHT_NS = 1_340_251_200_000_000_000
"""2012-06-21 00:00 in New York."""

SMALL = (
    "34200.5,1,11,100,5853300,1\n34200.75,4,11,40,5853300,1\n34201,5,0,7,5853350,-1\n34202,7,0,0,-1,-1\n",
    "5854000,10,5853300,100,9999999999,0,-9999999999,0\n"
    "5854000,10,5853300,60,9999999999,0,-9999999999,0\n"
    "5854000,10,5853300,60,5854100,5,-9999999999,0\n"
    "5854000,10,5853300,60,5854100,5,-9999999999,0\n",
)


def pair(messages: bytes | str, books: bytes | str | None, name: str = MESSAGES) -> Decoded:
    beside = None if books is None else books.encode() if isinstance(books, str) else books
    file = source_file(
        messages,
        name,
        instrument="AAPL.NASDAQ",
        format_name="lobster",
        sibling=lambda asked: beside if asked == BOOKS else None,
    )
    return decode(file)


@pytest.fixture(scope="module")
def real() -> tuple[bytes, bytes]:
    folder = recording("l3/lobster_aapl_l10")
    return (folder / MESSAGES).read_bytes(), (folder / BOOKS).read_bytes()


def test_the_recorded_book_is_rebuilt_after_every_message(real: tuple[bytes, bytes]) -> None:
    deltas = pair(*real).columns["deltas"]
    assert isinstance(deltas, Deltas)
    truth = np.loadtxt(real[1].decode().splitlines(), delimiter=",", dtype=np.int64)
    times = [line.split(b",")[0] for line in real[0].splitlines()]
    ends = np.flatnonzero(deltas.flags & Flag.LAST) + 1
    updates = iter(zip(np.concatenate([[0], ends[:-1]]), ends, strict=True))
    book, unit, row_before = Book(), 10 ** (4 - deltas.price_precision), None
    for row, time in zip(truth, times, strict=True):
        if row_before is None or not np.array_equal(row, row_before):
            start, end = next(updates)
            book.apply(deltas.take(slice(start, end)))
            assert deltas.ts_event[start] == MIDNIGHT_NS + int(Decimal(time.decode()) * 10**9)
        row_before = row
        assert np.array_equal(book.asks() * [unit, 1], row.reshape(10, 4)[:, :2])
        assert np.array_equal(book.bids() * [unit, 1], row.reshape(10, 4)[:, 2:])
    assert next(updates, None) is None
    assert len(truth) == 999


def test_the_recorded_executions_are_the_trades(real: tuple[bytes, bytes]) -> None:
    trades = pair(*real).columns["trades"]
    assert isinstance(trades, Trades)
    rows = [line.split(",") for line in real[0].decode().splitlines()]
    executed = [row for row in rows if row[1] in {"4", "5"}]
    assert len(trades) == len(executed) == 159
    assert trades.size.sum() == sum(int(row[3]) for row in executed)
    assert (trades.price * 10 ** (4 - trades.price_precision)).tolist() == [int(row[4]) for row in executed]
    buyers = [row[5] == "-1" for row in executed]
    assert (trades.aggressor == Aggressor.BUYER).tolist() == buyers
    assert trades.ts_event.tolist() == [MIDNIGHT_NS + int(Decimal(row[0]) * 10**9) for row in executed]
    assert trades.price_precision == 2


def test_a_book_that_only_partly_exists_is_followed() -> None:
    found = pair(*SMALL)
    deltas, trades = found.columns["deltas"], found.columns["trades"]
    assert isinstance(deltas, Deltas)
    assert isinstance(trades, Trades)
    assert deltas.action.tolist() == [4, 1, 1, 2, 1]
    assert deltas.size.tolist() == [0, 100, 10, 60, 5]
    assert deltas.flags.tolist() == [32, 32, 160, 128, 128]
    assert (trades.price.tolist(), trades.price_precision) == ([585_330, 585_335], 3)
    assert trades.aggressor.tolist() == [Aggressor.SELLER, Aggressor.BUYER]
    assert any("halted or resumed 1 times, first at 09:30:02" in note for note in found.notes)


def test_winter_in_new_york_is_an_hour_later() -> None:
    winter = MESSAGES.replace("2012-06-21", "2012-01-20")
    summer, later = pair(SMALL[0], None), pair(SMALL[0], None, winter)
    days = 153 * 86_400
    assert (summer.columns["trades"].ts_event - later.columns["trades"].ts_event).tolist() == [
        (days - 3_600) * 1_000_000_000
    ] * 2
    assert any("no book was stored" in note for note in summer.notes)


def test_a_book_file_is_read_with_its_messages(real: tuple[bytes, bytes]) -> None:
    said = {"instrument": "AAPL.NASDAQ", "format_name": "lobster"}
    found = decode(source_file(real[1], BOOKS, sibling=lambda _name: real[0], **said))
    assert not found.columns
    assert found.notes == (f"{BOOKS} is read with {MESSAGES}.",)
    with pytest.raises(Undecodable, match=f"{MESSAGES} is not beside it"):
        decode(source_file(real[1], BOOKS, **said))
    assert {detect(Path(name), data).name for name, data in zip((MESSAGES, BOOKS), real, strict=True)} == {
        "lobster"
    }


@pytest.mark.parametrize(
    ("messages", "books", "name", "told"),
    [
        (SMALL[0], SMALL[1][:60], MESSAGES, "not a row for each|not the columns"),
        (SMALL[0], SMALL[1].replace(",0\n", "\n"), MESSAGES, "not the columns of a LOBSTER file"),
        (SMALL[0].replace(",1\n", "\n"), SMALL[1], MESSAGES, "not"),
        (SMALL[0], SMALL[1], MESSAGES.replace("AAPL", "MSFT"), "says MSFT, not AAPL"),
        (SMALL[0], SMALL[1], "x.csv", "keep LOBSTER's name"),
        (SMALL[0], SMALL[1], MESSAGES.replace("06-21", "06-31"), "is no day"),
        ("", SMALL[1], MESSAGES, "empty"),
    ],
)
def test_what_cannot_be_read_is_said(messages: str, books: str, name: str, told: str) -> None:
    with pytest.raises(Undecodable, match=told):
        pair(messages, books, name)


def test_damaged_pairs_end_in_rows_or_one_sentence(real: tuple[bytes, bytes]) -> None:
    def file(messages: bytes, books: bytes) -> SourceFile:
        return source_file(
            messages, MESSAGES, instrument="AAPL.NASDAQ", format_name="lobster", sibling=lambda _name: books
        )

    for damaged in mutations(real[0][:4_000], 100):
        survives(decode, file(damaged, b"\n".join(real[1].splitlines()[: damaged.count(b"\n") + 1])))
    lines = real[1].splitlines(keepends=True)[:60]
    for damaged in mutations(b"".join(lines), 100, seed=2):
        survives(decode, file(b"".join(real[0].splitlines(keepends=True)[:60]), damaged))


def test_a_book_file_alone_is_refused_and_a_folder_of_both_is_read(tmp_path: Path) -> None:
    folder, store = tmp_path / "day", Store(tmp_path / "store")
    folder.mkdir()
    for name, text in zip((MESSAGES, BOOKS), SMALL, strict=True):
        (folder / name).write_text(text)
    with pytest.raises(UserError, match=rf"{BOOKS} cannot be imported: .*; import {MESSAGES} instead\.$"):
        import_files([folder / BOOKS], "AAPL.NASDAQ", store, known())
    assert store.instruments() == []
    report = import_files([folder], "AAPL.NASDAQ", store, known())
    assert report.kinds.keys() == {"deltas", "trades"}
    assert f"{BOOKS} is read with {MESSAGES}." in report.notes
    with pytest.raises(UserError, match="its name says 2012-06-21 but --date says 2012-06-22"):
        import_files([folder], "AAPL.NASDAQ", store, known(), Source(day=date(2012, 6, 22)))
