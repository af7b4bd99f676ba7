"""A tape's answers per pixel equal a look at every row, at a cost that ignores their number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.state.tape import QuoteTape, TradeTape, pixel_edges
from tests.app.state.market_rows import quotes, trades

STEPS = st.lists(st.integers(0, 9), min_size=1, max_size=700)


def _filled(times: np.ndarray, values: np.ndarray, batch: int) -> QuoteTape:
    tape = QuoteTape()
    for start in range(0, len(times), batch):
        tape.append(quotes(times[start : start + batch], values[start : start + batch]))
    return tape


@given(STEPS, st.integers(1, 90), st.integers(1, 400), st.integers(-50, 2000), st.integers(1, 5000))
@settings(max_examples=150, deadline=None)
def test_an_envelope_equals_a_look_at_every_row(
    steps: list[int], pixels: int, batch: int, start: int, length: int
) -> None:
    times = np.cumsum(steps)
    values = np.random.default_rng(len(steps)).integers(0, 1000, len(steps)).astype(float)
    tape = _filled(times, values, batch)
    envelope = tape.envelope("bid", start, start + length, pixels)
    edges = pixel_edges(start, start + length, pixels)
    for pixel in range(pixels):
        inside = values[(times >= edges[pixel]) & (times < edges[pixel + 1])]
        assert envelope.count[pixel] == len(inside)
        got = [array[pixel] for array in (envelope.first, envelope.last, envelope.low, envelope.high)]
        if len(inside):
            assert got == [inside[0], inside[-1], inside.min(), inside.max()]
        else:
            assert np.isnan(got).all()
    before = values[times < start]
    assert envelope.before == before[-1] if len(before) else np.isnan(envelope.before)


def test_an_envelope_is_exact_through_all_levels_of_a_long_history() -> None:
    random = np.random.default_rng(5)
    times = np.cumsum(random.integers(0, 30, 300_000))
    values = random.normal(size=300_000)
    tape = _filled(times, values, 7_919)
    for start, end, pixels in (
        (0, int(times[-1]) + 1, 20),
        (777, 3_500_001, 133),
        (10**6, 10**6 + 5000, 800),
    ):
        envelope = tape.envelope("bid", start, end, pixels)
        rows = times.searchsorted(pixel_edges(start, end, pixels))
        for pixel in range(pixels):
            inside = values[rows[pixel] : rows[pixel + 1]]
            if len(inside):
                assert (envelope.low[pixel], envelope.high[pixel]) == (inside.min(), inside.max())


def test_the_cost_of_an_envelope_does_not_grow_with_the_history() -> None:
    reads = []
    for rows in (250_000, 2_000_000):
        tape = _filled(np.arange(rows), np.zeros(rows), rows)
        tape.envelope("bid", 0, rows, 500)
        reads.append(tape.reads)
    assert reads[1] <= 1.5 * reads[0]
    assert reads[1] < 300 * 500


def test_both_columns_of_quotes_have_an_envelope() -> None:
    tape = _filled(np.array([0, 1]), np.array([10.0, 20.0]), 2)
    assert tape.envelope("ask", 0, 2, 1).high[0] == 22.0
    with pytest.raises(KeyError):
        tape.envelope("bid_size", 0, 2, 1)


def test_a_row_that_arrives_late_counts_as_known_with_the_row_before_it() -> None:
    tape = QuoteTape()
    tape.append(quotes([10, 30, 20], [1.0, 2.0, 3.0]))
    tape.append(quotes([25], [4.0]))
    assert tape.times.tolist() == [10, 30, 30, 30]
    assert tape.span(11, 31) == slice(1, 4)


def test_the_oldest_rows_go_when_there_are_too_many_and_are_counted() -> None:
    tape = QuoteTape(limit=1000)
    for start in range(0, 3000, 100):
        times = np.arange(start, start + 100)
        tape.append(quotes(times, times.astype(float)))
    assert len(tape) <= 1000
    assert tape.rows["ts"][0] == tape.dropped == 3000 - len(tape)
    envelope = tape.envelope("bid", 2900, 3000, 10)
    assert envelope.low.tolist() == list(range(2900, 3000, 10))


def test_conflated_rows_are_counted_although_no_row_came() -> None:
    tape = QuoteTape()
    tape.append(quotes([], []), conflated=7)
    assert (tape.conflated, tape.version) == (7, 1)
    tape.append(quotes([], []))
    assert tape.version == 1


def test_a_cleared_tape_is_empty_and_newer() -> None:
    tape = _filled(np.arange(100), np.zeros(100), 50)
    version = tape.version
    tape.clear()
    assert len(tape) == 0
    assert tape.version > version
    assert np.isnan(tape.envelope("bid", 0, 100, 4).low).all()


@given(STEPS, st.integers(1, 90), st.integers(0, 3000), st.integers(1, 3000))
@settings(max_examples=80, deadline=None)
def test_volumes_between_edges_are_the_sums_of_the_trades_between_them(
    steps: list[int], batch: int, start: int, length: int
) -> None:
    times = np.cumsum(steps)
    random = np.random.default_rng(3)
    sizes, aggressors = random.integers(1, 50, len(times)), random.integers(0, 3, len(times))
    tape = TradeTape()
    for at in range(0, len(times), batch):
        some = slice(at, at + batch)
        tape.append(trades(times[some], 1.0, sizes[some], aggressors[some]))
    edges = np.array([start, start + length])
    for sums, aggressor in zip(tape.volumes(edges), (1, 2), strict=True):
        chosen = (times >= start) & (times < start + length) & (aggressors == aggressor)
        assert np.diff(sums)[0] == sizes[chosen].sum()


def test_thinned_trades_keep_the_largest_and_do_not_change_under_panning() -> None:
    random = np.random.default_rng(11)
    sizes = random.permutation(100_000).astype(float)
    tape = TradeTape()
    tape.append(trades(np.arange(100_000), 1.0, sizes, 1))
    shown = tape.largest(1_000, 91_000, 400)
    assert 90 <= len(shown) <= 404
    assert shown["size"].max() == sizes[1_000:91_000].max()
    assert (np.diff(shown["ts"]) > 0).all()
    moved = tape.largest(1_500, 91_500, 400)
    common = set(shown["ts"][1:-1].tolist()) & set(moved["ts"].tolist())
    assert len(common) >= len(shown) - 8
    assert len(tape.largest(5, 105, 400)) == 100
