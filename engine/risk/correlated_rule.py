"""Limit of what is held at worst, weighed by how instruments move together."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import product
from math import sqrt
from typing import Final, override

from engine.messages.orders import Denial
from engine.risk.case import Case
from engine.risk.rule import Rule, State
from engine.risk.scope import Scope

_EXACTLY: Final = 1 + 1e-12

type Correlations = Mapping[tuple[str, str], float]
"""By pairs of instruments, in either order; what is missing counts as 1."""

type Reach = tuple[str, float, float]
"""An instrument with its lowest and its highest value."""


class CorrelatedExposure(Rule):
    """The root of w'Cw: values weighed by their correlations, in floats as correlations are estimates."""

    name = "correlated_exposure"
    judges = "reach"

    def __init__(self, scope: Scope, limit: Decimal, state: State, correlations: Correlations) -> None:
        super().__init__(scope, limit, state)
        self.correlations = correlations

    @override
    def denial(self, case: Case) -> Denial | None:
        exposure = self.exposure(case)
        if not exposure.missing and exposure.gross <= self.limit:
            return None  # it is never more than gross exposure, as no correlation is above 1
        reaches = self._reaches(case)
        if isinstance(reaches, str):
            return self.unknown(case, reaches)
        value = largest_correlated(reaches, self.correlations)
        # The last bits of a root must not deny what is exactly at the limit, or no worse than before.
        if value <= float(self.limit) * _EXACTLY:
            return None
        before = self._reaches(None)
        if isinstance(before, list) and value <= largest_correlated(before, self.correlations) * _EXACTLY:
            return None
        exact = Decimal(f"{value:.12g}")
        text = (
            f"This order could take correlated exposure{self.scope.of} to {self.money(exact)}, above the "
            f"limit of {self.money(self.limit)}; order less, or close what moves with "
            f"{case.intent.instrument}."
        )
        return self.denied(text, exact)

    @override
    def used(self, newest: Case | None, now_ns: int) -> Decimal | None:
        reaches = self._reaches(None)
        if isinstance(reaches, str):
            return None
        return Decimal(f"{largest_correlated(reaches, self.correlations):.12g}")

    def _reaches(self, case: Case | None) -> list[Reach] | str:
        """Lowest and highest values by instrument; or the instrument whose price is not known."""
        found: list[Reach] = []
        for each in self.lines:
            low, high, unit = each.short, each.long, None
            if case is not None and each is case.line:
                low, high, unit = case.line_short, case.line_long, case.unit
            elif case is not None and each is case.total:
                low, high, unit = case.total_short, case.total_long, case.unit
            if low or high:
                unit = self.state.book.unit(each.valuing) if unit is None else unit
                if unit is None:
                    return each.valuing.instrument.id
                found.append((each.valuing.instrument.id, float(low * unit), float(high * unit)))
        return found


_CORNERS: Final = 8
"""Instruments with working orders whose every combination of filled and not is looked at."""


def largest_correlated(reaches: list[Reach], correlations: Correlations) -> float:
    """Largest root of w'Cw with each value anywhere from the lowest to the highest of its instrument.

    The form is convex, so its largest is at a corner. With more than 8 open instruments all are taken as
    moving together the worst way, which is never less.

    Parameters
    ----------
    reaches : list of Reach
    """
    if len(reaches) == 1:
        ((_, low, high),) = reaches
        return max(abs(low), abs(high))
    names = [name for name, _, _ in reaches]
    matrix = [[correlation(correlations, first, second) for second in names] for first in names]
    ends = [(low,) if low == high else (low, high) for _, low, high in reaches]
    if sum(len(each) > 1 for each in ends) > _CORNERS:
        matrix = [[abs(value) for value in row] for row in matrix]
        ends = [(max(map(abs, each)),) for each in ends]
    return max(_root(values, matrix) for values in product(*ends))


def correlation(correlations: Correlations, first: str, second: str) -> float:
    """Correlation of two instruments, 1 where it is not known."""
    if first == second:
        return 1.0
    found = correlations.get((first, second))
    return correlations.get((second, first), 1.0) if found is None else found


def _root(values: tuple[float, ...], matrix: list[list[float]]) -> float:
    form = sum(
        value * sum(weight * other for weight, other in zip(row, values, strict=True))
        for value, row in zip(values, matrix, strict=True)
    )
    return sqrt(max(0.0, form))
