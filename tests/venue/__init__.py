"""A local exchange for tests: Binance's USD-M futures, spoken to by the engine's own unmodified adapter.

`ThreadVenue` and `ProcessVenue` run one on loopback; `truth()` says what really happened there, `inject()`
lets something go wrong.
"""

from tests.venue.hosts import ProcessVenue, ThreadVenue, Venue, levels
from tests.venue.setup import KEY, SECRET, Setup, Truth

__all__ = ["KEY", "SECRET", "ProcessVenue", "Setup", "ThreadVenue", "Truth", "Venue", "levels"]
