"""What the venue publishes of its markets: depth changes, best prices, trades and mark prices."""

from typing import Any

from tests.venue.market import Market
from tests.venue.sockets import Socket, Sockets
from tests.venue.symbol import BUY, SELL

_MARK_MS = 1000
_PARTIAL = (5, 10, 20)


class MarketStream:
    """Publishes one market's changes since the last time."""

    def __init__(self, market: Market, sockets: Sockets) -> None:
        self._market, self._sockets = market, sockets
        self._name = market.symbol.name.lower()
        self.update_id = 1_000
        """Number of the last depth update."""
        self._best: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))
        self._ticker: dict[str, Any] = {}
        self._published_trade = 0
        self._marked_ms = 0

    def publish(self, now_ms: int) -> None:
        """Send what changed to who is subscribed."""
        self._send_trades(now_ms)
        self._send_depth(now_ms)
        self._send_best(now_ms)
        if now_ms - self._marked_ms >= _MARK_MS:
            self._marked_ms = now_ms
            self._send_mark(now_ms)

    def _send(self, stream: str, message: dict[str, Any]) -> None:
        for socket in self._sockets.of(stream):
            socket.send(message, stream)

    def _send_depth(self, now_ms: int) -> None:
        book, symbol = self._market.book, self._market.symbol
        changed, book.changed = sorted(book.changed), set()
        if not changed:
            return
        previous = self.update_id
        self.update_id += len(changed)

        def side(which: int) -> list[list[str]]:
            return [
                [symbol.price_text(price), symbol.size_text(book.size(which, price))]
                for each, price in changed
                if each == which
            ]

        message = {
            "e": "depthUpdate",
            "E": now_ms,
            "T": now_ms,
            "s": symbol.name,
            "U": previous + 1,
            "u": self.update_id,
            "pu": previous,
            "b": side(BUY),
            "a": side(SELL),
        }
        for suffix in ("", "@100ms", "@250ms", "@500ms", "@0ms"):
            self._send(f"{self._name}@depth{suffix}", message)
            for levels in _PARTIAL:
                stream = f"{self._name}@depth{levels}{suffix}"
                if self._sockets.of(stream):
                    self._send(stream, message | self._top(levels))

    def _top(self, levels: int) -> dict[str, Any]:
        symbol = self._market.symbol
        return {
            key: [
                [symbol.price_text(price), symbol.size_text(size)]
                for price, size in self._market.book.shown(which, levels)
            ]
            for key, which in (("b", BUY), ("a", SELL))
        }

    def greet(self, socket: Socket) -> None:
        """Tell a new reader the best prices; markets that a test writes may not move for long."""
        stream = f"{self._name}@bookTicker"
        if stream in socket.streams and self._best[BUY][0]:
            socket.send(self._ticker, stream)

    def _send_best(self, now_ms: int) -> None:
        book, symbol = self._market.book, self._market.symbol
        best = (book.shown_best(BUY), book.shown_best(SELL))
        if best == self._best or not (best[BUY][0] and best[SELL][0]):
            return
        self._best = best
        (bid, bid_size), (ask, ask_size) = best
        self._ticker = {
            "e": "bookTicker",
            "u": self.update_id,
            "E": now_ms,
            "T": now_ms,
            "s": symbol.name,
            "b": symbol.price_text(bid),
            "B": symbol.size_text(bid_size),
            "a": symbol.price_text(ask),
            "A": symbol.size_text(ask_size),
        }
        self._send(f"{self._name}@bookTicker", self._ticker)

    def _send_trades(self, now_ms: int) -> None:
        symbol, tape = self._market.symbol, self._market.tape
        newest = tape[-1][0] if tape else 0
        fresh = tape[len(tape) - (newest - self._published_trade) :] if newest > self._published_trade else []
        self._published_trade = newest
        for number, price, size, side in fresh:
            common = {
                "E": now_ms,
                "T": now_ms,
                "s": symbol.name,
                "p": symbol.price_text(price),
                "q": symbol.size_text(size),
                "m": side == SELL,
            }
            self._send(f"{self._name}@trade", {"e": "trade", "t": number, "X": "MARKET", **common})
            aggregated = {"e": "aggTrade", "a": number, "f": number, "l": number, **common}
            self._send(f"{self._name}@aggTrade", aggregated)

    def _send_mark(self, now_ms: int) -> None:
        symbol = self._market.symbol
        mark = symbol.price_text(self._market.mark)
        message = {
            "e": "markPriceUpdate",
            "E": now_ms,
            "s": symbol.name,
            "p": mark,
            "ap": mark,
            "i": mark,
            "P": mark,
            "r": "0.00010000",
            "T": now_ms + 3_600_000,
        }
        for suffix in ("", "@1s"):
            self._send(f"{self._name}@markPrice{suffix}", message)
