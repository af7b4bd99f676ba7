"""Sources: the same market however it is stored and cut; and sessions that come and go."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.columns import Columns
from engine.errors import UserError
from engine.messages.commands import Finish
from engine.messages.run import Run
from engine.session.backtest import backtest
from engine.session.source import Chunk, ColumnsSource, SimulatedSource, StoredSource, open_source
from engine.store.store import Store
from tests.engine.session.markets import CRYPTO, crypto, crypto_columns, obey, session
from tests.engine.session.strategies import Market

STORED = Run(instrument=CRYPTO.id)


def stored(folder: Path, **given: int) -> StoredSource:
    return StoredSource(Run(instrument=CRYPTO.id, store=str(folder), **given), rows=900)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = crypto()
    Store(tmp_path).add(CRYPTO, {"quotes": made.quotes, "trades": made.trades, "deltas": made.deltas})
    return tmp_path


def rows(chunks: list[Chunk], kind: str) -> dict[str, list[object]]:
    parts: list[Columns] = [chunk.columns[kind] for chunk in chunks if kind in chunk.columns]
    return {
        name: np.concatenate([part.arrays()[name] for part in parts]).tolist() for name in parts[0].arrays()
    }


def test_stored_chunks_hold_what_was_stored_in_order(store: Path) -> None:
    source = stored(store)
    chunks = list(source.chunks())
    assert len(chunks) > 10
    for kind, columns in zip(("quotes", "trades", "deltas"), crypto_columns(), strict=True):
        got, made = rows(chunks, kind), columns.arrays()
        assert {name: got[name] for name in ("ts_init", "price", "bid") if name in got} == {
            name: made[name].tolist() for name in ("ts_init", "price", "bid") if name in made
        }
    assert source.start_ns == int(crypto().deltas.ts_init[0])
    assert source.end_ns == max(int(part.ts_init[-1]) for part in crypto_columns())
    ends = [max(int(part.ts_init[-1]) for part in chunk.columns.values()) for chunk in chunks]
    starts = [min(int(part.ts_init[0]) for part in chunk.columns.values()) for chunk in chunks]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


def test_a_stretch_of_the_store_is_inclusive(store: Path) -> None:
    first, last = int(crypto().trades.ts_init[5]), int(crypto().trades.ts_init[200])
    source = stored(store, start_ns=first, end_ns=last)
    times = [ts for chunk in source.chunks() for part in chunk.columns.values() for ts in part.ts_init]
    assert (min(times), max(times)) == (first, last) == (source.start_ns, source.end_ns)


def test_the_store_and_memory_give_the_same_fills(store: Path) -> None:
    run = Run(instrument=CRYPTO.id, store=str(store), strategy="book_imbalance", parameters={"hold_s": 1})
    hashes = {
        backtest(run, source).results.fills_sha256
        for source in (
            stored(store),
            open_source(run),
            ColumnsSource(CRYPTO, *crypto_columns(), rows=333),
            ColumnsSource(CRYPTO, *crypto_columns(), rows=10**6),
        )
    }
    assert len(hashes) == 1


def test_a_damaged_store_fails_in_a_sentence(store: Path) -> None:
    [path] = (store / CRYPTO.id / "trades").glob("*.parquet")
    path.write_bytes(b"no parquet")
    with pytest.raises(UserError, match="import that day again"):
        backtest(Run(instrument=CRYPTO.id, store=str(store)))


def test_an_instrument_without_ticks_says_so(tmp_path: Path) -> None:
    Store(tmp_path).add(CRYPTO, {"quotes": crypto().quotes})
    for path in (tmp_path / CRYPTO.id / "quotes").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="import some first"):
        stored(tmp_path)


def test_the_generated_market_is_the_same_at_every_reading() -> None:
    run = Run(
        instrument="",
        simulate="fx",
        end_ns=SimulatedSource(Run(instrument="", simulate="fx")).start_ns + 12 * 10**9,
    )
    source = SimulatedSource(run)
    first, again, other = list(source.chunks()), list(source.chunks()), list(SimulatedSource(run).chunks())
    assert rows(first, "deltas") == rows(again, "deltas") == rows(other, "deltas")
    assert max(ts for ts in rows(first, "deltas")["ts_init"]) <= source.end_ns  # type: ignore[type-var, operator]


def test_sessions_follow_one_another_and_memory_stays() -> None:
    import psutil

    def finish() -> str:
        run = session(strategy=Market, rows=500)
        obey(run, Finish())
        fills = len(run.course.fills)
        run.close()
        return str(fills)

    first = {finish() for _ in range(4)}
    before = psutil.Process().memory_info().rss
    assert {finish() for _ in range(12)} == first
    assert psutil.Process().memory_info().rss - before < 25e6


def test_nothing_of_an_engine_is_left_to_die_in_another_thread() -> None:
    """An engine object freed by another thread may abort the process, so this runs in one of its own."""
    script = """
import gc, threading
from engine.messages.commands import Finish, Seek
from tests.engine.session.markets import quotes, session
from tests.engine.session.strategies import Clumsy, Market, SelfMade
gc.disable()
def work():
    for kind in (Market, Clumsy, SelfMade):
        run = session(strategy=kind)
        run.handle(Seek(int(quotes().ts_init[3000])))
        while run.advance(0.1): pass
        run.handle(Seek(int(quotes().ts_init[1000])))
        while run.advance(0.1): pass
        run.close()
        kept.append(run)
kept = []
thread = threading.Thread(target=work); thread.start(); thread.join()
kept.clear(); gc.collect()
print("alive")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "alive"
    assert "unsendable" not in done.stderr


def test_quotes_without_sizes_fill_orders_whole_and_the_run_says_so() -> None:
    quotes = crypto().quotes
    nothing = np.zeros(len(quotes), np.int64)
    untold = quotes.with_arrays({"bid_size": nothing, "ask_size": nothing})
    run = Run(instrument=CRYPTO.id, strategy="buy_and_hold", parameters={"trade_size": "100"})
    outcome = backtest(run, ColumnsSource(CRYPTO, untold))
    assert [str(fill.quantity) for fill in outcome.fills] == ["100.000"]
    assert outcome.warnings == [
        "Quotes without sizes: orders fill whole at the best price, whatever their size."
    ]
    assert backtest(run, ColumnsSource(CRYPTO, quotes)).warnings == []
