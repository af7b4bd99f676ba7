"""The public half of the REST interface: time, symbols, book, trades and bars."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.venue.access import Access
from tests.venue.exchange import Exchange
from tests.venue.market import Market
from tests.venue.symbol import BUY, SELL, Params, number

type Route = Callable[[Params], Any]

_INTERVALS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class PublicRest:
    """Answers by method and path."""

    def __init__(self, exchange: Exchange, access: Access, depth_id: Callable[[str], int]) -> None:
        self._exchange, self._access, self._depth_id = exchange, access, depth_id

    def routes(self) -> Mapping[tuple[str, str], Route]:
        """All of them."""
        return {
            ("GET", "/fapi/v1/ping"): lambda _: {},
            ("GET", "/fapi/v1/time"): lambda _: {"serverTime": self._exchange.now_ms()},
            ("GET", "/fapi/v1/exchangeInfo"): self._exchange_info,
            ("GET", "/fapi/v1/depth"): self._depth,
            ("GET", "/fapi/v1/trades"): self._trades,
            ("GET", "/fapi/v1/aggTrades"): self._aggregated,
            ("GET", "/fapi/v1/klines"): self._klines,
            ("GET", "/fapi/v1/ticker/bookTicker"): self._book_ticker,
            ("GET", "/fapi/v1/ticker/price"): self._price,
            ("GET", "/fapi/v1/premiumIndex"): self._premium,
            ("GET", "/fapi/v1/fundingRate"): lambda _: [],
        }

    def _exchange_info(self, _: Params) -> dict[str, Any]:
        asset = {"asset": self._exchange.asset, "marginAvailable": True, "autoAssetExchange": "-10000"}
        return {
            "timezone": "UTC",
            "serverTime": self._exchange.now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": self._access.info(),
            "exchangeFilters": [],
            "assets": [asset],
            "symbols": [market.symbol.info() for market in self._exchange.markets.values()],
        }

    def _depth(self, params: Params) -> dict[str, Any]:
        market = self._exchange.market(params.get("symbol"))
        limit = int(number(params.get("limit", "500"), "limit"))
        symbol = market.symbol

        def side(which: int) -> list[list[str]]:
            shown = market.book.shown(which, limit)
            return [[symbol.price_text(price), symbol.size_text(size)] for price, size in shown]

        now = self._exchange.now_ms()
        return {
            "lastUpdateId": self._depth_id(symbol.name),
            "E": now,
            "T": now,
            "bids": side(BUY),
            "asks": side(SELL),
        }

    def _trades(self, params: Params) -> list[dict[str, Any]]:
        market, tape = self._tape(params)
        symbol, now = market.symbol, self._exchange.now_ms()
        return [
            {
                "id": number,
                "price": symbol.price_text(price),
                "qty": symbol.size_text(size),
                "quoteQty": f"{symbol.notional(price, size):f}",
                "time": now,
                "isBuyerMaker": side == SELL,
            }
            for number, price, size, side in tape
        ]

    def _aggregated(self, params: Params) -> list[dict[str, Any]]:
        market, tape = self._tape(params)
        symbol, now = market.symbol, self._exchange.now_ms()
        return [
            {
                "a": number,
                "p": symbol.price_text(price),
                "q": symbol.size_text(size),
                "f": number,
                "l": number,
                "T": now,
                "m": side == SELL,
            }
            for number, price, size, side in tape
        ]

    def _tape(self, params: Params) -> tuple[Market, list[tuple[int, int, int, int]]]:
        market = self._exchange.market(params.get("symbol"))
        limit = int(number(params.get("limit", "500"), "limit"))
        return market, market.tape[-limit:]

    def _klines(self, params: Params) -> list[list[Any]]:
        """One bar, of the present interval, from the trades at hand: the venue keeps no history."""
        market = self._exchange.market(params.get("symbol"))
        interval = params.get("interval", "1m")
        length = int(interval[:-1]) * _INTERVALS_MS.get(interval[-1], 60_000)
        opened = self._exchange.now_ms() // length * length
        symbol, tape = market.symbol, market.tape
        if not tape:
            return []
        prices = [price for _, price, _, _ in tape]
        volume = sum(size for _, _, size, _ in tape)
        value = sum((symbol.notional(price, size) for _, price, size, _ in tape), symbol.notional(0, 0))
        texts = [symbol.price_text(each) for each in (prices[0], max(prices), min(prices), prices[-1])]
        sums = [f"{value:f}", len(tape), symbol.size_text(0), "0", "0"]
        return [[opened, *texts, symbol.size_text(volume), opened + length - 1, *sums]]

    def _book_ticker(self, params: Params) -> dict[str, Any]:
        market = self._exchange.market(params.get("symbol"))
        symbol = market.symbol
        (bid, bid_size), (ask, ask_size) = market.book.shown_best(BUY), market.book.shown_best(SELL)
        return {
            "symbol": symbol.name,
            "bidPrice": symbol.price_text(bid),
            "bidQty": symbol.size_text(bid_size),
            "askPrice": symbol.price_text(ask),
            "askQty": symbol.size_text(ask_size),
            "time": self._exchange.now_ms(),
        }

    def _price(self, params: Params) -> dict[str, Any]:
        market = self._exchange.market(params.get("symbol"))
        price = market.symbol.price_text(market.last)
        return {"symbol": market.symbol.name, "price": price, "time": self._exchange.now_ms()}

    def _premium(self, params: Params) -> dict[str, Any]:
        market = self._exchange.market(params.get("symbol"))
        mark = market.symbol.price_text(market.mark)
        return {
            "symbol": market.symbol.name,
            "markPrice": mark,
            "indexPrice": mark,
            "estimatedSettlePrice": mark,
            "lastFundingRate": "0.0001",
            "nextFundingTime": self._exchange.now_ms() + 3_600_000,
            "interestRate": "0.0001",
            "time": self._exchange.now_ms(),
        }
