"""One live node with an instrument, a strategy and the hand that trade it and an account, run bit by bit.

It runs on an event loop of ours, which the session turns for a few milliseconds at a time, so that all of it
(node, strategies, session, link) stays in the one thread that made it: there a signal interrupts a callback
that blocks, and a node or a strategy that another thread touches or frees would abort the process.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import msgspec
from nautilus_trader.config import DataClientConfig
from nautilus_trader.live import LiveNode, LiveNodeHandle
from nautilus_trader.model import Currency, InstrumentId, Venue

from engine.messages.events import AccountChanged, AnyEvent, Filled, OrderChanged
from engine.messages.instrument import Instrument
from engine.nautilus.account import AccountReader, statistics
from engine.nautilus.adapters import MATCHING, Capabilities
from engine.nautilus.doubt import Doubts
from engine.nautilus.events import order_changed, position_now
from engine.nautilus.feed import NAME, Feed, feed_factory
from engine.nautilus.foreign import Foreign, hand_prefix, is_made_up
from engine.nautilus.guesses import Guesses
from engine.nautilus.hand import DeskSettings
from engine.nautilus.live_desk import LiveDesk
from engine.nautilus.node import LOOKBACK_MINS, Client, build_node
from engine.nautilus.resolver import Resolving
from engine.nautilus.sockets import Sockets
from engine.nautilus.standing import CacheStanding
from engine.nautilus.strategies import implementation
from engine.nautilus.strategies.ai_signal import AiSignal
from engine.nautilus.strategy import Context, StationStrategy
from engine.nautilus.tap import Tap
from engine.nautilus.touch import touch
from engine.risk.book import Touch
from engine.risk.gate import Gate, VenueGate
from engine.risk.last_gate import LastGate, Standing
from engine.signals.lead import Lead

_STOP_S: Final = 10.0
_TURN_S: Final = 0.004
_LOOK_EVERY_S: Final = 0.05
_ASK_ACCOUNT_S: Final = 15.0
_FORGET_EVERY_S: Final = 15.0
_KEPT_S: Final = LOOKBACK_MINS * 60 + 60
"""How long the node keeps orders that have ended, and past states of the account. It takes an execution that
it asks for and whose order it has forgotten for a stranger's."""


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
    taker_fee : Decimal
        Fraction of the value, for what the hand reckons beforehand.
    strategy : str or type
        Name in `engine.strategies.STRATEGIES`, or a class of one's own; `none` trades nothing.
    parameters : msgspec.Struct
        The strategy's parameters.
    emit : callable
        Takes every event, in order.
    gate : Gate, optional
        What orders pass; by default only the venue's own grid.
    last : callable, optional
        Makes what they pass instead where they leave for a venue: the same, and the last check there.
    lead : Lead, optional
        What a strategy follows that acts on a model.
    name : str
        Of the connection.
    account_id : str
        The account at a venue; empty where execution is simulated.
    hedging : bool
        Whether each position stands by itself.
    resumes : dict or None
        What the strategy remembers of an earlier session: it then takes over, at the start, what the account
        holds and has working. None where it takes over nothing.
    can : Capabilities
        Of the venue: what it cannot, the hand holds here.
    hand : mapping
        What the hand remembers of an earlier session: it takes over what no strategy does.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        data: Client | Feed,
        execution: Client,
        kinds: frozenset[str],
        balance: Decimal,
        taker_fee: Decimal,
        strategy: str | type[StationStrategy],
        parameters: msgspec.Struct,
        emit: Callable[[AnyEvent], None],
        gate: Gate | None = None,
        last: Callable[[Standing], LastGate] | None = None,
        lead: Lead | None = None,
        name: str = NAME,
        account_id: str = "",
        hedging: bool = False,
        resumes: dict[str, str] | None = None,
        can: Capabilities = MATCHING,
        hand: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._venue, self._instrument_id = Venue(instrument.venue), InstrumentId.from_str(instrument.id)
        self._instrument, self._currency = instrument, Currency.from_str(instrument.quote)
        self._emit_on = emit
        self._strategy: StationStrategy | None = None
        self._feed = data if isinstance(data, Feed) else None
        resolving = Resolving(account_id) if account_id else None
        node = build_node(
            _served(data) if isinstance(data, Feed) else data,
            execution,
            kinds,
            None if resolving is None else resolving.client,
        )
        self._node: LiveNode | None = node
        # While it runs the node answers no more questions; these do.
        self._cache: Any = node.cache
        self._portfolio: Any = node.portfolio
        self._handle: LiveNodeHandle = node.handle()
        account = AccountReader(self._cache, self._portfolio, self._venue, self._currency)
        self._account: AccountReader | None = account
        self._sockets = Sockets(name, emit)
        self.tap = Tap(instrument, kinds, self._sockets.note)
        node.add_actor(self.tap)
        last_gate = None
        if resolving is not None and last is not None:
            last_gate = last(CacheStanding(self._cache, account, self._instrument_id))
        context = Context(
            name="hand",
            instrument=instrument,
            parameters=DeskSettings(prefix=hand_prefix(time.time_ns()), taker_fee=taker_fee, can=can),
            kinds=kinds,
            balance=balance,
            gate=last_gate or gate or VenueGate(instrument),
            emit=self._emit,
            hedging=hedging,
            simulated=resolving is None,
            last=last_gate,
        )
        self._hand: LiveDesk | None = LiveDesk(context)
        self._hand.recall(hand)
        self._add(self._hand)
        if strategy != "none":
            called = strategy if isinstance(strategy, str) else strategy.__name__
            kind = implementation(strategy, lead) if isinstance(strategy, str) else strategy
            self._strategy = kind(replace(context, name=called, parameters=parameters, lead=lead))
            self._add(self._strategy)
            self._hand.know(self._strategy)
        self._resuming: StationStrategy | None = None
        if resumes is not None and self._strategy is not None:
            self._recall(self._strategy, resumes)
            self._resuming = self._strategy
        elif hand.get("involved"):
            self._resuming = self._hand
        if self._resuming is not None:
            self._resuming.set_external_order_instrument_ids([self._instrument_id])
        self._foreign = self._doubts = self._guesses = None
        if resolving is not None:
            names = {str(each.strategy_id)[-3:]: str(each.strategy_id) for each in self._traders}
            self._foreign = Foreign(self._cache, self._instrument_id, names, emit)
            self._doubts = Doubts(self._cache, self._instrument_id, self._hand, resolving, emit)
            self._guesses = Guesses(self._cache, resolving)
        self._looked_s = self._asked_s = 0.0
        self._forgot_s = time.monotonic()
        self._loop = asyncio.new_event_loop()
        self._running = self._loop.create_task(_run(node))
        self._serving: asyncio.Task[None] | None = None
        self._was_running = False

    def _recall(self, strategy: StationStrategy, state: dict[str, str]) -> None:
        try:
            strategy.recall(state)
        except Exception as error:  # noqa: BLE001 - it is the user's code; told when the session has begun
            strategy.fail("recall", error)

    def _add(self, trader: StationStrategy) -> None:
        assert self._node is not None  # noqa: S101 - it is being made
        self._node.add_strategy(trader)
        trader.connect(self._cache, self._portfolio, trader.clock, self._books)

    @property
    def _traders(self) -> list[StationStrategy]:
        return [each for each in (self._hand, self._strategy) if each is not None]

    @property
    def desk(self) -> LiveDesk:
        """The hand; use it between pumps."""
        if self._hand is None:
            raise RuntimeError("the node was disposed")
        return self._hand

    @property
    def now_ns(self) -> int:
        """The wall clock, as the node reads it."""
        return self.desk.now_ns

    @property
    def is_running(self) -> bool:
        """Whether the node has connected, reconciled and started its strategies."""
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
        """What the strategy (or the hand) raised, in one line; empty while all is well."""
        return next((each.failure for each in self._traders if each.failure), "")

    @property
    def currency(self) -> str:
        """Code of the account's currency."""
        return self._currency.code

    @property
    def balance(self) -> Decimal:
        """Money in the account, without open profit."""
        return self._books.total()

    @property
    def net_position(self) -> Decimal:
        """Signed size that the account holds, whoever opened it."""
        held: Decimal = self._portfolio.net_position(self._instrument_id)
        return held

    def strategy_now(self) -> tuple[Decimal, tuple[str, ...], dict[str, str]]:
        """What the strategy holds, its orders at work, and what it wants to know again after a restart."""
        strategy = self._strategy
        if strategy is None:
            return Decimal(0), (), {}
        wanted = {"instrument_id": self._instrument_id, "strategy_id": strategy.strategy_id}
        # One without an answer may be at work, too, or have filled.
        found = [*self._cache.orders_open(**wanted), *self._cache.orders_inflight(**wanted)]
        orders = tuple(sorted({str(each.client_order_id) for each in found}))
        try:
            state = strategy.remember()
        except Exception as error:  # noqa: BLE001 - it is the user's code, and the session goes on
            strategy.fail("remember", error)
            state = {}
        return strategy.held(), orders, state

    def touch(self, instrument: str) -> Touch | None:
        """Best prices now; None where they are not known."""
        return touch(self._cache, self._instrument_id) if instrument == self._instrument.id else None

    def pump(self, seconds: float) -> None:
        """Let everything happen that happens in this time."""
        self._loop.run_until_complete(asyncio.sleep(seconds))
        if self.is_running and self._books.is_known and not self._was_running:
            self._was_running = True
            self._begin()
        now_s = time.monotonic()
        looks = self._was_running and now_s - self._looked_s > _LOOK_EVERY_S
        if looks:
            self._looked_s = now_s
            if self._foreign is not None:
                self._look()
        self.desk.tend(looks=looks)
        if self._was_running and now_s - self._forgot_s > _FORGET_EVERY_S:
            self._forgot_s = now_s
            self._forget()

    def _begin(self) -> None:
        """Tell what reconciliation found, and let the market begin."""
        if self._resuming is not None:
            # What is placed elsewhere from now on is not theirs.
            self._resuming.set_external_order_instrument_ids([])
        account = self._books.changed(self.now_ns)
        self._emit(account)
        for trader in self._traders:
            # Sizes follow from what the account has, which only a simulated one knew before.
            trader.context = replace(trader.context, balance=account.balances[0].total)
            self._tell_standing(trader)
        if self._foreign is not None:
            self._foreign.look()
        self.desk.take_up()
        if self._feed is not None:
            self._serving = self._loop.create_task(self._feed.serve(lambda: self.tap.ticks))

    def _tell_standing(self, trader: StationStrategy) -> None:
        """Tell what a trader took over: its events came before it was started."""
        for order in self._cache.orders(strategy_id=trader.strategy_id):
            if not is_made_up(order):
                self._emit(order_changed(order, order.ts_last))
        for position in trader.own_positions():
            self._emit(position_now(position))

    def _look(self) -> None:
        assert self._foreign is not None  # noqa: S101 - who calls
        assert self._doubts is not None  # noqa: S101 - made together
        assert self._guesses is not None  # noqa: S101 - as well
        self._foreign.look()
        reconnected, now_s = self._sockets.take_reconnected(), time.monotonic()
        if reconnected or now_s - self._asked_s > _ASK_ACCOUNT_S:
            # An execution that was only found by asking has no fee, and a change may have been missed.
            self._asked_s = now_s
            self.desk.ask_account()
        if reconnected or self._sockets.are_down:
            self._doubts.disturbed()
        self._doubts.look()
        self._guesses.look()

    def _forget(self) -> None:
        """Keep the node from growing for ever; what happened was told, and is recorded."""
        if self._sockets.are_down:
            return  # much may come late once they are back
        now_ns = time.time_ns()
        self._cache.purge_closed_orders(now_ns, _KEPT_S)
        self._cache.purge_account_events(now_ns, _KEPT_S)

    def remind(self) -> None:
        """Have the strategy see what is newly due in its lead."""
        if isinstance(self._strategy, AiSignal):
            self._strategy.schedule()

    def told(self, account: AccountChanged) -> None:
        """Remember the account as it was told last."""
        self._books.told(account)

    def account(self, ts: int) -> AccountChanged | None:
        """The account, where it is not as it was told last."""
        return self._books.news(ts)

    def statistics(self) -> dict[str, float | str | None]:
        """The analyzer's statistics by name, as those of a replay; not defined is None."""
        found = self._portfolio.statistics()
        return statistics(found.pnls.get(self._currency.code, {}), found.returns, found.general)

    def stop(self) -> None:
        """Disconnect; strategies get their `on_stop`."""
        if self._serving is not None:
            self._serving.cancel()
        self._handle.stop()
        deadline = time.monotonic() + _STOP_S
        while not self._running.done() and time.monotonic() < deadline:
            self._loop.run_until_complete(asyncio.sleep(_TURN_S))
        _raised(self._running)  # orders that are still in doubt are told already

    def dispose(self) -> None:
        """Free everything, in the thread that made it; may be called twice."""
        if self._node is None:
            return
        self.stop()
        self._loop.run_until_complete(_cancel_others())
        self._loop.close()
        self._node.dispose()
        if self._feed is not None:
            self._feed.disconnect()
        self._node = self._strategy = self._hand = self._resuming = self._account = self._cache = (
            self._portfolio
        ) = None
        self._foreign = self._doubts = self._guesses = None
        del self.tap, self._handle, self._running, self._serving
        # Clients hold themselves, and a strategy may; left to itself, the collector would free them in
        # whatever thread it happens to run.
        gc.collect()

    def _emit(self, event: AnyEvent) -> None:
        if self._doubts is not None and self._guesses is not None:
            if isinstance(event, OrderChanged):
                self._doubts.note(event)
                self._guesses.note_order(event)
            elif isinstance(event, Filled):
                self._guesses.note(event)
        self._emit_on(event)

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
