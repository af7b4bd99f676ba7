"""Odd commands in odd orders at a replay, in a process of its own: run as a program, it ends with 0."""

import sys
from contextlib import closing
from decimal import Decimal

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from engine.messages.commands import (
    AnyCommand,
    BreakEven,
    Cancel,
    CancelAll,
    Finish,
    Flatten,
    Modify,
    Reverse,
)
from engine.messages.events import Filled, Refused, Results
from engine.messages.orders import Twap
from tests.engine.nautilus.desks import wanted
from tests.engine.session.hands import at, go, of, order, play, price, traded
from tests.engine.session.markets import FX, obey, session

SIZES = st.sampled_from(
    [Decimal(n) for n in (1, 500, 1_000, 3_000, 10**6, 10**11, "1e20", "NaN", "-5", "0.1")]
)
PRICES = st.one_of(
    st.none(),
    st.integers(-30, 30).map(lambda pips: price(3_000, pips)),
    st.sampled_from([Decimal(n) for n in ("0", "1.100005", "99999999", "1e15", "Infinity", "0.00001")]),
)
INTENTS = st.builds(
    wanted,
    st.sampled_from(["BUY", "SELL"]),
    SIZES,
    type=st.sampled_from(
        ["MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "TRAILING_STOP_MARKET", "ODD"]
    ),
    price=PRICES,
    trigger=PRICES,
    trailing_offset=PRICES,
    time_in_force=st.sampled_from(["GTC", "GTC", "IOC", "FOK", "GTD", "DAY"]),
    expire_ns=st.sampled_from([None, 0, 5, at(3_500), 2**63 - 1]),
    post_only=st.booleans(),
    reduce_only=st.booleans(),
    quote_quantity=st.booleans(),
    twap=st.sampled_from([None, None, None, Twap(3.0, 1.0), Twap(0.0, 0.0), Twap(1e300, 1e-300)]),
)
IDS = st.sampled_from(["H-1", "H-2", "H-3", "H-4", "H-5", "X", "", "\xfc"])
COMMANDS = st.one_of(
    st.builds(
        order,
        st.sampled_from([f"r{n}" for n in range(30)] + ["", "\n"]),
        INTENTS,
        INTENTS,
        INTENTS,
        contingency=st.sampled_from(["none", "bracket"]),
    ),
    st.builds(order, st.sampled_from([f"s{n}" for n in range(99)]), INTENTS),
    st.builds(order, st.sampled_from([f"t{n}" for n in range(99)]), INTENTS, INTENTS,
              contingency=st.sampled_from(["none", "oco", "bracket"])),
    st.builds(Modify, order_id=IDS, quantity=st.one_of(st.none(), SIZES), price=PRICES, trigger=PRICES),
    st.builds(Cancel, IDS),
    st.sampled_from([CancelAll(), Flatten(), Reverse(FX.id), BreakEven(FX.id), Flatten("X")]),
)  # fmt: skip


def run_through(steps: list[tuple[int, AnyCommand]]) -> None:
    """Play the commands, each some rows after the one before; then do it again by seeking back."""
    rows = np.cumsum([3_000, *(gap for gap, _ in steps)])[1:]
    with closing(session(latency_ms=5.0, arm="paper")) as run:
        events = play(run, [(int(row), command) for row, (_, command) in zip(rows, steps, strict=True)])
        assert all(event.text.endswith(".") for event in of(events, Refused))
        end = int(rows[-1]) + 50
        expected = traded([*events, *go(run, end)])
        assert traded(go(run, end + 1, end)) == expected
        [results] = of(obey(run, Finish()), Results)
        assert results.fills >= len(of(expected, Filled))


def main(count: int = 25, begin: int = 0) -> None:
    """Run so many sequences; `begin` draws others."""
    sequences = st.lists(st.tuples(st.integers(1, 150), COMMANDS), min_size=1, max_size=14)
    bounded = settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    bounded(seed(begin)(given(sequences)(run_through)))()
    print(f"{count} sequences")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
