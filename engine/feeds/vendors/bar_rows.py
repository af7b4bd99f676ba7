"""Vendors' bars from columns of a table: exact, of a known length, and only such as can be."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from engine.bars import BarSpec
from engine.columns import Columns, Int64, VendorBars
from engine.errors import UserError
from engine.feeds.decimals import Scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.rows import Rows
from engine.feeds.timestamps import TimeRule, Times

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
PRICES = ("open", "high", "low", "close")

_UNITS = (("DAY", DAY_NS), ("HOUR", HOUR_NS), ("MINUTE", MINUTE_NS), ("SECOND", SECOND_NS))


def spec_of(interval_ns: int, price: str) -> str:
    """Specification of bars of this length, for example `5-MINUTE-BID`.

    Raises
    ------
    Undecodable
        No such bars are kept: longer than a day, shorter than a second, or of a length (7 minutes) that does
        not divide the next unit.
    """
    unit, length = next(((unit, ns) for unit, ns in _UNITS if interval_ns % ns == 0 and interval_ns), ("", 1))
    spec = f"{interval_ns // length}-{unit}-{price}"
    try:
        BarSpec.parse(spec)
    except UserError as error:
        raise Undecodable(
            f"its bars are of {interval_ns / SECOND_NS:,.10g} seconds; those of 1 day are kept, and those of "
            "seconds, minutes or hours that divide the next longer unit"
        ) from error
    return spec


def clock_times(rows: Rows, role: str, rule: TimeRule) -> tuple[Int64, Times]:
    """What a vendor's clock showed, as ns since its 1970, and the same times in UTC by the zone of `rule`.

    Bars lie on the grid of that clock: those of a day open at its midnight.
    """
    shown = rows.time(role, rule=msgspec.structs.replace(rule, zone=""))
    return shown.ns, rows.time(role, rule=rule) if rule.zone else shown


def interval_of(rows: Rows, opens: Int64, told_ns: int | None, known_ns: Sequence[int]) -> int:
    """Length in ns of bars that open at these times; rows that open between two bars are rejected.

    Parameters
    ----------
    opens : int64 array, ns
        By the clock that the vendor's bars lie on.
    told_ns : int or None
        What the file or its name says of it.
    known_ns : sequence of int
        Lengths that the vendor has. Without a word the shortest step between rows must be one of them and
        all other steps multiples of it.

    Raises
    ------
    Undecodable
        Neither tells it.
    """
    times = np.sort(opens[rows.good])
    steps = times[1:] - times[:-1]
    steps = steps[steps > 0]
    shortest = int(steps.min()) if len(steps) else 0
    if told_ns is None and (shortest not in known_ns or (steps % shortest).any()):
        raise Undecodable(
            "neither its name nor the steps between its rows tell how long a bar is; give the file the name "
            "that its vendor gave it"
        )
    interval_ns = told_ns or shortest
    if shortest > interval_ns:
        rows.notes.append(
            f"Its name says bars of {interval_ns // SECOND_NS:,} seconds, but no two rows are closer than "
            f"{shortest // SECOND_NS:,} seconds; check that."
        )
    rows.reject(opens % interval_ns != 0, "the time lies between two bars")
    return interval_ns


def bars(
    rows: Rows,
    opens: Int64,
    closes: Int64,
    prices: Mapping[str, Scaled],
    volume: Scaled | None,
) -> VendorBars:
    """Good ones of `rows` as bars; those whose prices contradict each other are rejected, too.

    Parameters
    ----------
    opens, closes : int64 arrays, ns UTC
        When each bar opened and closed.
    prices : mapping of `PRICES` to Scaled
    volume : Scaled or None
        None where the vendor has none.
    """
    digits = max(each.precision for each in prices.values())
    values = {name: prices[name].at(digits) for name in PRICES}
    high, low = values["high"], values["low"]
    rows.reject(high < low, "the high is below the low")
    for name in ("open", "close"):
        rows.reject(
            (values[name] > high) | (values[name] < low), f"the {name} lies outside its bar's high and low"
        )
    made = VendorBars(
        ts_event=opens,
        ts_init=closes,
        **values,
        volume=np.zeros(len(opens), np.int64) if volume is None else volume.integers,
        price_precision=digits,
        size_precision=0 if volume is None else volume.precision,
    )
    return rows.taken(made)


def decoded(rows: Rows, parts: Mapping[str, Columns], timestamps: str) -> Decoded:
    """Wrap up the kinds that have rows with all that `rows` found on the way."""
    return Decoded(
        columns={kind: part for kind, part in parts.items() if len(part)},
        timestamps=timestamps,
        rejected=tuple(rows.rejected),
        notes=tuple(rows.notes),
    )
