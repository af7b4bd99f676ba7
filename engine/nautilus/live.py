"""One live node with one instrument, the strategies that trade it and an account, run a little at a time.

The only place that builds a NautilusTrader live node. It runs on an event loop of ours, which the session
turns for a few milliseconds at a time, so that all of it (node, strategies, session, link) stays in the one
thread that made it: there a signal interrupts a callback that blocks, and a node or a strategy that another
thread touches or frees would abort the process.
"""

import asyncio
import gc
import math
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from nautilus_trader.adapters.sandbox import SandboxExecutionClientConfig, SandboxExecutionClientFactory
from nautilus_trader.common import Environment, LoggerConfig
from nautilus_trader.config import DataClientConfig
from nautilus_trader.execution import MakerTakerFeeModel, StaticLatencyModel
from nautilus_trader.live import (
    LiveDataEngineConfig,
    LiveExecutionEngineConfig,
    LiveNode,
    LiveNodeHandle,
)
from nautilus_trader.model import AccountType, BookType, Currency, Money, OmsType, TraderId, Venue

from engine.messages.events import AccountChanged, AnyEvent
from engine.messages.instrument import Instrument
from engine.messages.run import VenueRules
from engine.nautilus.account import AccountReader
from engine.nautilus.feed import NAME, Feed, feed_factory
from engine.nautilus.strategies import implementation
from engine.nautilus.strategies.ai_signal import AiSignal
from engine.nautilus.strategy import Context, StationStrategy
from engine.nautilus.tap import Tap
from engine.risk.gate import Gate, VenueGate
from engine.signals.lead import Lead

_SANDBOX: Final = "SANDBOX"
_TRADER: Final = "STATION-001"
_CONNECT_S: Final = 20
_STOP_S: Final = 10.0
_TURN_S: Final = 0.004


class Client(NamedTuple):
    """One client of the node: its name, NautilusTrader's factory, and the configuration that it takes."""

    name: str
    factory: Any
    config: Any
    simulated: bool = False


def sandbox(instrument: Instrument, rules: VenueRules, kinds: frozenset[str]) -> Client:
    """Simulated execution on live market data, by the rules and the matching of a replay."""
    currency = Currency.from_str(instrument.quote)
    maker, taker = rules.maker_fee, rules.taker_fee
    config = SandboxExecutionClientConfig(
        venue=Venue(instrument.venue),
        starting_balances=[Money.from_decimal(rules.balance, currency)],
        base_currency=currency,
        oms_type=OmsType.HEDGING if rules.oms == "HEDGING" else OmsType.NETTING,
        account_type=AccountType.MARGIN,
        default_leverage=rules.leverage,
        book_type=BookType.L2_MBP if "deltas" in kinds else BookType.L1_MBP,
        fee_model=MakerTakerFeeModel(
            instrument.maker_fee if maker is None else maker, instrument.taker_fee if taker is None else taker
        ),
        latency_model=StaticLatencyModel(round(rules.latency_ms * 1e6)) if rules.latency_ms else None,
    )
    return Client(_SANDBOX, SandboxExecutionClientFactory(), config, simulated=True)


class LiveVenue:
    """A node, pumped.

    Parameters
    ----------
    instrument : Instrument
    data : Client or Feed
        Where market data come from; a feed is served from here once the strategies have started.
    execution : Client
        Where orders go.
    kinds : frozenset of str
        Market data that will come.
    balance : Decimal
        Of the account, for what strategies size by; the account itself is the venue's.
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
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        data: Client | Feed,
        execution: Client,
        kinds: frozenset[str],
        balance: Decimal,
        strategy: str | type[StationStrategy],
        parameters: msgspec.Struct,
        emit: Callable[[AnyEvent], None],
        gate: Gate | None = None,
        lead: Lead | None = None,
    ) -> None:
        self._venue = Venue(instrument.venue)
        self._currency = Currency.from_str(instrument.quote)
        self._told: AccountChanged | None = None
        self._strategy: StationStrategy | None = None
        self._feed = data if isinstance(data, Feed) else None
        node = _build(_served(data) if isinstance(data, Feed) else data, execution, kinds)
        self._node: LiveNode | None = node
        # While it runs the node answers no more questions; these do.
        cache, portfolio = node.cache, node.portfolio
        self._handle: LiveNodeHandle = node.handle()
        self._portfolio: Any = portfolio
        self._account: AccountReader | None = AccountReader(cache, portfolio, self._venue, self._currency)
        self.tap = Tap(instrument, kinds)
        node.add_actor(self.tap)
        if strategy != "none":
            context = Context(
                name=strategy if isinstance(strategy, str) else strategy.__name__,
                instrument=instrument,
                parameters=parameters,
                kinds=kinds,
                balance=balance,
                gate=gate or VenueGate(instrument),
                emit=emit,
                lead=lead,
            )
            kind = implementation(strategy, lead) if isinstance(strategy, str) else strategy
            self._strategy = kind(context)
            node.add_strategy(self._strategy)
            self._strategy.connect(cache, portfolio, self._strategy.clock, self._account)
        self._loop = asyncio.new_event_loop()
        self._running = self._loop.create_task(_run(node))
        self._serving: asyncio.Task[None] | None = None
        self._is_stopping = False

    @property
    def is_running(self) -> bool:
        """Whether the node has connected and started its strategies."""
        return self._handle.is_running

    @property
    def problem(self) -> str:
        """Why the node or its feed ended by themselves; empty while all is well."""
        broken = None if self._serving is None else _raised(self._serving)
        if broken is not None:
            return f"the feed broke off ({broken!r})"
        if not self._running.done():
            return ""
        return str(_raised(self._running) or "the node stopped")

    @property
    def failure(self) -> str:
        """What the strategy raised, in one line; empty while all is well."""
        return self._strategy.failure if self._strategy is not None else ""

    @property
    def currency(self) -> str:
        """Code of the account's currency."""
        return self._currency.code

    @property
    def balance(self) -> Decimal:
        """Money in the account, without open profit."""
        return self._books.total()

    def pump(self, seconds: float) -> None:
        """Let everything happen that happens in this time."""
        if self._feed is not None and self._serving is None and self.is_running and not self._is_stopping:
            self._serving = self._loop.create_task(self._feed.serve(lambda: self.tap.ticks))
        self._loop.run_until_complete(asyncio.sleep(seconds))

    def remind(self) -> None:
        """Have the strategy see what is newly due in its lead."""
        if isinstance(self._strategy, AiSignal):
            self._strategy.schedule()

    def told(self, account: AccountChanged) -> None:
        """Remember the account as it was told last."""
        self._told = account

    def account(self, ts: int) -> AccountChanged | None:
        """The account, where it is not as it was told last."""
        now = self._books.changed(ts)
        return None if self._told is not None and self._told.balances == now.balances else now

    def statistics(self) -> dict[str, float | str | None]:
        """The analyzer's statistics by name, as those of a replay; not defined is None."""
        found = self._portfolio.statistics()
        returns = found.returns
        statistics = {
            **found.pnls.get(self._currency.code, {}),
            **{name if "(" in name else f"{name} (daily returns)": returns[name] for name in returns},
            **found.general,
        }
        return {name: value if math.isfinite(value) else None for name, value in sorted(statistics.items())}

    def stop(self) -> None:
        """Disconnect; strategies get their `on_stop`."""
        self._is_stopping = True
        if self._serving is not None:
            self._serving.cancel()
        self._handle.stop()
        deadline = time.monotonic() + _STOP_S
        while not self._running.done() and time.monotonic() < deadline:
            self.pump(_TURN_S)

    def dispose(self) -> None:
        """Free everything, in the thread that made it; may be called twice."""
        if self._node is None:
            return
        self.stop()
        self._close_loop()
        self._node.dispose()
        if self._feed is not None:
            self._feed.disconnect()
        self._node = self._strategy = self._account = self._portfolio = None
        del self.tap, self._handle, self._running, self._serving
        # Clients hold themselves, and a strategy may; left to itself, the collector would free them in
        # whatever thread it happens to run.
        gc.collect()

    def _close_loop(self) -> None:
        self._loop.run_until_complete(_cancel_others())
        self._loop.close()

    @property
    def _books(self) -> AccountReader:
        if self._account is None:
            raise RuntimeError("the node was disposed")
        return self._account


def _served(feed: Feed) -> Client:
    return Client(NAME, feed_factory(feed), DataClientConfig())


def _raised(task: asyncio.Task[None]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


async def _run(node: LiveNode) -> None:
    await node.run_async()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _build(data: Client, execution: Client, kinds: frozenset[str]) -> LiveNode:
    environment = Environment.SANDBOX if execution.simulated else Environment.LIVE
    builder = (
        LiveNode.builder("STATION", TraderId(_TRADER), environment)
        .with_logging(LoggerConfig(bypass_logging=True))
        .with_timeout_connection(_CONNECT_S)
        .with_delay_post_stop_secs(0)
        .with_data_engine_config(
            LiveDataEngineConfig(
                time_bars_build_with_no_updates=False,  # as in `engine.bars`
                emit_quotes_from_book=kinds == {"deltas"},
            )
        )
        .with_exec_engine_config(LiveExecutionEngineConfig(reconciliation=not execution.simulated))
        .add_data_client(data.name, data.factory, data.config)
    )
    if execution.simulated:
        builder = builder.add_simulated_exec_client(execution.name, execution.factory, execution.config)
    else:
        builder = builder.add_exec_client(execution.name, execution.factory, execution.config)
    return builder.build()
