import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.downloads.pace import RateLimit, backoff
from tests.engine.downloads.fakes import FakeClock

NEVER = threading.Event()


@given(st.floats(0.1, 1000), st.integers(1, 200))
def test_no_more_requests_are_made_than_agreed(per_second: float, requests: int) -> None:
    clock = FakeClock()
    limit = RateLimit(per_second, clock)
    for _ in range(requests):
        limit.take("host", NEVER)
    at_once = max(1.0, per_second)
    assert requests <= at_once + clock.monotonic() * per_second + 1e-6
    assert clock.monotonic() <= max(0.0, requests - at_once + 1) / per_second + 1e-6  # and not many fewer


def test_hosts_do_not_wait_for_each_other() -> None:
    clock = FakeClock()
    limit = RateLimit(1, clock)
    limit.take("one", NEVER)
    limit.take("two", NEVER)
    assert clock.monotonic() == 0
    limit.take("one", NEVER)
    assert clock.monotonic() == pytest.approx(1)


def test_a_closed_host_is_left_alone_until_the_latest_time_it_named() -> None:
    clock = FakeClock()
    limit = RateLimit(100, clock)
    limit.close("one", 30)
    limit.close("one", 10)
    limit.take("two", NEVER)
    assert clock.monotonic() == 0
    limit.take("one", NEVER)
    assert clock.monotonic() == pytest.approx(30)


def test_who_hangs_up_waits_for_no_token() -> None:
    stopped = threading.Event()
    stopped.set()
    clock = FakeClock()
    limit = RateLimit(0.001, clock)
    for _ in range(3):
        limit.take("host", stopped)
    assert clock.waits == []


@given(st.integers(0, 60), st.floats(0.1, 10), st.floats(10, 300))
def test_pauses_have_full_jitter_below_a_bound_that_doubles(attempt: int, base: float, most: float) -> None:
    bound = min(most, base * 2**attempt)
    assert backoff(attempt, base, most, lambda low, _high: low) == 0
    assert backoff(attempt, base, most, lambda _low, high: high) == bound
    assert 0 <= backoff(attempt, base, most) <= bound
