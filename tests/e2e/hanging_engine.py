"""A real engine whose strategy buys and then does not come back; the run's seed says in which way.

Run as a program it hosts replays and paper sessions as `app.engine_main` does.
"""

import sys
from pathlib import Path
from typing import Final

from nautilus_trader.model import OrderBookDeltas, QuoteTick

from app.recordings import person_settings, recorder_of
from engine.link.endpoint import Secrets
from engine.link.host import host
from engine.link.protocols import Session
from engine.messages.run import Run
from engine.nautilus.strategies.buy_and_hold import BuyAndHold
from engine.session.live import LiveSession
from engine.session.live_market import recorded_as_live
from engine.session.replay import ReplaySession
from engine.session.source import open_source
from tests.engine.link.hanging import WAYS

SEEDS: Final = list(WAYS)


class Hanging(BuyAndHold):
    """Holds what it bought, and hangs at a later price."""

    way = "none"
    _prices = 0

    def on_quote(self, quote: QuoteTick) -> None:
        super().on_quote(quote)
        self._hang()

    def on_book_deltas(self, deltas: OrderBookDeltas) -> None:
        super().on_book_deltas(deltas)
        self._hang()

    def _hang(self) -> None:
        self._prices += 1
        if self._prices > 50 and self._portfolio.net_position(self.instrument_id):
            print("The strategy hangs.", file=sys.stderr, flush=True)
            WAYS[self.way]()


def make_session(run: Run, _secrets: Secrets | None = None) -> Session:
    kind = type("Hanging", (Hanging,), {"way": SEEDS[run.seed]})
    source = open_source(run)
    recorder = recorder_of(person_settings(), run.mode)
    if run.mode == "replay":
        return ReplaySession(run, source, strategy=kind, recorder=recorder)
    return LiveSession(run, recorded_as_live(run, source), strategy=kind, recorder=recorder)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    sys.exit(host(make_session, stuck_s=6.0))
