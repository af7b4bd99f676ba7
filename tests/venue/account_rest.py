"""The REST interface of the account: balances, positions, leverage and the user stream's key."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from tests.venue.exchange import Exchange
from tests.venue.refusal import Refusal
from tests.venue.symbol import Params, number
from tests.venue.user_stream import UserStream

type Route = Callable[[Params], Any]

_SUCCESS = {"code": 200, "msg": "success"}


class AccountRest:
    """Answers by method and path; those of the key need no signature."""

    def __init__(self, exchange: Exchange, user: UserStream) -> None:
        self._exchange, self._user = exchange, user

    def key_routes(self) -> Mapping[tuple[str, str], Route]:
        """Those of the listen key."""
        return {
            ("POST", "/fapi/v1/listenKey"): self._open_key,
            ("PUT", "/fapi/v1/listenKey"): self._keep_key,
            ("DELETE", "/fapi/v1/listenKey"): self._close_key,
        }

    def routes(self) -> Mapping[tuple[str, str], Route]:
        """Those that ask, and the account's settings."""
        account = {("GET", f"/fapi/v{version}/account"): self._account for version in (2, 3)}
        balance = {("GET", f"/fapi/v{version}/balance"): lambda _: [self._wallet()] for version in (2, 3)}
        risk = {("GET", f"/fapi/v{version}/positionRisk"): self._position_risk for version in (2, 3)}
        return {
            **account,
            **balance,
            **risk,
            ("GET", "/fapi/v1/positionSide/dual"): lambda _: {"dualSidePosition": False},
            ("GET", "/fapi/v1/multiAssetsMargin"): lambda _: {"multiAssetsMargin": False},
            ("GET", "/fapi/v1/commissionRate"): self._commission,
            ("POST", "/fapi/v1/leverage"): self._set_leverage,
            ("POST", "/fapi/v1/marginType"): self._set_margin_type,
            ("GET", "/fapi/v1/income"): lambda _: [],
        }

    def _balance(self) -> dict[str, Any]:
        exchange = self._exchange
        profit = sum(exchange.margin.profit(each) for each in exchange.markets)
        held = sum(exchange.margin.of_position(each) for each in exchange.markets)
        ordered = sum(exchange.margin.of_orders(each) for each in exchange.markets)
        wallet, available = exchange.ledger.wallet, exchange.margin.available()
        return {
            "asset": exchange.asset,
            "walletBalance": f"{wallet:.8f}",
            "unrealizedProfit": f"{profit:.8f}",
            "marginBalance": f"{wallet + profit:.8f}",
            "maintMargin": f"{held / 2:.8f}",
            "initialMargin": f"{held + ordered:.8f}",
            "positionInitialMargin": f"{held:.8f}",
            "openOrderInitialMargin": f"{ordered:.8f}",
            "crossWalletBalance": f"{wallet:.8f}",
            "crossUnPnl": f"{profit:.8f}",
            "availableBalance": f"{available:.8f}",
            "maxWithdrawAmount": f"{available:.8f}",
            "marginAvailable": True,
            "updateTime": exchange.now_ms(),
        }

    def _wallet(self) -> dict[str, Any]:
        """As the list of balances says it, which calls the wallet `balance`."""
        balance = self._balance()
        return {"accountAlias": "venue", "balance": balance.pop("walletBalance"), **balance}

    def _account(self, _: Params) -> dict[str, Any]:
        balance = self._balance()
        totals = {
            "totalInitialMargin": "initialMargin",
            "totalMaintMargin": "maintMargin",
            "totalWalletBalance": "walletBalance",
            "totalUnrealizedProfit": "unrealizedProfit",
            "totalMarginBalance": "marginBalance",
            "totalPositionInitialMargin": "positionInitialMargin",
            "totalOpenOrderInitialMargin": "openOrderInitialMargin",
            "totalCrossWalletBalance": "crossWalletBalance",
            "totalCrossUnPnl": "crossUnPnl",
            "availableBalance": "availableBalance",
            "maxWithdrawAmount": "maxWithdrawAmount",
        }
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": False,
            "multiAssetsMargin": False,
            "updateTime": self._exchange.now_ms(),
            **{total: balance[name] for total, name in totals.items()},
            "assets": [balance],
            "positions": [self._account_position(symbol) for symbol in self._exchange.markets],
        }

    def _account_position(self, symbol: str) -> dict[str, Any]:
        exchange = self._exchange
        return {
            "symbol": symbol,
            "initialMargin": f"{exchange.margin.of_position(symbol):.8f}",
            "maintMargin": f"{exchange.margin.of_position(symbol) / 2:.8f}",
            "unrealizedProfit": f"{exchange.margin.profit(symbol):.8f}",
            "positionInitialMargin": f"{exchange.margin.of_position(symbol):.8f}",
            "openOrderInitialMargin": f"{exchange.margin.of_orders(symbol):.8f}",
            "leverage": str(exchange.margin.leverage[symbol]),
            "isolated": exchange.margin.type[symbol] == "isolated",
            "entryPrice": f"{exchange.ledger.entry_price(symbol):.8f}",
            "maxNotional": "1000000000",
            "positionSide": "BOTH",
            "positionAmt": f"{exchange.ledger.position(symbol):f}",
            "updateTime": exchange.now_ms(),
        }

    def _position_risk(self, params: Params) -> list[dict[str, Any]]:
        chosen = params.get("symbol")
        if chosen:
            self._exchange.market(chosen)
        return [self._risk(symbol) for symbol in self._exchange.markets if chosen in (None, symbol)]

    def _risk(self, symbol: str) -> dict[str, Any]:
        exchange = self._exchange
        market = exchange.markets[symbol]
        held = exchange.ledger.position(symbol)
        entry = f"{exchange.ledger.entry_price(symbol):.8f}"
        return {
            "symbol": symbol,
            "positionAmt": f"{held:.{market.symbol.size_precision}f}",
            "entryPrice": entry,
            "breakEvenPrice": entry,
            "markPrice": market.symbol.price_text(market.mark),
            "unRealizedProfit": f"{exchange.margin.profit(symbol):.8f}",
            "liquidationPrice": "0",
            "leverage": str(exchange.margin.leverage[symbol]),
            "maxNotionalValue": "1000000000",
            "marginType": exchange.margin.type[symbol],
            "isolatedMargin": "0.00000000",
            "isAutoAddMargin": "false",
            "positionSide": "BOTH",
            "notional": f"{held * market.symbol.price_value(market.mark):.8f}",
            "isolatedWallet": "0",
            "updateTime": exchange.now_ms(),
        }

    def _commission(self, params: Params) -> dict[str, Any]:
        symbol = self._exchange.market(params.get("symbol")).symbol
        return {
            "symbol": symbol.name,
            "makerCommissionRate": f"{symbol.maker_fee:f}",
            "takerCommissionRate": f"{symbol.taker_fee:f}",
            "rpiCommissionRate": "0",
        }

    def _set_leverage(self, params: Params) -> dict[str, Any]:
        symbol = self._exchange.market(params.get("symbol")).symbol.name
        leverage = int(number(params.get("leverage", ""), "leverage"))
        if not 1 <= leverage <= 125:
            raise Refusal(-4028, f"Leverage {leverage} is not valid.")
        self._exchange.margin.leverage[symbol] = leverage
        return {"symbol": symbol, "leverage": leverage, "maxNotionalValue": "1000000000"}

    def _set_margin_type(self, params: Params) -> dict[str, Any]:
        symbol = self._exchange.market(params.get("symbol")).symbol.name
        wanted = {"CROSSED": "cross", "CROSS": "cross", "ISOLATED": "isolated"}.get(
            params.get("marginType", "").upper()
        )
        if wanted is None:
            raise Refusal(-4044, "Balance Type is invalid.")
        if wanted == self._exchange.margin.type[symbol]:
            raise Refusal(-4046, "No need to change margin type.")
        if self._exchange.ledger.position(symbol):
            raise Refusal(-4048, "Margin type cannot be changed if there exists position.")
        self._exchange.margin.type[symbol] = wanted
        return _SUCCESS

    def _open_key(self, _: Params) -> dict[str, Any]:
        self._user.key = self._user.key or secrets.token_hex(32)
        return {"listenKey": self._user.key}

    def _keep_key(self, _: Params) -> dict[str, Any]:
        if not self._user.key:
            raise Refusal(-1125, "This listenKey does not exist.")
        return {"listenKey": self._user.key}

    def _close_key(self, _: Params) -> dict[str, Any]:
        self._user.key = ""
        return {}
