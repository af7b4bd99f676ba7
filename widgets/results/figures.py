"""From a run's results to what is read: headline figures, and a reason for each that is not defined."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from engine.messages.events import Results
from widgets.blotter.column import Column, csv_text, words
from widgets.numbers import (
    MINUS,
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
_YEARLY: Final = "(252 days)"
_YEARLY_NAMES: Final = ("CAGR", "Calmar")
_LONG_ENOUGH_NS: Final = 28 * 86_400 * 1_000_000_000
"""About 20 trading days; a year's figure from less says more about the arithmetic than about the strategy."""

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


def caveat(name: str, results: Results, tr: Translate) -> str:
    """What to keep in mind about a yearly figure: that it was made from a few days, or minutes, of data."""
    if not (_YEARLY in name or name.startswith(_YEARLY_NAMES)) or len(results.equity) < 2:
        return ""
    span = int(results.equity["ts"][-1] - results.equity["ts"][0])
    if span >= _LONG_ENOUGH_NS:
        return ""
    texts = (tr("{count} days"), tr("{count} h"), tr("{count} min"), tr("{count} s"))
    for text, unit in zip(texts, (86_400, 3_600, 60, 1), strict=True):
        count = span // (unit * 1_000_000_000)
        if count > 1 or unit == 1:
            return tr("annualised from {span} of data").format(span=text.format(count=count))
    return ""


def note(name: str, value: Statistic, results: Results, tr: Translate) -> str:
    """Why a statistic is not defined, or what to keep in mind about one that is."""
    return why_undefined(name, value, tr) or caveat(name, results, tr)


def net_and_start(results: Results) -> tuple[Decimal, Decimal] | None:
    """Net profit, open positions included, and the balance that the run began with; None where neither is."""
    if results.net_pnl and results.starting_balance:
        return _amount(results.net_pnl), _amount(results.starting_balance)
    equity = results.equity["equity"]
    if not len(equity):
        return None
    first, last = (Decimal(repr(float(value))) for value in (equity[0], equity[-1]))
    return last - first, first


def _amount(money: str) -> Decimal:
    return Decimal(money.rpartition(" ")[0])


def headlines(results: Results, tr: Translate) -> list[Headline]:
    """Figures that a person looks at first; only those that the run has."""
    currency = results.final_balance.rpartition(" ")[2]
    closed = results.open_position is None
    without, within = ("", "") if closed else (tr("without open profit"), tr("with open profit"))
    made = [Headline(tr("Final balance"), _balance_text(results.final_balance), why=without)]
    profit = net_and_start(results)
    if profit is not None:
        made += _profit(*profit, currency, within, tr)
    if len(results.equity):
        made.append(_deepest(results, currency, tr))
    if results.open_position is not None:
        open_profit = tr("open profit {amount}").format(
            amount=signed_money(_amount(results.unrealised_pnl), currency, money_digits(currency))
        )
        size, _, unit = results.open_position.rpartition(" ")
        position = f"{Decimal(size):+,f} {unit}".replace("-", MINUS)
        made.append(Headline(tr("Still open"), position, "text", open_profit))
    made.append(
        Headline(tr("Orders · fills"), f"{size_text(results.orders, 0)} · {size_text(results.fills, 0)}")
    )
    for name in _HEADLINES:
        for full, value in results.stats.items():
            if full.startswith(name):
                why = note(full, value, results, tr)
                text = statistic_text(full, value, tr)
                made.append(Headline(full, text, "quiet" if why else "text", why))
    return made


def _profit(net: Decimal, start: Decimal, currency: str, why: str, tr: Translate) -> list[Headline]:
    digits = money_digits(currency)
    share = net / start if start else None
    return [
        Headline(tr("Net P&L"), signed_money(net, currency, digits), _BY_SIGN[sign_of(net, digits)], why),
        Headline(tr("Return"), percent_text(share, 3, signed=True), _BY_SIGN[sign_of(share, 5)]),
    ]


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
