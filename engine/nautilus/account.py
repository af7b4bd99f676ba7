"""The account's balances as often as they change, without a copy of its whole past.

Asking Nautilus for the account copies every state it ever had (0.4 ms after 2,500 of them, and growing, so a
run would slow down with every fill). The portfolio tells the same figures in 10 µs.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from nautilus_trader.model import Currency, Venue

from engine.messages.events import AccountChanged, Balance


class AccountReader:
    """Reads one account in one currency.

    Parameters
    ----------
    cache, portfolio : Cache, Portfolio
        The engine's.
    venue : Venue
    currency : Currency
        The account's.
    """

    def __init__(self, cache: Any, portfolio: Any, venue: Venue, currency: Currency) -> None:
        self._cache, self._portfolio = cache, portfolio
        self._venue, self._currency = venue, currency
        self._id = ""
        self._told: AccountChanged | None = None

    @property
    def is_known(self) -> bool:
        """Whether the venue has told of the account: a session may order before it does."""
        if not self._id:
            found = self._cache.account_id(self._venue)
            self._id = "" if found is None else str(found)
        return bool(self._id)

    def told(self, account: AccountChanged) -> None:
        """Remember the account as it was told last."""
        self._told = account

    def news(self, ts: int) -> AccountChanged | None:
        """The account, where it is not as it was told last; None before there is one."""
        if not self.is_known:
            return None
        now = self.changed(ts)
        return None if self._told is not None and self._told.balances == now.balances else now

    def total(self) -> Decimal:
        """Money in the account, without open profit: exact, from the account itself; 0 before it is there."""
        account = self._cache.account_for_venue(self._venue)
        total = None if account is None else account.balance_total(self._currency)
        return Decimal(0) if total is None else total.as_decimal()

    def equity(self) -> Decimal:
        """Money in the account and open profit; without it where an instrument has no price yet."""
        equity = self._portfolio.equity(self._venue).get(self._currency)
        if equity is None or self._portfolio.missing_price_instruments(self._venue):
            return self.total()
        value: Decimal = equity.as_decimal()
        return value

    def changed(self, ts: int) -> AccountChanged:
        """Balances now; for use after a position changed, when the portfolio has taken the account over."""
        try:
            equity = self._portfolio.equity(self._venue).get(self._currency)
            open_profit = self._money(self._portfolio.unrealized_pnls(self._venue))
        except RuntimeError:  # the first tick filled an order, and the portfolio has not seen that tick
            equity, open_profit = None, Decimal(0)
        if equity is None or self._portfolio.missing_price_instruments(self._venue):
            total = self.total()
        else:
            total = equity.as_decimal() - open_profit
        locked = self._money(self._portfolio.balances_locked(self._venue))
        return AccountChanged(
            ts=ts,
            account_id=self._id if self.is_known else "",
            balances=[Balance(currency=self._currency.code, total=total, free=total - locked, locked=locked)],
        )

    def _money(self, amounts: Any) -> Decimal:
        amount = (amounts or {}).get(self._currency)
        value: Decimal = Decimal(0) if amount is None else amount.as_decimal()
        return value


def statistics(
    pnls: Mapping[str, float], returns: Mapping[str, float], general: Mapping[str, float]
) -> dict[str, float | str | None]:
    """The analyzer's statistics by name; not defined is None."""
    # Of returns a day: a profit factor of one bad day is 0, however many of its trades won.
    daily = {name if "(" in name else f"{name} (daily returns)": value for name, value in returns.items()}
    found = {**pnls, **daily, **general}
    return {name: value if math.isfinite(value) else None for name, value in sorted(found.items())}
