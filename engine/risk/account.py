"""The account's risk as one picture: what the risk panel shows of the whole."""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from engine.messages.limits import AccountRisk, Exposure, LimitUse, StrategyProfit
from engine.risk.book import AccountBook
from engine.risk.case import Exposure as Sums
from engine.risk.lines import Total
from engine.risk.losses import LossTracks
from engine.risk.protection import DrawdownGuard
from engine.risk.tails import ReturnHistory
from engine.risk.valuing import ZERO

_CURRENCY_KINDS: Final = frozenset({"fx", "spot", "perpetual"})


def account_risk(
    book: AccountBook,
    losses: LossTracks,
    returns: ReturnHistory | None,
    guard: DrawdownGuard,
    *,
    uses: list[LimitUse],
    version: int,
) -> AccountRisk:
    """The account as of the last mark; what has no price counts as worth nothing.

    Margin counts working orders at worst, gross and net what is held.
    """
    values = {name: _value(book, total) for name, total in book.totals.items() if total.net}
    gross, net = sum(map(abs, values.values()), ZERO), sum(values.values(), ZERO)
    track = losses.account
    equity = track.value
    margin = Sums(book, book.totals.values()).gross / book.leverage
    return AccountRisk(
        currency=book.currency,
        equity=float(equity),
        gross=float(gross),
        net=float(net),
        leverage=float(gross / equity) if equity > ZERO else 0.0,
        margin_used=float(margin),
        margin_free=float(equity - margin),
        day_profit=float(-track.day_loss),
        session_profit=float(-track.session_loss),
        drawdown=float(-track.fall),
        stage=guard.stage,
        share=float(guard.share),
        uses=uses,
        instruments=[
            Exposure(name=name, quantity=float(book.totals[name].net), value=float(value))
            for name, value in values.items()
        ],
        currencies=_currencies(book, values),
        strategies=[_strategy(book, name) for name in book.strategies],
        tails=[] if returns is None else returns.tails({name: float(each) for name, each in values.items()}),
        policy_version=version,
    )


def _value(book: AccountBook, total: Total) -> Decimal:
    unit = book.unit(total.valuing)
    return ZERO if unit is None else total.net * unit


def _currencies(book: AccountBook, values: dict[str, Decimal]) -> list[Exposure]:
    """What gains and loses with each currency: bought base and, against it, quote that was paid.

    The account's own money is no exposure to itself, so that what is left of its currency is what was paid.
    """
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    worths: defaultdict[str, Decimal] = defaultdict(Decimal)
    for name, value in values.items():
        facts = book.totals[name].valuing.instrument
        if facts.kind not in _CURRENCY_KINDS or facts.inverse:
            continue
        quantities[facts.base] += book.totals[name].net * facts.multiplier
        worths[facts.base] += value
        quantities[facts.quote] -= value
        worths[facts.quote] -= value
    return [
        Exposure(name=name, quantity=float(quantities[name]), value=float(worths[name]))
        for name in quantities
    ]


def _strategy(book: AccountBook, name: str) -> StrategyProfit:
    lines = [line for line in book.lines_of(name) if line.valuing.is_money]
    realised = sum((line.realised - line.fees for line in lines), ZERO)
    open_profit = book.unrealised(lines)
    return StrategyProfit(strategy=name, realised=float(realised), unrealised=float(open_profit or ZERO))
