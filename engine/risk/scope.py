"""Whom a limit binds, a loss is counted of, or a rate is taken of."""

from functools import cache
from typing import Literal, NamedTuple


class Scope(NamedTuple):
    """The whole account, one strategy, or one instrument in all strategies; the account has no name."""

    kind: Literal["account", "strategy", "instrument"]
    name: str = ""

    @property
    def of(self) -> str:
        """What stands behind a limit in a sentence."""
        return {"account": "", "strategy": f" of {self.name}", "instrument": f" in {self.name}"}[self.kind]


@cache  # in the way of every order
def scopes_of(strategy: str, instrument: str) -> tuple[Scope, Scope, Scope]:
    """Those that an order is in: the account, its strategy and its instrument."""
    return Scope("account"), Scope("strategy", strategy), Scope("instrument", instrument)
