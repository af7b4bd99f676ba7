"""Yahoo's chart answers (`v8/finance/chart`): bars of a day or of minutes, splits and dividends.

A bar's time is its start: for days the open of the exchange's session. A daily bar is known when that
session has closed, by the length of the session that the answer tells; on a day with an early close that is
late, never early. The last bar of an answer that was fetched while it was being made is left out.
"""

import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from engine.columns import ACTIONS, Columns, bars_kind
from engine.feeds.decoded import Decoded, Rejected, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import Table
from engine.feeds.timestamps import times_since_1970
from engine.feeds.unpacking import gunzipped
from engine.feeds.vendors.bar_rows import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, decoded, spec_of
from engine.feeds.vendors.json_text import loaded, text_column
from engine.feeds.vendors.yahoo_bars import (
    ADJUSTED_NOTE,
    FLOAT_NOTE,
    SPLIT_NOTE,
    actions,
    dividend_adjusted,
    shortest_text,
    split_adjusted,
)

_HEAD = re.compile(rb'^(\xef\xbb\xbf)?\s*\{\s*"chart"\s*:')
_LENGTHS: Final = {
    **{f"{n}m": n * MINUTE_NS for n in (1, 2, 5, 15, 30)},
    "60m": HOUR_NS,
    "1h": HOUR_NS,
    "1d": DAY_NS,
}
_QUOTE: Final = ("open", "high", "low", "close", "volume")
_SAID: Final = "seconds since 1970, UTC"


def matches(head: Head) -> bool:
    """Whether it begins as a chart answer."""
    return _HEAD.match(head.data) is not None


def decode(file: SourceFile) -> Decoded:
    """Bars, splits and dividends of one answer.

    Raises
    ------
    Undecodable
        Damaged, Yahoo's own error, of another symbol, or of bars that are not kept.
    """
    result = _result(loaded(gunzipped(file.data)))
    meta = _object(result, "meta")
    _check_symbol(str(meta.get("symbol")), file.instrument.symbol)
    granularity = str(meta.get("dataGranularity"))
    if granularity not in _LENGTHS:
        raise Undecodable(f"its bars are of {granularity}; ask Yahoo for 1d, 1h, 30m, 15m, 5m, 2m or 1m")
    acted, faults = _actions(result)
    if "timestamp" not in result:
        return Decoded(
            columns={ACTIONS: acted} if len(acted) else {},
            timestamps=_SAID,
            rejected=tuple(faults),
            notes=("It holds no bars.",),
        )
    daily = granularity == "1d"
    parts, rows = _bars(result, meta, granularity)
    rows.notes += [SPLIT_NOTE, FLOAT_NOTE, *([ADJUSTED_NOTE] if daily else [])]
    rows.rejected += faults
    return decoded(rows, {**parts, ACTIONS: acted}, _SAID)


def _result(document: object) -> Mapping[str, object]:
    chart = _object(document if isinstance(document, dict) else {}, "chart")
    error = chart.get("error")
    if isinstance(error, dict):
        raise Undecodable(f"Yahoo answered with an error: {str(error.get('description')).rstrip('.')}")
    results = chart.get("result")
    if not isinstance(results, list) or not results or not isinstance(results[0], dict):
        raise Undecodable("it holds no result of Yahoo's charts")
    return results[0]


def _object(inside: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = inside.get(name)
    if not isinstance(found, dict):
        raise Undecodable(f"it has no {name}, as Yahoo's chart answers have")
    return found


def _check_symbol(theirs: str, mine: str) -> None:
    plain = theirs.upper().partition("=")[0]
    if bare_symbol(mine) not in {bare_symbol(plain), bare_symbol(plain.rpartition(".")[0] or plain)}:
        raise Undecodable(f"its bars are of {theirs}, not {mine}; import it as that instrument")


def _first(result: Mapping[str, object], name: str) -> Mapping[str, object]:
    """First (and only) set of an indicator's arrays; empty where there is none."""
    sets = _object(result, "indicators").get(name)
    first = sets[0] if isinstance(sets, list) and sets else {}
    return first if isinstance(first, dict) else {}


def _arrays(result: Mapping[str, object], *, adjusted: bool) -> dict[str, pl.Series]:
    quote, adjclose = _first(result, "quote"), _first(result, "adjclose")
    found = {"time": result.get("timestamp"), **{name: quote.get(name) for name in _QUOTE}}
    if adjusted:
        found["adjusted close"] = adjclose.get("adjclose")
    columns = {name: text_column(values) for name, values in found.items() if isinstance(values, list)}
    missing = next((name for name in found if name not in columns), None)
    if missing:
        raise Undecodable(f"it has no list of the {missing}, as Yahoo's chart answers have")
    if len({len(column) for column in columns.values()}) > 1:
        raise Undecodable("its lists are not equally long, so its bars cannot be told; fetch it again")
    return columns


def _bars(
    result: Mapping[str, object], meta: Mapping[str, object], granularity: str
) -> tuple[dict[str, Columns], Rows]:
    """Bars by kind, and what was found of their rows."""
    daily = granularity == "1d"
    columns = _arrays(result, adjusted=daily)
    table = Table([], None, np.arange(1, len(columns["time"]) + 1))
    rows = Rows(table, columns)
    opens = times_since_1970(columns["time"], SECOND_NS, _SAID)
    rows.reject(~opens.valid, "the time is missing, malformed or outside 1980 to 2199")
    closes = opens.ns + (_session_ns(meta) if daily else _LENGTHS[granularity])
    asked_ns = _seconds(meta, "regularMarketTime") * SECOND_NS
    unfinished = rows.good & (opens.ns <= asked_ns) & (asked_ns < closes)
    if unfinished.any():
        rows.good &= ~unfinished
        rows.notes.append("The last bar was still being made when Yahoo answered; it is left out.")
    spec = spec_of(_LENGTHS[granularity], "LAST")
    parts: dict[str, Columns] = {bars_kind(spec): split_adjusted(rows, opens.ns, closes)}
    if daily:
        again = Rows(table, rows.columns)
        again.good &= rows.good
        parts[bars_kind(spec, adjusted=True)] = dividend_adjusted(again, opens.ns, closes)
        rows.rejected += again.rejected
    return parts, rows


def _session_ns(meta: Mapping[str, object]) -> int:
    regular = _object(_object(meta, "currentTradingPeriod"), "regular")
    length = _seconds(regular, "end") - _seconds(regular, "start")
    if not 0 < length <= DAY_NS // SECOND_NS:
        raise Undecodable(f"its exchange's session of {length:,} seconds is none of a day")
    return length * SECOND_NS


def _seconds(inside: Mapping[str, object], name: str) -> int:
    text = inside.get(name)
    if not isinstance(text, str) or not text.isdecimal() or len(text) > 10:
        raise Undecodable(f"its {name} is no time in seconds since 1970")
    return int(text)


def _actions(result: Mapping[str, object]) -> tuple[Columns, list[Rejected]]:
    """Splits, dividends and (as dividends) capital gains, by their ex-date."""
    events = result.get("events")
    found: list[tuple[object, object, object, object]] = []
    for name in ("dividends", "capitalGains", "splits"):
        group = events.get(name) if isinstance(events, dict) else None
        for event in group.values() if isinstance(group, dict) else ():
            if isinstance(event, dict):
                nothing = "0" if name == "splits" else event.get("amount")
                ratio = (event.get("numerator"), event.get("denominator")) if name == "splits" else ("0", "0")
                found.append((event.get("date"), nothing, *ratio))
    names = ("time", "amount", "numerator", "denominator")
    columns = {name: text_column(row[place] for row in found) for place, name in enumerate(names)}
    rows = Rows(Table([], None, np.arange(1, len(found) + 1)), columns)
    times = times_since_1970(columns["time"], SECOND_NS, _SAID)
    rows.reject(~times.valid, "the date of a split or dividend is missing or outside 1980 to 2199")
    rows.columns["amount"] = shortest_text(columns["amount"])
    amounts = rows.number("amount", positive=False)
    ratios = {name: rows.number(name, positive=False) for name in ("numerator", "denominator")}
    both = (ratios["numerator"].integers > 0) & (ratios["denominator"].integers > 0)
    rows.reject((amounts.integers == 0) & ~both, "a split or dividend is of nothing")
    acted = actions(rows, times.ns, amounts, ratios)
    return acted.take(np.argsort(acted.ts_event, kind="stable")), rows.rejected
