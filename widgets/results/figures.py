"""From a run's results to what is read: headline figures, and a reason for each that is not defined."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from engine.messages.events import Results
from widgets.blotter.column import Column, csv_text, words
from widgets.numbers import (
    duration_text,
    money_digits,
    percent_text,
    price_text,
    sign_of,
    signed_money,
    signed_text,
    size_text,
)

type Tone = Literal["text", "quiet", "bid", "ask"]
type Translate = Callable[[str], str]
type Statistic = float | str | None

_BY_SIGN: Mapping[int, Tone] = {-1: "ask", 0: "text", 1: "bid"}
_HEADLINES: Final = ("Win Rate", "Profit Factor", "Sharpe Ratio", "Sortino Ratio", "Expectancy")
_OF_RETURNS: Final = ("ratio (", "volatility", "returns", "risk return", "calmar", "cagr", "beta", "alpha")


@dataclass(frozen=True, slots=True)
class Headline:
    """One large figure; `why` says in a few words why there is none."""

    label: str
    text: str
    tone: Tone = "text"
    why: str = ""


def statistic_text(name: str, value: Statistic, tr: Translate) -> str:
    """How a statistic reads; one that is not defined says so."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return tr("not defined")
    if isinstance(value, str):
        return value
    if name.lower().startswith(("win rate", "long ratio")):
        return percent_text(value)
    return price_text(value, 2 if abs(value) >= 1000 else 4)


def why_undefined(name: str, value: Statistic, tr: Translate) -> str:
    """Reason for a statistic that is not defined, nothing for one that is."""
    if not (value is None or (isinstance(value, float) and math.isnan(value))):
        return ""
    if any(word in name.lower() for word in _OF_RETURNS):
        return tr("too few daily returns")
    return tr("too few closed positions")


def headlines(results: Results, tr: Translate) -> list[Headline]:
    """Figures that a person looks at first; only those that the run has."""
    currency = results.final_balance.rpartition(" ")[2]
    made = [Headline(tr("Final balance"), _balance_text(results.final_balance))]
    equity = results.equity
    if len(equity):
        first, last = float(equity["equity"][0]), float(equity["equity"][-1])
        digits = money_digits(currency)
        profit = last - first
        made.append(
            Headline(tr("Net P&L"), signed_money(profit, currency, digits), _BY_SIGN[sign_of(profit, digits)])
        )
        share = profit / first if first else None
        made.append(Headline(tr("Return"), percent_text(share, 3, signed=True), _BY_SIGN[sign_of(share, 5)]))
        made.append(_deepest(results, currency, tr))
    made.append(
        Headline(tr("Orders · fills"), f"{size_text(results.orders, 0)} · {size_text(results.fills, 0)}")
    )
    for name in _HEADLINES:
        for full, value in results.stats.items():
            if full.startswith(name):
                why = why_undefined(full, value, tr)
                text = statistic_text(full, value, tr)
                made.append(Headline(full, text, "quiet" if why else "text", why))
    return made


def _deepest(results: Results, currency: str, tr: Translate) -> Headline:
    rows = results.equity
    at = int(rows["drawdown"].argmin())
    deepest = float(rows["drawdown"][at])
    peak = float(rows["equity"][at]) - deepest
    text = signed_text(deepest, money_digits(currency))
    share = percent_text(deepest / peak, 3) if peak > 0 else ""
    return Headline(tr("Max drawdown"), f"{text} {currency}", "text", share)


def _balance_text(balance: str) -> str:
    amount, _, currency = balance.rpartition(" ")
    whole, point, digits = amount.partition(".")
    try:
        return f"{int(whole):,}{point}{digits} {currency}"
    except ValueError:
        return balance


def run_text(results: Results, tr: Translate) -> str:
    """What the run did, in one line."""
    ticks = size_text(results.ticks, 0)
    took = duration_text(round(results.seconds * 1e9))
    rate = size_text(results.ticks / results.seconds, 0) if results.seconds > 0 else "–"
    return tr("{ticks} ticks in {took} · {rate} ticks/s").format(ticks=ticks, took=took, rate=rate)


def statistics_csv(results: Results) -> str:
    """All statistics, one per line, every digit; one that is not defined is empty."""
    columns: list[Column[tuple[str, str]]] = [
        words("name", "", lambda row: row[0]),
        words("value", "", lambda row: row[1]),
    ]
    rows = [(name, "" if value is None else str(value)) for name, value in results.stats.items()]
    return csv_text(columns, rows)


def equity_csv(results: Results) -> str:
    """Equity curve: `ts_ns,equity,drawdown`, every digit."""
    lines = [f"{ts},{equity!r},{drawdown!r}" for ts, equity, drawdown in results.equity.tolist()]
    return "\n".join(["ts_ns,equity,drawdown", *lines]) + "\n"
