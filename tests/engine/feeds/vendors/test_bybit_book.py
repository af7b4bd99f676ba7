import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.book import Book
from engine.columns import Action, Deltas, Flag
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import detect
from engine.feeds.importing import import_files
from engine.feeds.vendors import bybit_book
from engine.feeds.vendors.bybit_book import decode
from engine.messages.instrument import Instrument
from engine.store import Store
from engine.store.book_check import check_book
from tests.engine.feeds.files import zipped
from tests.engine.feeds.mutations import mutations, survives
from tests.engine.feeds.vendors.crypto import Only, contract, crypto_file, stored_in_pieces_and_whole

BYBIT = contract("BTCUSDT-PERP.BYBIT", "perpetual")
START_MS = 1_723_075_200_000
NAME = "2024-08-08_BTCUSDT_ob500.data"

type Sides = tuple[dict[str, str], dict[str, str]]
"""Bids and asks: sizes by price, in the wire's own texts."""


def message(
    number: int,
    bids: Mapping[str, str],
    asks: Mapping[str, str],
    *,
    snapshot: bool = False,
    at_ms: int = 0,
    symbol: str = "BTCUSDT",
) -> dict[str, Any]:
    """One message as Bybit archives it."""
    return {
        "topic": f"orderbook.500.{symbol}",
        "type": "snapshot" if snapshot else "delta",
        "ts": START_MS + at_ms + 2,
        "data": {
            "s": symbol,
            "b": [list(level) for level in bids.items()],
            "a": [list(level) for level in asks.items()],
            "u": number,
            "seq": 10 * number,
        },
        "cts": START_MS + at_ms,
    }


def archive(messages: Sequence[Mapping[str, Any]], *, compact: bool = True) -> bytes:
    separators = (",", ":") if compact else (", ", ": ")
    return "".join(f"{json.dumps(each, separators=separators)}\n" for each in messages).encode()


def session(count: int, seed: int, levels: int = 20) -> Iterator[tuple[dict[str, Any], Sides]]:
    """Messages of a book that moves at random, each with the book after it."""
    rng = random.Random(seed)
    bids = {f"{60_000 - n * 0.1:.2f}": f"{rng.randint(1, 9999) / 1000:.3f}" for n in range(levels)}
    asks = {f"{60_000.1 + n * 0.1:.2f}": f"{rng.randint(1, 9999) / 1000:.3f}" for n in range(levels)}
    yield message(1_000, bids, asks, snapshot=True), (dict(bids), dict(asks))
    for step in range(1, count):
        if rng.random() < 0.02:
            kept = (dict(bids), dict(asks))
            yield message(1_000 + step, bids, asks, snapshot=True, at_ms=20 * step), kept
            continue
        changed: Sides = ({}, {})
        for side, changes in zip((bids, asks), changed, strict=True):
            for _ in range(rng.randrange(4)):
                price = rng.choice(list(side)) if side and rng.random() < 0.7 else f"{rng.randint(1, 999)}.50"
                changes[price] = "0" if rng.random() < 0.4 else f"{rng.randint(1, 999999) / 1000:.8f}"
                if changes[price] == "0":
                    side.pop(price, None)
                else:
                    side[price] = changes[price]
        yield message(1_000 + step, *changed, at_ms=20 * step), (dict(bids), dict(asks))


def read(data: bytes, name: str = NAME, instrument: Instrument = BYBIT, **said: Any) -> Decoded:
    return decode(crypto_file(data, name, instrument, **said))


def deltas(found: Decoded) -> Deltas:
    part = found.columns["deltas"]
    assert isinstance(part, Deltas)
    return part


def exact(sides: Sides, rows: Deltas) -> list[dict[int, int]]:
    """Scaled prices and sizes of a book of texts."""
    scales = (10**rows.price_precision, 10**rows.size_precision)
    return [
        {round(float(p) * scales[0]): round(float(s) * scales[1]) for p, s in side.items()} for side in sides
    ]


def both_sides(book: Book) -> list[dict[int, int]]:
    return [dict(book.bids().tolist()), dict(book.asks().tolist())]


@pytest.mark.parametrize("compact", [True, False])
def test_the_book_is_that_of_a_plain_dict_after_every_message(
    compact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bybit_book, "_BLOCK_BYTES", 3_000)
    messages = list(session(400, seed=3))
    rows = deltas(read(zipped({NAME: archive([m for m, _ in messages], compact=compact).decode()})))
    book, start = Book(), 0
    ends = {int(rows.sequence[end]): int(end) + 1 for end in np.flatnonzero(rows.flags & Flag.LAST)}
    for wire, sides in messages:
        end = ends.get(wire["data"]["u"], start)
        book.apply(rows.take(slice(start, end)))
        start = end
        assert both_sides(book) == exact(sides, rows)
    assert start == len(rows)


def test_a_snapshot_clears_and_adds_and_a_delta_updates_and_deletes() -> None:
    text = archive(
        [
            message(7, {"1.50": "2", "1.40": "3"}, {"1.60": "1.25"}, snapshot=True, at_ms=5),
            message(8, {"1.50": "0"}, {"1.70": "4"}, at_ms=9),
            message(9, {}, {}, at_ms=11),
            message(10, {}, {"1.60": "9"}, at_ms=12),
        ]
    )
    found = read(text)
    rows = deltas(found)
    assert rows.action.tolist() == [
        *(Action.CLEAR, Action.ADD, Action.ADD, Action.ADD),
        *(Action.DELETE, Action.UPDATE),
        Action.UPDATE,
    ]
    assert rows.side.tolist() == [0, 1, 1, 2, 1, 2, 2]
    assert rows.price.tolist() == [0, 15, 14, 16, 15, 17, 16]
    assert rows.size.tolist() == [0, 200, 300, 125, 0, 400, 900]
    assert rows.flags.tolist() == [32, 32, 32, 32 | 128, 0, 128, 128]
    assert rows.sequence.tolist() == [7, 7, 7, 7, 8, 8, 10]
    assert rows.ts_event[0] == (START_MS + 5) * 10**6
    assert rows.ts_init[0] == (START_MS + 7) * 10**6
    assert (found.gaps, found.rejected) == (0, ())
    assert ["its market" in note for note in found.notes] == [True], "spot or linear, only a folder tells"
    assert not read(text, f"linear/{NAME}").notes


def test_a_message_without_the_engines_time_happened_when_it_was_sent() -> None:
    wire = message(7, {"1.5": "2"}, {}, snapshot=True)
    del wire["cts"]
    rows = deltas(read(archive([wire])))
    assert rows.ts_event[0] == rows.ts_init[0] == (START_MS + 2) * 10**6


def test_a_gap_clears_the_book_until_the_next_snapshot() -> None:
    found = read(
        archive(
            [
                message(7, {"1.5": "2"}, {}, snapshot=True),
                message(9, {"1.4": "2"}, {}, at_ms=1),
                message(10, {"1.3": "2"}, {}, at_ms=2),
                message(1, {"1.2": "2"}, {}, snapshot=True, at_ms=3),
                message(2, {"1.1": "2"}, {}, at_ms=4),
            ]
        )
    )
    rows = deltas(found)
    assert rows.action.tolist() == [
        *(Action.CLEAR, Action.ADD),
        Action.CLEAR,
        *(Action.CLEAR, Action.ADD, Action.UPDATE),
    ]
    assert (rows.flags[2], rows.sequence[2]) == (Flag.LAST, 0)
    assert rows.ts_event[2] == (START_MS + 1) * 10**6, "the book ends where the next update should have been"
    assert found.gaps == 1
    assert [(each.count, each.first_line) for each in found.rejected] == [(2, 2)]


def test_updates_before_a_snapshot_go_on_with_a_stored_book_only() -> None:
    text = archive(
        [message(8, {"1.5": "2"}, {}), message(9, {"1.4": "2"}, {}), message(11, {"1.3": "1"}, {})]
    )
    alone = read(text)
    assert not alone.columns
    assert [(each.count, each.first_line) for each in alone.rejected] == [(3, 1)]
    assert alone.gaps == 0
    going_on = read(text, book_continues=lambda number: number == 7)
    assert deltas(going_on).action.tolist() == [Action.UPDATE, Action.UPDATE, Action.CLEAR]
    assert going_on.gaps == 1


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda line: line[:-9], "no whole order-book message"),
        (lambda line: line.replace(b'"delta"', b'"guess"'), "no whole order-book message"),
        (lambda line: line.replace(b'"ts":17', b'"ts":9917'), "no whole order-book message"),
        (lambda line: line.replace(b'"1.4"', b'"-1.4"'), "price above 0"),
        (lambda line: line.replace(b'"1.4"', b'"1,4"'), "price above 0"),
        (lambda line: line.replace(b'"1.4","2"', b'"1.4"'), "price above 0"),
        (lambda line: line.replace(b'"1.4","2"', b'"1.4","2","3"'), "price above 0"),
        (lambda line: line.replace(b'[["1.4","2"]]', b'["1.4","2"]'), "price above 0"),
        (lambda line: line.replace(b'[["1.4","2"]]', b'[["1.4",["2"]]]'), "price above 0"),
        (lambda line: line.replace(b'[["1.4","2"]]', b"7"), "price above 0"),
        (lambda line: line.replace(b'[["1.4","2"]]', b'[["1.4","2"],[["1"]]]'), "price above 0"),
    ],
)
def test_a_damaged_message_is_named_and_breaks_the_book(damage: Any, reason: str) -> None:
    lines = archive(
        [
            message(7, {"1.5": "2"}, {"1.6": "7"}, snapshot=True),
            message(8, {"1.4": "2"}, {"1.7": "3"}),
            message(9, {"1.3": "2"}, {}),
            message(10, {"1.2": "2"}, {}, snapshot=True),
        ]
    ).splitlines(keepends=True)
    lines[1] = damage(lines[1].rstrip()) + b"\n"
    found = read(b"".join(lines))
    rows = deltas(found)
    assert rows.action.tolist() == [
        *(Action.CLEAR, Action.ADD, Action.ADD),
        Action.CLEAR,
        *(Action.CLEAR, Action.ADD),
    ]
    assert (found.rejected[0].first_line, found.rejected[0].count) == (2, 1)
    assert reason in found.rejected[0].reason
    assert found.gaps == 1


def test_lines_are_counted_over_all_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bybit_book, "_BLOCK_BYTES", 500)
    lines = archive([wire for wire, _ in session(60, seed=2)]).splitlines(keepends=True)
    lines[40] = lines[40][:-9] + b"\n"
    found = read(b"\n" + b"".join(lines))
    assert found.rejected[0].first_line == 42


def test_numbers_without_quotes_and_long_ones_are_exact() -> None:
    line = archive([message(7, {"1.5": "2"}, {}, snapshot=True)])
    bare = line.replace(b'["1.5","2"]', b"[60000.12345678,0.00000001]")
    rows = deltas(read(bare))
    assert (rows.price[1], rows.size[1], rows.price_precision, rows.size_precision) == (
        6_000_012_345_678,
        1,
        8,
        8,
    )


@pytest.mark.parametrize(
    ("text", "name", "instrument", "said"),
    [
        (archive([message(1, {"1": "1"}, {}, symbol="ETHUSDT")]), NAME, BYBIT, "holds ETHUSDT, not BTCUSDT"),
        (
            archive([message(1, {}, {}), message(2, {}, {}, symbol="ETHUSDT")]),
            NAME,
            BYBIT,
            "several symbols",
        ),
        (archive([message(1, {}, {})]), f"spot/{NAME}", BYBIT, "folder spot"),
        (archive([message(1, {}, {})]), f"linear/{NAME}", contract("BTCUSDT.BYBIT"), "folder linear"),
        (b'{"topic":"orderbook.500.BTCUSDT"', NAME, BYBIT, "no line of it"),
        (b"", NAME, BYBIT, "is empty"),
        (zipped({"a": "1", "b": "2"}), NAME, BYBIT, "2 files"),
        (archive([message(1, {"1.1234567890123456789": "1"}, {})]), NAME, BYBIT, "18 decimals"),
        (
            archive([message(1, {"1": "1"}, {}, at_ms=90_000), message(2, {"1": "1"}, {})]),
            NAME,
            BYBIT,
            "go back by 90 seconds",
        ),
    ],
    ids=range(9),
)
def test_what_cannot_be_is_one_sentence(text: bytes, name: str, instrument: Instrument, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        read(text, name, instrument)


def test_times_that_step_back_keep_the_order_and_are_told() -> None:
    found = read(archive([message(1, {"1": "1"}, {}, at_ms=9), message(2, {"1": "0"}, {}, at_ms=3)]))
    assert deltas(found).ts_event.tolist() == [(START_MS + 9) * 10**6] * 3
    assert any(note.startswith("1 book updates") for note in found.notes)


def test_an_inverse_symbol_is_no_linear_one() -> None:
    text = archive([message(1, {"1": "1"}, {}, symbol="BTCUSD")])
    inverse = contract("BTCUSD-PERP.BYBIT", "perpetual", quote="USD", inverse=True)
    assert not read(text, NAME, inverse).notes
    with pytest.raises(Undecodable, match="symbol BTCUSD tells"):
        read(text, NAME, contract("BTCUSD-PERP.BYBIT", "perpetual", quote="USD"))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.data())
def test_any_cut_into_batches_and_blocks_gives_the_same_book(seed: int, data: st.DataObject) -> None:
    messages = list(session(40, seed))
    text = archive([wire for wire, _ in messages])
    whole = deltas(read(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bybit_book, "_BLOCK_BYTES", data.draw(st.integers(1, len(text))))
        rows = deltas(read(text))
    assert {k: v.tolist() for k, v in rows.arrays().items()} == {
        k: v.tolist() for k, v in whole.arrays().items()
    }
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=6).map(sorted))
    book = Book()
    for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        book.apply(rows.take(slice(start, end)))
    assert both_sides(book) == exact(messages[-1][1], rows)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16), st.data())
def test_a_file_cut_anywhere_is_the_beginning_of_the_whole(seed: int, data: st.DataObject) -> None:
    text = archive([wire for wire, _ in session(20, seed)])
    whole = deltas(read(text))
    cut = data.draw(st.integers(1, len(text)))
    try:
        found = read(text[:cut])
    except Undecodable:
        return
    rows = deltas(found)
    book, beginning = Book(), Book()
    book.apply(rows)
    beginning.apply(whole.take(slice(0, len(rows))))
    assert rows.sequence.tolist() == whole.sequence[: len(rows)].tolist()
    assert rows.flags[-1] & Flag.LAST
    assert both_sides(book) == both_sides(beginning)
    in_mid_line = text[cut - 1 : cut] != b"\n" and text[cut : cut + 1] != b"\n"
    assert bool(found.rejected) == in_mid_line


def test_damaged_archives_are_answered() -> None:
    text = archive([wire for wire, _ in session(30, seed=1, levels=5)])
    for damaged in mutations(text, 250):
        found = survives(decode, crypto_file(damaged, NAME, BYBIT))
        if found is not None and found.columns:
            rows = deltas(found)
            assert (rows.price[rows.action != Action.CLEAR] > 0).all()
            assert (rows.size >= 0).all()
    for damaged in mutations(zipped({NAME: text.decode()}), 40):
        survives(decode, crypto_file(damaged, f"{NAME}.zip", BYBIT))


def test_a_day_is_imported_and_its_book_checked(tmp_path: Path) -> None:
    messages = list(session(300, seed=5))
    path = tmp_path / f"{NAME}.zip"
    path.write_bytes(zipped({NAME: archive([wire for wire, _ in messages]).decode()}))
    assert detect(path, path.read_bytes()).name == "bybit-book"
    store = Store(tmp_path / "store")
    report = import_files([path], BYBIT.id, store, Only(BYBIT))
    rows = deltas(read(path.read_bytes(), path.name))
    assert (report.added, report.gaps, report.rejected) == (len(rows), 0, [])
    stored = store.read(BYBIT.id, "deltas")
    assert {k: v.tolist() for k, v in stored.arrays().items()} == {
        k: v.tolist() for k, v in rows.arrays().items()
    }
    checked = check_book(store, BYBIT.id)
    assert (checked.updates, checked.gaps) == (int((rows.flags & Flag.LAST > 0).sum()), 0)
    bids, asks = exact(messages[-1][1], rows)
    scale = 10**rows.price_precision
    assert checked.final_bid is not None
    assert checked.final_ask is not None
    assert float(checked.final_bid[0]) == max(bids) / scale
    assert float(checked.final_ask[0]) == min(asks) / scale
    again = import_files([path], BYBIT.id, store, Only(BYBIT))
    assert (again.added, again.duplicates) == (0, len(rows))


@pytest.mark.parametrize("missing", [0, 77], ids=["whole", "gap"])
def test_a_day_in_pieces_is_stored_as_the_whole(tmp_path: Path, missing: int) -> None:
    messages = [wire for wire, _ in session(300, seed=8)]
    path = tmp_path / f"{NAME}.zip"
    path.write_bytes(
        zipped({NAME: archive([*messages[: missing or 1], *messages[(missing or 0) + 1 :]]).decode()})
    )
    pieces, whole = stored_in_pieces_and_whole(path, BYBIT, tmp_path)
    rows = [store.read(BYBIT.id, "deltas").arrays() for store in (pieces, whole)]
    assert {k: v.tolist() for k, v in rows[0].items()} == {k: v.tolist() for k, v in rows[1].items()}
    assert check_book(pieces, BYBIT.id) == check_book(whole, BYBIT.id)
