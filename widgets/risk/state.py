"""What the risk panel reads, as protocols: whoever has these attributes can be bound to it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from collections.abc import Mapping
from typing import Protocol

from engine.messages.columns import Rows
from engine.messages.frames import Risk
from engine.messages.instrument import Instrument
from engine.messages.limits import AccountRisk


class Curve(Protocol):
    """Equity and drawdown over time, dtype `EQUITY`."""

    @property
    def rows(self) -> Rows: ...


class RiskFigures(Protocol):
    """Latest risk and its history by instrument."""

    @property
    def latest(self) -> Mapping[str, Risk]: ...
    @property
    def history(self) -> Mapping[str, Curve]: ...
    @property
    def version(self) -> int: ...


class RiskMarket(Protocol):
    """Facts of an instrument that its figures are read with."""

    @property
    def instrument(self) -> Instrument: ...


class RiskSession(Protocol):
    """A session, as far as its risk is concerned; `account_risk` is None before the first frame."""

    @property
    def risk(self) -> RiskFigures: ...
    @property
    def markets(self) -> Mapping[str, RiskMarket]: ...
    @property
    def account_risk(self) -> AccountRisk | None: ...
