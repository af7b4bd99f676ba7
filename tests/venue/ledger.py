"""The account's books by double entry: every posting takes from one account what it gives to another.

`owed` is what the open positions have cost (negative for a long one); a position that is reduced moves its
share of the cost, rounded to Binance's eight digits, into the wallet as profit, and the last of it moves all.
"""

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

ZERO = Decimal(0)
_MONEY = Decimal("1e-8")


class Ledger:
    """Accounts by name and asset, and the positions that they hold."""

    def __init__(self, asset: str, deposit: Decimal) -> None:
        self.asset = asset
        self.balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.realised: dict[str, Decimal] = defaultdict(Decimal)
        self._post("deposits", "wallet", deposit, asset)

    @property
    def wallet(self) -> Decimal:
        """Wallet balance: deposits, realised profit and fees."""
        return self.balances["wallet", self.asset]

    @property
    def fees(self) -> Decimal:
        """All fees paid."""
        return self.balances["fees", self.asset]

    def position(self, symbol: str) -> Decimal:
        """Signed size held."""
        return self.balances["position", symbol]

    def cost(self, symbol: str) -> Decimal:
        """What the open position cost, signed as the position."""
        return -self.balances[f"owed {symbol}", self.asset]

    def entry_price(self, symbol: str) -> Decimal:
        """Mean price of the open position."""
        held = self.position(symbol)
        return self.cost(symbol) / held if held else ZERO

    def fill(self, symbol: str, signed_size: Decimal, price: Decimal, fee: Decimal) -> Decimal:
        """Book one fill and return the profit that it realised, before its fee."""
        held = self.position(symbol)
        closed = ZERO
        if held * signed_size < 0:
            closed = min(abs(held), abs(signed_size)).copy_sign(held)
        released = ZERO
        if closed:
            cost = self.cost(symbol)
            released = cost if closed == held else _money(cost * closed / held)
        profit = _money(closed * price - released) if closed else ZERO
        self._post("market", "position", signed_size, symbol)
        self._post(f"owed {symbol}", "market", signed_size * price, self.asset)
        if profit:
            self._post(f"owed {symbol}", "wallet", profit, self.asset)
        self._post("wallet", "fees", fee, self.asset)
        self.realised[symbol] += profit
        return profit

    def imbalance(self) -> Decimal:
        """Sum of all accounts of every asset, in absolute terms; not zero is a mistake of the venue."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for (_, asset), amount in self.balances.items():
            sums[asset] += amount
        return sum((abs(amount) for amount in sums.values()), ZERO)

    def _post(self, giver: str, taker: str, amount: Decimal, asset: str) -> None:
        self.balances[giver, asset] -= amount
        self.balances[taker, asset] += amount


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(_MONEY, ROUND_HALF_EVEN)
