"""What goes wrong on purpose: the kinds of faults, those that wait, and how often each struck."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args

type Kind = Literal[
    "drop_user",
    "drop_market",
    "drop_trading",
    "delayed_ack",
    "lost_ack",
    "blind_ack",
    "duplicate_event",
    "out_of_order",
    "http_5xx",
    "http_5xx_executed",
    "half_open",
    "restart",
    "rate_limit",
    "ban",
    "clock_skew",
    "listen_key",
]
"""The faults.

- `drop_user`, `drop_market`, `drop_trading`: those websockets are cut.
- `delayed_ack`: the next order is taken at once and answered late.
- `lost_ack`: the next order is taken (and may fill), and the connection is cut instead of an answer; the user
  stream tells of it. With `blind_ack` the user stream is cut before, so nothing tells of it.
- `duplicate_event`: the next event of the user stream comes twice. `out_of_order`: it comes after the one
  that follows it, or half a second late.
- `http_5xx`: the next request is answered 503 and not looked at. `http_5xx_executed`: the next order is
  answered 503 ("execution status unknown") and taken.
- `half_open`: the user stream stays open and says nothing more.
- `restart`: all sockets are cut and nothing listens for a while; the account is kept.
- `rate_limit`, `ban`: for a while every REST request is answered 429, or 418.
- `clock_skew`: for a while the venue's clock runs ahead, so every signed request is too old (-1021).
- `listen_key`: the user stream's key expires.
"""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind.__value__)

ON_ORDER: Final[frozenset[Kind]] = frozenset(("delayed_ack", "lost_ack", "blind_ack", "http_5xx_executed"))
"""Those that wait for the next order."""

WAITING: Final[frozenset[Kind]] = ON_ORDER | {"duplicate_event", "out_of_order", "http_5xx"}
"""Those that wait for what they spoil; the others strike at once."""


class Faults:
    """Counts faults and keeps those that wait."""

    def __init__(self) -> None:
        self._waiting: Counter[Kind] = Counter()
        self.struck: Counter[Kind] = Counter()
        """How often each kind had an effect."""
        self.log: list[tuple[int, Kind]] = []
        """Each effect: when (UNIX ns), and of what kind."""

    def arm(self, kind: Kind) -> None:
        """Let a fault strike at its next opportunity."""
        self._waiting[kind] += 1

    def strikes(self, kind: Kind) -> bool:
        """Whether this is its opportunity."""
        if not self._waiting[kind]:
            return False
        self._waiting[kind] -= 1
        self.note(kind)
        return True

    def note(self, kind: Kind) -> None:
        """Count an effect."""
        self.struck[kind] += 1
        self.log.append((time.time_ns(), kind))

    def strikes_any(self, kinds: frozenset[Kind]) -> Kind | None:
        """The waiting fault of these kinds whose opportunity this is."""
        return next((kind for kind in sorted(kinds) if self.strikes(kind)), None)


def schedule(seed: int, mean_s: float, kinds: Sequence[Kind] = KINDS) -> Iterator[tuple[float, Kind]]:
    """Draw faults without end: how long to wait, and what then goes wrong; equal seeds, equal faults.

    Every kind comes once in each round of all, so that even a short run sees them all.
    """
    draw = random.Random(seed)
    while True:
        for kind in draw.sample(sorted(kinds), len(kinds)):
            yield draw.expovariate(1 / mean_s), kind
