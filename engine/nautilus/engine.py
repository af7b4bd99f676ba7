"""One simulated venue with a strategy and the hand at it, driven in windows of market time.

The only place that builds a NautilusTrader engine. An engine object aborts the process when another thread
touches or frees it, so `dispose` sees to it that nothing is left.
"""

import gc
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.data import DataEngineConfig
from nautilus_trader.execution import MakerTakerFeeModel, StaticLatencyModel
from nautilus_trader.model import (
    AccountType,
    BookType,
    Currency,
    IndexPriceUpdate,
    InstrumentId,
    Money,
    OmsType,
    Venue,
)
from nautilus_trader.risk import RiskEngineConfig

from engine.columns import Columns
from engine.errors import UserError
from engine.messages.events import AccountChanged, AnyEvent, Logged
from engine.messages.instrument import Instrument
from engine.messages.run import VenueRules
from engine.nautilus.account import AccountReader, statistics
from engine.nautilus.data import has_untold_sizes, to_nautilus
from engine.nautilus.desk import Desk
from engine.nautilus.hand import DeskSettings
from engine.nautilus.instrument import price, to_nautilus_instrument
from engine.nautilus.strategies import implementation
from engine.nautilus.strategies.ai_signal import AiSignal
from engine.nautilus.strategy import Context, StationStrategy
from engine.nautilus.touch import touch
from engine.risk.book import Touch
from engine.risk.gate import Gate, VenueGate
from engine.signals.lead import Lead

_ORDER = ("deltas", "quotes", "trades")
"""Kinds as they follow each other at the same time: a quote finds the book that it was read from."""


class SimulatedVenue:
    """A matching engine for one instrument, an account, and who trades there: a strategy and the hand.

    Parameters
    ----------
    instrument : Instrument
    rules : VenueRules
        Balance, leverage, fees, latency.
    kinds : frozenset of str
        Market data that will be loaded; with `deltas` orders match against the whole book, else against the
        best quote (or the last trade).
    strategy : str or type
        Name in `engine.strategies.STRATEGIES`, or a class of one's own; `none` trades nothing.
    parameters : msgspec.Struct
        The strategy's parameters.
    emit : callable
        Takes every event, in order.
    gate : Gate, optional
        What orders pass; by default only the venue's own grid.
    lead : Lead, optional
        What a strategy follows that acts on a model.

    Raises
    ------
    UserError
        The account's currency is not the instrument's.
    """

    def __init__(
        self,
        instrument: Instrument,
        rules: VenueRules,
        *,
        kinds: frozenset[str],
        strategy: str | type[StationStrategy],
        parameters: msgspec.Struct,
        emit: Callable[[AnyEvent], None],
        gate: Gate | None = None,
        lead: Lead | None = None,
    ) -> None:
        self._instrument = instrument
        self._venue, self._instrument_id = Venue(instrument.venue), InstrumentId.from_str(instrument.id)
        self._currency = Currency.from_str(_account_currency(instrument, rules))
        self._emit = emit
        self._warned = False
        self._strategy: StationStrategy | None = None
        engine = _build(instrument, rules, self._venue, self._currency, kinds)
        self._engine: BacktestEngine | None = engine
        self._cache: Any = engine.cache  # while the engine runs it gives none away
        self._account: AccountReader | None = AccountReader(
            self._cache, engine.portfolio, self._venue, self._currency
        )
        context = Context(
            name="hand",
            instrument=instrument,
            parameters=DeskSettings(taker_fee=priced(instrument, rules).taker_fee),
            kinds=kinds,
            balance=rules.balance,
            gate=gate or VenueGate(instrument),
            emit=emit,
            hedging=rules.oms == "HEDGING",
        )
        self._hand: Desk | None = Desk(context)
        self._add(self._hand)
        if strategy != "none":
            name = strategy if isinstance(strategy, str) else strategy.__name__
            kind = implementation(strategy, lead) if isinstance(strategy, str) else strategy
            self._strategy = kind(replace(context, name=name, parameters=parameters, lead=lead))
            self._add(self._strategy)
            self._hand.know(self._strategy)

    def _add(self, trader: StationStrategy) -> None:
        engine = self._running
        engine.add_strategy(trader)
        trader.connect(self._cache, engine.portfolio, trader.clock, self._books)

    @property
    def desk(self) -> Desk:
        """The hand; use it between windows, at the time of `settle`."""
        if self._hand is None:
            raise RuntimeError("the engine was disposed")
        return self._hand

    @property
    def _running(self) -> BacktestEngine:
        if self._engine is None:
            raise RuntimeError("the engine was disposed")
        return self._engine

    @property
    def failure(self) -> str:
        """What the strategy (or the hand) raised, in one line; empty while all is well."""
        traders = (self._strategy, self._hand)
        return next((each.failure for each in traders if each is not None and each.failure), "")

    @property
    def currency(self) -> str:
        """Code of the account's currency."""
        return self._currency.code

    @property
    def balance(self) -> Decimal:
        """Money in the account, without open profit."""
        return self._books.total()

    def load(self, columns: Mapping[str, Columns]) -> None:
        """Replace the market data by the next stretch of time; orders, positions and timers live on."""
        engine = self._running
        engine.clear_data()
        for kind in _ORDER:
            if kind in columns:
                self._warn_of(columns[kind])
                engine.add_data(to_nautilus(self._instrument.id, columns[kind]), validate=False, sort=False)
        engine.sort_data()

    def _warn_of(self, columns: Columns) -> None:
        if self._warned or not has_untold_sizes(columns):
            return
        self._warned = True
        text = "Quotes without sizes: orders fill whole at the best price, whatever their size."
        self._emit(Logged(ts=int(columns.ts_init[0]), level="warning", source="venue", text=text))

    def run_to(self, ts_ns: int) -> None:
        """Let everything happen up to this market time; holds the interpreter lock meanwhile."""
        self._running.run(end=ts_ns, streaming=True)

    def settle(self, ts_ns: int) -> None:
        """Bring the venue to a market time up to which all data happened: what was sent by then arrives.

        The engine only acts on data, and without any it would run ahead to alerts that lie after this time.
        So it is given a datum of this time, of a kind that nothing here reads.
        """
        engine, any_price = self._running, price(self._instrument.tick_size, self._instrument)
        nothing = IndexPriceUpdate(self._instrument_id, any_price, ts_ns, ts_ns)
        engine.add_data([nothing], validate=False, sort=False)
        engine.sort_data()
        engine.run(end=ts_ns, streaming=True)

    @property
    def now_ns(self) -> int:
        """Market time of what happens now; within a window, that of the event at hand."""
        return self.desk.now_ns

    def touch(self, instrument: str) -> Touch | None:
        """Best prices now; None where they are not known."""
        if instrument != self._instrument.id:
            return None
        return touch(self._cache, self._instrument_id)

    def remind(self) -> None:
        """Have the strategy see what is newly due in its lead; call it between windows."""
        if isinstance(self._strategy, AiSignal):
            self._strategy.schedule()

    def rest(self, ts_ns: int) -> None:
        """Let what the strategy has due happen up to this time, before which no market data comes."""
        if isinstance(self._strategy, AiSignal) and self._strategy.is_due(ts_ns):
            # A run without market data does not stop at its end: alerts set on the way would still go off.
            self._strategy.until = ts_ns
            # Where a new chunk lies ahead, its first event would be taken for the start, and that is later.
            self._running.run(start=ts_ns, end=ts_ns, streaming=True)
            self._strategy.until = None
            self._strategy.schedule()

    def told(self, account: AccountChanged) -> None:
        """Remember the account as it was told last."""
        self._books.told(account)

    def account(self, ts: int) -> AccountChanged | None:
        """The account, where it is not as it was told last."""
        return self._books.news(ts)

    def finish(self) -> dict[str, float | str | None]:
        """End the run and return the analyzer's statistics by name; not defined is None."""
        engine = self._running
        engine.end()
        result = engine.get_result()
        pnls = result.stats_pnls.get(self._currency.code, {})
        return statistics(pnls, result.stats_returns, result.stats_general)

    def dispose(self) -> None:
        """Free everything, in the thread that made it; may be called twice."""
        if self._engine is None:
            return
        self._engine.dispose()
        traders = [weakref.ref(trader) for trader in (self._strategy, self._hand) if trader is not None]
        self._engine = self._strategy = self._hand = self._account = self._cache = None
        if any(trader() is not None for trader in traders):
            # It is part of a reference cycle (a stored callback of its own is enough); left to itself, the
            # collector would free it in whatever thread it happens to run.
            gc.collect()

    @property
    def _books(self) -> AccountReader:
        if self._account is None:
            raise RuntimeError("the engine was disposed")
        return self._account


def _account_currency(instrument: Instrument, rules: VenueRules) -> str:
    if rules.currency not in (None, instrument.quote):
        raise UserError(
            f"The account must be in {instrument.quote}, in which {instrument.id} is priced, "
            f"not in {rules.currency}; set venue.currency to {instrument.quote} or leave it out."
        )
    return instrument.quote


def priced(instrument: Instrument, rules: VenueRules) -> Instrument:
    """The instrument with the fees of the run."""
    return msgspec.structs.replace(
        instrument,
        maker_fee=instrument.maker_fee if rules.maker_fee is None else rules.maker_fee,
        taker_fee=instrument.taker_fee if rules.taker_fee is None else rules.taker_fee,
    )


def _build(
    instrument: Instrument, rules: VenueRules, venue: Venue, currency: Currency, kinds: frozenset[str]
) -> BacktestEngine:
    engine = BacktestEngine(
        BacktestEngineConfig(
            logging=LoggerConfig(bypass_logging=True),
            data_engine=DataEngineConfig(
                time_bars_build_with_no_updates=False,  # as in `engine.bars`
                emit_quotes_from_book=kinds == {"deltas"},
            ),
            # Our gate judges; this one would refuse to turn a large position round, and 100 orders a second.
            risk_engine=RiskEngineConfig(bypass=True),
        )
    )
    fees = priced(instrument, rules)
    engine.add_venue(
        venue,
        OmsType.HEDGING if rules.oms == "HEDGING" else OmsType.NETTING,
        AccountType.MARGIN,
        [Money.from_decimal(rules.balance, currency)],
        base_currency=currency,
        default_leverage=rules.leverage,
        fee_model=MakerTakerFeeModel(fees.maker_fee, fees.taker_fee),
        latency_model=StaticLatencyModel(round(rules.latency_ms * 1e6)) if rules.latency_ms else None,
        book_type=BookType.L2_MBP if "deltas" in kinds else BookType.L1_MBP,
    )
    engine.add_instrument(to_nautilus_instrument(instrument))
    return engine
