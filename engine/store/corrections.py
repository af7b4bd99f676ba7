"""What a repair does to the rows of one file: which rows go, and what stands in their place.

Pure rules: rows in, rows out. Clipping alone invents prices, and its repair says so; whoever wants none of
them drops what lies outside instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, cast

import msgspec
import numpy as np
import numpy.typing as npt

from engine.columns import ADJUSTED, Action, Columns, Deltas, Flag, Int64, Quotes, Side, Snapshots, is_bars
from engine.errors import UserError
from engine.messages.data import RepairAction
from engine.store.merging import Mask
from engine.store.schema import LARGEST, PRICES, SIZES, restated

type Where = Literal["crossed", "locked", "outside"]

ALL_TIME: Final = (-(2**63), 2**63 - 1)
_MOST_GROWTH: Final = 12
"""Decimals that a split may add; a ratio that needs more needs rounding."""


_KINDS: Final[Mapping[RepairAction, tuple[str, ...]]] = {
    "drop": ("quotes", "trades", "deltas", "depth", "bars", "actions"),
    "clip": ("quotes", "trades", "bars"),
    "fill-forward": ("quotes",),
    "split-adjust": ("quotes", "trades", "deltas", "depth", "bars", "actions"),
}
_KINDS_WHERE: Final[Mapping[Where, tuple[str, ...]]] = {
    "crossed": ("quotes", "depth"),
    "locked": ("quotes", "depth"),
    "outside": ("quotes", "trades", "depth", "bars"),
}


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one file by their places, as a `Finding` has them; `start_ns` is the first one's `ts_event`."""

    day: str
    first_row: int
    rows: int
    start_ns: int


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: an action on the rows of one kind.

    Attributes
    ----------
    start_ns, end_ns : int or None
        Range of `ts_event`, both ends included; None is the first or the last stored row.
    where : str or None
        Only rows like this: a bid above the ask, equal to it, or a price outside `low` to `high`.
    rows : tuple of Rows or None
        Only these rows.
    low, high : Decimal or None
        Bounds of `clip` and of `outside`.
    ratio : str or None
        New shares for old ones of a split, for example `4:1`.
    """

    kind: str
    action: RepairAction
    start_ns: int | None = None
    end_ns: int | None = None
    where: Where | None = None
    rows: tuple[Rows, ...] | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    ratio: str | None = None
    reason: str = ""

    def parameters(self) -> dict[str, str]:
        """What the action was told, as its repair records it."""
        told: dict[str, object] = {
            "where": self.where,
            "low": self.low,
            "high": self.high,
            "ratio": self.ratio,
            "rows": None if self.rows is None else sum(each.rows for each in self.rows),
        }
        return {name: str(value) for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Change:
    """Some of the given rows (ascending) that go, and the rows that take the places of the first of them."""

    removed: Int64
    added: Columns


@dataclass(frozen=True, slots=True)
class Beside:
    """What must be known of a stretch of rows beside the rows themselves.

    `day` names their file and `first_row` is the place of the first in it; `follows` says whether any row of
    their kind is older, and `good_before` is the last good quote before them.
    """

    day: str
    first_row: int
    follows: bool
    good_before: Quotes | None = None


def checked(correction: Correction) -> Correction:
    """`correction` itself if it makes sense.

    Raises
    ------
    UserError
        The kind cannot be corrected like this, or something is missing; the sentence says which.
    """
    _check_kind(correction)
    if correction.action == "split-adjust":
        _check_split(correction)
    elif correction.action == "fill-forward" and correction.where is None and correction.rows is None:
        raise UserError("fill-forward must be told which quotes are bad: crossed, locked or outside.")
    elif correction.action == "drop" and not _says_which(correction):
        raise UserError("Say which rows to drop: a range of time, or what is wrong with them.")
    if correction.action in ("clip", "split-adjust") and (correction.where or correction.rows):
        raise UserError(f"{correction.action} is for all rows of a range; leave out which.")
    low, high = correction.low, correction.high
    bounded = correction.action == "clip" or correction.where == "outside"
    if bounded and (low is None or high is None or not low < high):
        raise UserError("Give two bounds, the lower one first, for example 1.05 and 1.20.")
    return correction


def _check_kind(correction: Correction) -> None:
    kind, action, where = correction.kind, correction.action, correction.where
    if not _stands_for(kind, _KINDS[action]):
        raise UserError(f"{action} is not for {kind}, only for {', '.join(_KINDS[action])}.")
    if where is not None and not _stands_for(kind, _KINDS_WHERE[where]):
        raise UserError(f"{kind} are not {where}; {', '.join(_KINDS_WHERE[where])} can be.")
    if kind == "deltas" and correction.rows is not None:
        raise UserError("Book updates hang together, so single rows of them are not dropped; give a range.")


def _check_split(correction: Correction) -> None:
    split_ratio(correction.ratio or "")
    if correction.end_ns is None:
        raise UserError("split-adjust needs the time of the split; all rows before it are adjusted.")
    if correction.kind.endswith(ADJUSTED):
        raise UserError(f"The vendor adjusted {correction.kind} already; split-adjust is for raw prices.")


def _says_which(correction: Correction) -> bool:
    said = (correction.start_ns, correction.end_ns, correction.where, correction.rows)
    return any(each is not None for each in said)


def _stands_for(kind: str, kinds: tuple[str, ...]) -> bool:
    return ("bars" if is_bars(kind) else kind) in kinds


def split_ratio(text: str) -> Fraction:
    """New shares for one old: `4`, `4:1`, `3:2`, or `1:10` for a reverse split; exact.

    Raises
    ------
    UserError
        It is none.
    """
    new, _, old = text.partition(":")
    if new.isdecimal() and (old or "1").isdecimal() and int(new) and int(old or 1):
        ratio = Fraction(int(new), int(old or 1))
        if ratio != 1:
            return ratio
    raise UserError(
        f"{text!r} is no split; write new shares for old ones, like 4:1, or 1:10 for a reverse one."
    )


# -- which rows -------------------------------------------------------------------------------------------


def selected(correction: Correction, columns: Columns, beside: Beside) -> Mask:
    """Rows that the correction speaks of: in its range, and like it says."""
    low, high = ALL_TIME
    low = low if correction.start_ns is None else correction.start_ns
    high = high if correction.end_ns is None else correction.end_ns
    mask: Mask = (columns.ts_event >= low) & (columns.ts_event <= high)
    if correction.rows is not None:
        mask &= _named(correction.rows, columns, beside)
    if correction.where is not None:
        mask &= alike(correction, columns)
    return mask


def alike(correction: Correction, columns: Columns) -> Mask:
    """Rows that are as `correction.where` says, wherever they are."""
    if correction.where == "outside":
        low, high = _bounds(correction, columns.price_precision)
        prices = _prices(columns)
        outside: Mask = np.logical_or.reduce([(price < low) | (price > high) for price in prices])
        return outside
    bid, ask = _best(columns)
    crossed: Mask = bid > ask if correction.where == "crossed" else bid == ask
    return crossed


def _named(rows: tuple[Rows, ...], columns: Columns, beside: Beside) -> Mask:
    mask = np.zeros(len(columns), np.bool_)
    for each in rows:
        start = each.first_row - beside.first_row
        if each.day != beside.day or start >= len(columns) or start + each.rows <= 0:
            continue
        if start >= 0 and columns.ts_event[start] != each.start_ns:
            raise rows_changed(each.day)
        mask[max(0, start) : start + each.rows] = True
    return mask


def rows_changed(day: str) -> UserError:
    """Say that rows which were named by their places are no longer there."""
    return UserError(f"The rows of {day} have changed since they were looked at; check them again.")


def _best(columns: Columns) -> tuple[Int64, Int64]:
    """Best bid and ask; an empty side is one point away, so that its book is neither crossed nor locked."""
    if isinstance(columns, Snapshots):
        empty = (columns.bid_size[:, 0] == 0) | (columns.ask_size[:, 0] == 0)
        return columns.bid[:, 0], np.where(empty, columns.bid[:, 0] + 1, columns.ask[:, 0])
    quotes = cast("Quotes", columns)
    return quotes.bid, quotes.ask


def _prices(columns: Columns) -> list[Int64]:
    if isinstance(columns, Snapshots):
        bid, ask = (np.where(s[:, 0] > 0, p[:, 0], 0) for p, s in _sides(columns))
        return [np.where(bid == 0, ask, bid), np.where(ask == 0, bid, ask)]
    return [cast("Int64", array) for name, array in columns.arrays().items() if name in PRICES]


def _sides(columns: Snapshots) -> tuple[tuple[Int64, Int64], tuple[Int64, Int64]]:
    return (columns.bid, columns.bid_size), (columns.ask, columns.ask_size)


def _bounds(correction: Correction, precision: int) -> tuple[int, int]:
    """Bounds as scaled integers; more decimals than the prices have would be rounded, so they are refused."""
    scaled = []
    for bound in (correction.low, correction.high):
        value = cast("Decimal", bound).scaleb(precision)
        if value != value.to_integral_value():
            raise UserError(f"{bound} has more decimals than the stored prices; give it with {precision}.")
        scaled.append(int(value))
    return scaled[0], scaled[1]


# -- what is done -----------------------------------------------------------------------------------------


def change(correction: Correction, columns: Columns, beside: Beside) -> Change:
    """What the correction does to a stretch of rows of one file.

    Raises
    ------
    UserError
        It cannot be done exactly: a split that needs rounding, a bad quote with no good one before it.
    """
    return _ACTIONS[correction.action](correction, columns, beside)


def _drop(correction: Correction, columns: Columns, beside: Beside) -> Change:
    rows = np.flatnonzero(selected(correction, columns, beside)).astype(np.int64)
    if isinstance(columns, Deltas) and len(rows) and (rows[0] or beside.follows):
        return Change(rows, _forgotten(columns.take(rows[:1])))
    return Change(rows, columns.take(slice(0, 0)))


def _forgotten(first: Deltas) -> Deltas:
    """A CLEAR in the place of book updates that were dropped: after it, the book is not known."""
    nothing = np.zeros(1, np.int64)
    return first.with_arrays(
        {
            "action": np.array([Action.CLEAR], np.uint8),
            "side": np.array([Side.NONE], np.uint8),
            "price": nothing,
            "size": nothing,
            "flags": np.array([Flag.LAST], np.uint8),
        }
    )


def _clip(correction: Correction, columns: Columns, beside: Beside) -> Change:
    low, high = _bounds(correction, columns.price_precision)
    outside = msgspec.structs.replace(correction, where="outside")
    rows = np.flatnonzero(selected(outside, columns, beside)).astype(np.int64)
    there = columns.take(rows)
    clipped = {
        name: np.clip(cast("Int64", array), low, high)
        for name, array in there.arrays().items()
        if name in PRICES
    }
    return Change(rows, there.with_arrays(clipped))


def _fill_forward(correction: Correction, columns: Columns, beside: Beside) -> Change:
    quotes = cast("Quotes", columns)
    rows = np.flatnonzero(selected(correction, quotes, beside)).astype(np.int64)
    sources = np.where(good_quotes(correction, quotes, beside), np.arange(len(quotes)), -1)
    last_good = np.maximum.accumulate(sources)[rows] if len(rows) else rows
    there = quotes.take(rows)
    unfilled = int((last_good < 0).sum())
    if not unfilled:
        return Change(rows, there.with_arrays(_values(quotes.take(last_good))))
    if beside.good_before is None:
        raise UserError(
            f"The first {unfilled:,} of these quotes have no good one before them to take values from; "
            "drop them, or begin later."
        )
    before = cast("Quotes", restated(beside.good_before, quotes.price_precision, quotes.size_precision))
    pool = Quotes.concat([before, quotes])
    return Change(rows, there.with_arrays(_values(pool.take(last_good + 1))))


def good_quotes(correction: Correction, quotes: Columns, beside: Beside) -> Mask:
    """Quotes that may be copied: those that are not as the correction says, in its range or not."""
    bad = selected(correction, quotes, beside)
    if correction.where is not None:
        bad |= alike(correction, quotes)
    return ~bad


def _values(quotes: Quotes) -> dict[str, npt.NDArray[np.generic]]:
    return {name: quotes.arrays()[name] for name in ("bid", "ask", "bid_size", "ask_size")}


def _split_adjust(correction: Correction, columns: Columns, beside: Beside) -> Change:
    rows = np.flatnonzero(selected(correction, columns, beside)).astype(np.int64)
    ratio = split_ratio(correction.ratio or "")
    there = columns.take(rows)
    adjusted: dict[str, npt.NDArray[np.generic]] = {}
    for name, array in there.arrays().items():
        if name in PRICES:
            adjusted[name] = _times(cast("Int64", array), 1 / ratio)
        elif name in SIZES:
            adjusted[name] = _times(cast("Int64", array), ratio)
    return Change(rows, there.with_arrays(adjusted))


def _times(values: Int64, factor: Fraction) -> Int64:
    """`values * factor` where that is whole, as `growth` saw to."""
    parts: Int64 = values // factor.denominator
    if len(parts) and int(np.abs(parts).max()) > LARGEST // factor.numerator:
        raise UserError("An adjusted value has more than 18 digits, which the store cannot keep exactly.")
    return parts * factor.numerator


def growth(correction: Correction, columns: Columns, beside: Beside) -> tuple[int, int]:
    """Decimals that prices and sizes must grow by, so that the correction rounds nothing.

    Raises
    ------
    UserError
        No number of decimals is enough.
    """
    if correction.action != "split-adjust":
        return 0, 0
    ratio = split_ratio(correction.ratio or "")
    there = columns.take(selected(correction, columns, beside))
    arrays = there.arrays()
    needs = [0, 0]
    for at, (names, divisor) in enumerate(((PRICES, ratio.numerator), (SIZES, ratio.denominator))):
        for name in names & arrays.keys():
            needs[at] = max(needs[at], _decimals_needed(name, arrays[name], divisor))
    return needs[0], needs[1]


def _decimals_needed(name: str, values: npt.NDArray[np.generic], divisor: int) -> int:
    left = np.unique(cast("Int64", values) % divisor).tolist()
    for decimals in range(_MOST_GROWTH + 1):
        if not any(rest * 10**decimals % divisor for rest in left):
            return decimals
    raise UserError(
        f"Dividing every {name} by {divisor} would need rounding, and stored values are exact; "
        "import the vendor's adjusted prices instead."
    )


_ACTIONS: Final[Mapping[RepairAction, Callable[[Correction, Columns, Beside], Change]]] = {
    "drop": _drop,
    "clip": _clip,
    "fill-forward": _fill_forward,
    "split-adjust": _split_adjust,
}
