"""A few seconds of orders under random faults: in the end venue and engine agree on every fill and balance.

`nexttick bench soak` does the same for as long as one likes; this one leaves out the half-open connection,
which the adapter takes forty seconds to notice.
"""

import random
import time
from decimal import Decimal
from typing import Any

from tests.venue import ProcessVenue, Setup
from tests.venue.client import Client, name_of, sizes
from tests.venue.faults import KINDS

_SECONDS = 5.0
_SETTLED_S = 60.0


def test_venue_and_engine_agree_after_random_faults() -> None:
    kinds = tuple(kind for kind in KINDS if kind != "half_open")
    setup = Setup(market="crypto", fault_seed=5, fault_mean_s=0.35, fault_kinds=kinds, pause_s=0.3)
    with ProcessVenue(setup) as venue, _client(venue) as client:
        client.wait(lambda event: event["event"] == "quote")
        _trade_at_random(client)
        venue.faulty(on=False)
        deadline = time.monotonic() + _SETTLED_S
        while (believed := _believed(client)) != (true := _true(venue)):
            assert time.monotonic() < deadline, f"the engine has {believed}, the venue {true}"
            time.sleep(0.5)
        assert len(venue.truth().fills) > 20
        assert len(venue.faults()) > 5


def _client(venue: ProcessVenue) -> Client:
    """A node that keeps orders in doubt until it is told, and asks often."""
    return Client.of(
        venue,
        retain_unresolved=True,
        inflight_check_ms=200,
        inflight_threshold_ms=500,
        open_only=False,
        open_check_s=0.5,
        open_threshold_ms=1000,
    )


def _trade_at_random(client: Client) -> None:
    draw, until, number = random.Random(5), time.monotonic() + _SECONDS, 0
    while time.monotonic() < until:
        quote = next(event for event in reversed(client.events) if event["event"] == "quote")
        number += 1
        side = draw.choice(["BUY", "SELL"])
        size = str(Decimal(draw.randint(1, 5)) / 1000)
        near = Decimal(quote["bid" if side == "BUY" else "ask"])
        if draw.random() < 0.4:
            client.do("market", id=f"o{number}", side=side, size=size)
        else:
            price = near + Decimal(draw.randint(-5, 5)) / 10
            client.do("limit", id=f"o{number}", side=side, size=size, price=str(price))
        if number % 20 == 0:
            client.do("cancel_all")
        time.sleep(0.05)


def _believed(client: Client) -> tuple[Any, ...]:
    state = client.state()
    filled = {name: Decimal(size) for name, (_, size) in state["orders"].items() if Decimal(size)}
    return filled, sum(sizes(state).values(), Decimal(0)), state["balances"]


def _true(venue: ProcessVenue) -> tuple[Any, ...]:
    truth = venue.truth()
    assert truth.imbalance == 0
    filled = {name_of(order.client_id): order.filled for order in truth.orders if order.filled}
    held = sum((size for size, _ in truth.positions.values()), Decimal(0))
    return filled, held, {"USDT": f"{truth.wallet:.8f} USDT"}
