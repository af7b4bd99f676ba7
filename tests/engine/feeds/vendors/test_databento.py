from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import databento_dbn as dbn
import msgspec
import numpy as np
import pytest
import zstandard
from databento_dbn import Action, Schema, Side
from hypothesis import given, settings
from hypothesis import strategies as st
from nautilus_trader.adapters.databento import DatabentoDataLoader
from nautilus_trader.model import InstrumentId

from engine.book import Book
from engine.columns import Aggressor, Deltas, Flag, Quotes, Snapshots, Trades, VendorBars
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import detect
from engine.feeds.importing import import_files
from engine.feeds.vendors.databento import decode
from engine.store import Store
from tests.engine.feeds.files import known, source_file
from tests.engine.feeds.mutations import mutations, survives
from tests.engine.feeds.vendors.dbn_files import (
    LAST,
    SNAPSHOT,
    T0,
    bar,
    dbn_file,
    definition,
    depth,
    level,
    nanos,
    old_definition,
    order,
    quote,
    trade,
)

TRADES = dbn_file(Schema.TRADES, trade(0, 180.25, 100), trade(1, 180.255, 50, Side.ASK), trade(2, 180, 1))
BOOKS = [level(180 - n, 181 + n, (n + 1, n + 2)) if n < 3 else level(None, None) for n in range(10)]


def read(data: bytes, instrument: str = "AAPL.NASDAQ") -> Decoded:
    return decode(source_file(data, "x.dbn", instrument=instrument, format_name="databento"))


def part[C](found: Decoded, kind: str, of: type[C]) -> C:
    columns = found.columns[kind]
    assert isinstance(columns, of)
    return columns


def test_trades_are_exact_and_carry_both_clocks() -> None:
    for data in (TRADES, zstandard.compress(TRADES)):
        assert detect(Path("x.dbn"), data).name == "databento"
        rows = part(read(data), "trades", Trades)
        assert (rows.price.tolist(), rows.price_precision) == ([180_250, 180_255, 180_000], 3)
        assert (rows.size.tolist(), rows.size_precision) == ([100, 50, 1], 0)
        assert rows.aggressor.tolist() == [Aggressor.BUYER, Aggressor.SELLER, Aggressor.BUYER]
        assert rows.ts_event.tolist() == [T0, T0 + 1_000_000, T0 + 2_000_000]
        assert (rows.ts_init - rows.ts_event).tolist() == [500] * 3


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("by_number", [False, True])
@pytest.mark.parametrize("ts_out", [False, True])
def test_every_version_and_form_of_header_is_read(version: int, by_number: bool, ts_out: bool) -> None:
    sent: dict[str, Any] = {"ts_out": T0} if ts_out else {}
    records = [trade(n, 180 + n, 5, **sent) for n in range(4)]
    data = dbn_file(Schema.TRADES, *records, version=version, by_number=by_number, ts_out=ts_out)
    assert part(read(data), "trades", Trades).price.tolist() == [180, 181, 182, 183]


def test_the_rows_of_one_instrument_are_taken() -> None:
    both = [("AAPL", 7), ("MSFT", 8), ("BRK.B", 9)]
    records = [trade(n, 10 + n, 1, instrument_id=7 + n % 3) for n in range(9)]
    data = dbn_file(Schema.TRADES, *records, symbols=both)
    found = read(data, "MSFT.NASDAQ")
    assert part(found, "trades", Trades).price.tolist() == [11, 14, 17]
    assert any("holds AAPL, BRK.B too" in note for note in found.notes)
    assert part(read(data, "BRK-B.NYSE"), "trades", Trades).price.tolist() == [12, 15, 18]
    with pytest.raises(Undecodable, match=r"holds AAPL, MSFT, BRK\.B, not TSLA"):
        read(data, "TSLA.NASDAQ")
    with pytest.raises(Undecodable, match="what its instruments' numbers stand for"):
        read(dbn_file(Schema.TRADES, *records, symbols=[]))
    nameless = read(dbn_file(Schema.TRADES, records[0], symbols=[]))
    assert any("taken as AAPL" in note for note in nameless.notes)


def test_a_number_stands_for_a_symbol_on_its_days_only() -> None:
    later = trade(0, 5, 1, ts_recv=T0 + 3 * 86_400 * 10**9)
    data = dbn_file(Schema.TRADES, trade(0, 4, 1), later)
    assert part(read(data), "trades", Trades).price.tolist() == [4]
    with pytest.raises(Undecodable, match="on the days that its header tells"):
        read(dbn_file(Schema.TRADES, later))


def test_best_quotes_come_with_the_trades_between_them() -> None:
    traded = quote(2, 180, 180.01, action=Action.TRADE, price=nanos(180.01), size=5)
    found = read(dbn_file(Schema.MBP_1, quote(0, 180, 180.01), quote(1, None, 180.01), traded))
    quotes, trades = part(found, "quotes", Quotes), part(found, "trades", Trades)
    assert (quotes.bid.tolist(), quotes.ask.tolist(), quotes.price_precision) == ([18_000], [18_001], 2)
    assert (quotes.bid_size.tolist(), quotes.ask_size.tolist()) == ([100], [200])
    assert (trades.price.tolist(), trades.size.tolist()) == ([18_001], [5])
    assert [(each.reason, each.count, each.first_line) for each in found.rejected] == [
        ("the bid is missing or not above 0", 1, 2)
    ]
    only_trades = read(dbn_file(Schema.TBBO, traded))
    assert part(only_trades, "quotes", Quotes).bid.tolist() == [180_00]


def test_ten_levels_become_snapshots() -> None:
    rows = part(read(dbn_file(Schema.MBP_10, depth(0, BOOKS))), "depth", Snapshots)
    assert rows.bid.shape == (1, 10)
    assert rows.bid[0, :4].tolist() == [180, 179, 178, 0]
    assert rows.ask_size[0].tolist() == [2, 3, 4, *[0] * 7]


def test_bars_open_when_they_say_and_are_known_when_they_close() -> None:
    found = read(dbn_file(Schema.OHLCV_1M, bar(0, (1, 2, 0.5, 1.5), 10), bar(1, (1, 0.9, 0.5, 1), 10)))
    rows = part(found, "bars-1-MINUTE-LAST", VendorBars)
    assert (rows.open.tolist(), rows.high.tolist(), rows.low.tolist(), rows.close.tolist()) == (
        [10],
        [20],
        [5],
        [15],
    )
    assert (rows.ts_event[0] % 60_000_000_000, rows.ts_init[0] - rows.ts_event[0]) == (0, 60_000_000_000)
    assert rows.volume.tolist() == [10]
    assert [each.reason for each in found.rejected] == ["the high is below the open or the close"]
    daily = read(dbn_file(Schema.OHLCV_1D, bar(0, (1, 2, 0.5, 1.5), 10, rtype=0x23)))
    assert list(daily.columns) == ["bars-1-DAY-LAST"]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_definition_says_what_a_future_is(version: int) -> None:
    record = definition() if version == 3 else old_definition(version)
    data = dbn_file(Schema.DEFINITION, record, symbols=[("ESH5", 7)], version=version)
    found = read(data, "ESH5.NASDAQ")
    assert found.instrument is not None
    told = msgspec.structs.asdict(found.instrument)
    assert {name: told[name] for name in ("kind", "base", "quote")} == {
        "kind": "future",
        "base": "ES",
        "quote": "USD",
    }
    assert (told["tick_size"], told["price_precision"]) == (Decimal("0.25"), 2)
    assert (told["multiplier"], told["inverse"]) == (50, False)
    assert "ESH5 expires on 2025-03-21." in found.notes


def test_a_share_is_defined_too_and_an_option_is_not() -> None:
    share = definition(
        raw_symbol="AAPL", instrument_class=dbn.InstrumentClass.STOCK, min_price_increment=2**63 - 1
    )
    found = read(dbn_file(Schema.DEFINITION, share)).instrument
    assert found is not None
    assert (found.kind, found.base) == ("equity", "AAPL")
    assert (found.tick_size, found.multiplier) == (Decimal("0.01"), Decimal(1))
    option = definition(instrument_class=dbn.InstrumentClass.CALL)
    with pytest.raises(Undecodable, match="neither a share nor a future"):
        read(dbn_file(Schema.DEFINITION, option))


def test_a_future_is_stored_once_a_definition_tells_what_it_is(tmp_path: Path) -> None:
    es = [("ESH5", 7)]
    rows, facts, later = (tmp_path / name for name in ("trades.dbn", "definition.dbn", "later.dbn"))
    rows.write_bytes(dbn_file(Schema.TRADES, trade(0, 5000.25, 3), symbols=es))
    later.write_bytes(dbn_file(Schema.TRADES, trade(1, 5000.5, 3), symbols=es))
    facts.write_bytes(dbn_file(Schema.DEFINITION, definition(), symbols=es))
    store = Store(tmp_path / "store")
    with pytest.raises(UserError, match=r"ESH5\.GLBX is a future.*import its definition file"):
        import_files([rows], "ESH5.GLBX", store, known())
    alone = import_files([facts], "ESH5.GLBX", store, known())
    assert any("import both together" in note for note in alone.notes)
    import_files([rows, facts], "ESH5.GLBX", store, known())
    import_files([later], "ESH5.GLBX", store, known())
    stored = store.instrument("ESH5.GLBX")
    assert (stored.multiplier, stored.tick_size, stored.quote) == (Decimal(50), Decimal("0.25"), "USD")
    assert store.info("ESH5.GLBX")["trades"].rows == 2


# Single orders

MOVES = st.tuples(
    st.sampled_from(
        [Action.ADD, Action.ADD, Action.MODIFY, Action.CANCEL, Action.CANCEL, Action.CLEAR, Action.FILL]
    ),
    st.integers(1, 6),
    st.integers(10, 14),
    st.integers(1, 9),
    st.booleans(),
)


class _Orders:
    """The plain way: a dictionary of orders."""

    def __init__(self) -> None:
        self.resting: dict[int, tuple[str, int, int]] = {}

    def take(self, record: dbn.MBOMsg) -> None:
        if record.action == Action.CLEAR:
            self.resting.clear()
        elif record.action in (Action.ADD, Action.MODIFY):
            self.resting[record.order_id] = (str(record.side), record.price, record.size)
        elif record.action == Action.CANCEL and record.order_id in self.resting:
            side, price, size = self.resting.pop(record.order_id)
            if size > record.size:
                self.resting[record.order_id] = (side, price, size - record.size)

    def levels(self, side: str) -> dict[int, int]:
        found: defaultdict[int, int] = defaultdict(int)
        for theirs, price, size in self.resting.values():
            if theirs == side:
                found[price // 10**9] += size
        return dict(found)


def messages(moves: list[tuple[Action, int, int, int, bool]]) -> list[dbn.MBOMsg]:
    """Orders 1 to 3 are bids below 13, 4 to 6 asks from 13 on."""
    return [
        order(
            at,
            action,
            number,
            price if number < 4 else price + 5,
            size,
            Side.BID if number < 4 else Side.ASK,
            flags=LAST * ends,
        )
        for at, (action, number, price, size, ends) in enumerate(moves)
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVES, min_size=1, max_size=40))
def test_levels_are_the_sums_of_the_orders_after_every_update(
    moves: list[tuple[Action, int, int, int, bool]],
) -> None:
    records = messages(moves)
    found = read(dbn_file(Schema.MBO, *records)).columns.get("deltas")
    orders, book = _Orders(), Book()
    deltas = found if isinstance(found, Deltas) else None
    for record in records:
        orders.take(record)
        if not int(record.flags) & LAST:
            continue
        if deltas is not None:
            rows = deltas.ts_event == record.ts_event
            book.apply(deltas.take(rows))
            assert (np.flatnonzero(deltas.flags[rows] & Flag.LAST) + 1).tolist() in ([], [rows.sum()])
        scale = 10**deltas.price_precision if deltas is not None else 1
        assert {price // scale: size for price, size in book.bids().tolist()} == orders.levels("B")
        assert {price // scale: size for price, size in book.asks().tolist()} == orders.levels("A")


def test_a_snapshot_is_of_the_time_at_which_it_was_received() -> None:
    old = T0 - 86_400 * 10**9
    snapshot = [
        order(0, Action.CLEAR, flags=SNAPSHOT, ts_event=old),
        order(0, Action.ADD, 1, 180, 10, flags=SNAPSHOT, ts_event=old),
        order(0, Action.ADD, 2, 181, 10, Side.ASK, flags=SNAPSHOT | LAST, ts_event=old),
    ]
    found = read(dbn_file(Schema.MBO, *snapshot, order(1, Action.CANCEL, 1, 180, 4)))
    deltas = part(found, "deltas", Deltas)
    assert deltas.ts_event.tolist() == [T0 + 500] * 3 + [T0 + 1_000_000]
    assert deltas.flags.tolist() == [SNAPSHOT, SNAPSHOT, SNAPSHOT | LAST, LAST]
    assert deltas.size.tolist() == [0, 10, 10, 6]
    assert not found.notes


def test_a_book_that_begins_without_a_snapshot_says_so() -> None:
    found = read(dbn_file(Schema.MBO, order(0, Action.CANCEL, 9, 180, 1), order(1, Action.ADD, 1, 180, 5)))
    assert part(found, "deltas", Deltas).action.tolist() == [4, 1]
    assert any("without a snapshot" in note for note in found.notes)
    assert any("orders from before the file" in note for note in found.notes)


def test_books_of_several_venues_are_not_mixed() -> None:
    with pytest.raises(Undecodable, match="books of several venues"):
        read(dbn_file(Schema.MBO, order(0, Action.ADD, 1), order(1, Action.ADD, 2, publisher_id=3)))


# Beside the engine's own loader

PUBLISHERS = [{"publisher_id": 2, "dataset": "XNAS.ITCH", "venue": "XNAS", "description": "Nasdaq"}]


def test_the_engines_own_loader_reads_the_same(tmp_path: Path) -> None:
    publishers, path = tmp_path / "publishers.json", tmp_path / "x.dbn.zst"
    publishers.write_bytes(msgspec.json.encode(PUBLISHERS))
    loader, named = DatabentoDataLoader(publishers), InstrumentId.from_str("AAPL.XNAS")
    rng = np.random.default_rng(3)
    cents = [180 + int(step) / 100 for step in rng.integers(-500, 500, 200)]
    path.write_bytes(
        zstandard.compress(dbn_file(Schema.TRADES, *(trade(n, c, n + 1) for n, c in enumerate(cents))))
    )
    ours = part(read(path.read_bytes()), "trades", Trades)
    theirs = loader.load_trades(path, named, ours.price_precision)
    assert [each.price.as_decimal() * 100 for each in theirs] == ours.price.tolist()
    assert [each.size.as_decimal() for each in theirs] == ours.size.tolist()
    assert [each.ts_event for each in theirs] == ours.ts_init.tolist(), "it knows the receive time only"
    path.write_bytes(
        zstandard.compress(dbn_file(Schema.MBP_1, *(quote(n, c, c + 0.01) for n, c in enumerate(cents))))
    )
    quotes = part(read(path.read_bytes()), "quotes", Quotes)
    best = loader.load_quotes(path, named, 2)
    assert [each.bid_price.as_decimal() * 100 for each in best] == quotes.bid.tolist()
    assert [each.ask_price.as_decimal() * 100 for each in best] == quotes.ask.tolist()


# Damage

WHOLE = {
    "trades": TRADES,
    "quotes": dbn_file(Schema.MBP_1, *(quote(n, 180, 180.01 + n) for n in range(4))),
    "depth": dbn_file(Schema.MBP_10, depth(0, BOOKS), depth(1, BOOKS)),
    "orders": dbn_file(Schema.MBO, *(order(n, Action.ADD, n, 180 + n) for n in range(6))),
    "bars": dbn_file(Schema.OHLCV_1M, *(bar(n, (1, 2, 0.5, 1.5), 10) for n in range(4))),
    "definition": dbn_file(Schema.DEFINITION, definition()),
    "packed": zstandard.compress(TRADES),
    "old": dbn_file(Schema.TRADES, trade(0, 1, 1), version=1),
}


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_files_end_in_rows_or_one_sentence(name: str) -> None:
    for damaged in mutations(WHOLE[name], 150):
        survives(decode, source_file(damaged, "x.dbn", instrument="AAPL.NASDAQ", format_name="databento"))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (TRADES[:-1], "damaged or cut off"),
        (TRADES[:200], "damaged or cut off"),
        (b"DBN\x09" + TRADES[4:], "DBN version 9"),
        (dbn_file(Schema.STATUS), "holds no records"),
        (dbn_file(Schema.TRADES, trade(0, 10**9, 1), trade(1, 0.0001, 1)), None),
        (dbn_file(Schema.MBP_1, quote(0, 1, 1, action=Action.TRADE, price=2**63 - 2)), "18 digits"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, told: str | None) -> None:
    if told is None:
        assert part(read(data), "trades", Trades).price.tolist() == [10**13, 1]
        return
    with pytest.raises(Undecodable, match=told):
        read(data)
