"""What a venue told of a key, and the sentence that says it."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from engine.errors import UserError

_BALANCES_SHOWN: Final = 4


class Balance(msgspec.Struct, frozen=True):
    """What an account holds of one asset."""

    asset: str
    total: Decimal


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key after it was asked for.

    Attributes
    ----------
    account : str
        As the venue calls it; empty where it does not tell.
    permissions : tuple of str
        What the key may do, in the venue's own words; empty where it does not tell.
    withdraws : bool or None
        Whether the key can take money away; None where the venue does not tell.
    latency_ms : float
        Of the first request, with its connection.
    remarks : tuple of str
        Sentences of what a person should know besides.
    """

    title: str
    environment: str = ""
    account: str = ""
    balances: tuple[Balance, ...] = ()
    permissions: tuple[str, ...] = ()
    withdraws: bool | None = None
    latency_ms: float = 0.0
    remarks: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it for a person."""
        where = f"{self.title} {self.environment}".strip()
        told = [f"account {self.account}"] if self.account else []
        told.append(self._balances())
        if self.permissions:
            told.append(f"may {', '.join(self.permissions)}")
        first = f"{where} answers in {self.latency_ms:,.0f} ms: {'; '.join(filter(None, told))}."
        if self.withdraws is None and not self.remarks:
            first += f" {self.title} does not tell whether the key may withdraw."
        elif self.withdraws is False:
            first += " The key cannot withdraw."
        return " ".join((first, *self.remarks))

    def _balances(self) -> str:
        if not self.balances:
            return "holds nothing"
        shown = [f"{each.total.normalize():,f} {each.asset}" for each in self.balances[:_BALANCES_SHOWN]]
        more = len(self.balances) - len(shown)
        return f"holds {', '.join(shown)}{f' and {more} more' if more else ''}"


def balances_of(found: Mapping[str, object]) -> tuple[Balance, ...]:
    """Balances that are not zero, by asset, the largest number first."""
    kept = []
    for asset, total in found.items():
        try:
            value = Decimal(str(total))
        except InvalidOperation:
            continue
        if value.is_finite() and value:
            kept.append(Balance(asset, value))
    return tuple(sorted(kept, key=lambda each: -each.total))


def without_withdrawals(name: str, standing: Standing) -> Standing:
    """Return the standing; raises UserError where the key may take money away."""
    if standing.withdraws:
        raise UserError(
            f"The key of {name} may withdraw, so the station does not use it; take that permission from it "
            f"at {standing.title}, or make a key that can only read and trade, and set that."
        )
    return standing
