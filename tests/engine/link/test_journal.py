"""What a session told is there for its whole life, and takes little room."""

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.link.builders import fill, order
from engine.link.journal import Journal
from engine.messages.events import AnyEvent


def several(count: int, first: int = 0) -> list[AnyEvent]:
    return [fill(trade_id=f"T-{first + number}") for number in range(count)]


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 7, 999, 1000, 1001, 2500]), min_size=1, max_size=5),
    asked=st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 3_000)), max_size=6),
)
def test_every_part_is_as_it_was_told(sizes: list[int], asked: list[tuple[int, int]]) -> None:
    journal, told = Journal(), list[AnyEvent]()
    for size in sizes:
        fresh = several(size, len(told))
        journal.add(fresh)
        told += fresh
        assert len(journal) == len(told)
    for first, count in asked:
        begin = min(first, len(told))
        end = min(begin + count, len(told))
        assert journal.part(begin, end) == told[begin:end]
    assert journal.part(0, len(told)) == told


def test_what_was_told_long_ago_takes_little_room() -> None:
    journal, count = Journal(), 20_000
    tracemalloc.start()
    for number in range(count):
        journal.add([order(order_id=f"O-{number}")])
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / count < 200
