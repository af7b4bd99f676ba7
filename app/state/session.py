"""One session as the window knows it: every read model, fed by frames and by nothing else.

It is a disposable copy. A frame that brings the instruments starts the market anew: it is the first of an
epoch, or of a watch that begins in the middle. Orders and results start anew where the events say so, in
their own order. The log alone lives on, because it tells what led there.
"""

from app.state.log import LogState
from app.state.market import MarketState
from app.state.news import NewsState
from app.state.orders import OrdersState
from app.state.queue import QueueState
from app.state.risk import RiskState
from app.state.signals import SignalsState
from engine.messages.events import (
    AnyEvent,
    ArmStateChanged,
    ConnectionChanged,
    Denied,
    EpochBegan,
    HaltChanged,
    Numbered,
    PhaseChanged,
    PolicyChanged,
    Published,
    Refused,
    Results,
)
from engine.messages.frames import Control, Frame, Health, Recorder, Transport
from engine.messages.limits import AccountRisk, RiskPolicy
from engine.messages.orders import OrderPreview


class SessionState:
    """Read models of one session.

    Attributes
    ----------
    transport : Transport or None
        The session's clock; None before the first frame.
    health : Health
        The engine's figures of the latest frame.
    recorder : Recorder
        How recording was doing in the latest frame.
    phase_text : str
        Why the session is in its phase, where that is not plain.
    control : Control
        Whether and where orders passed in the latest frame.
    account_risk : AccountRisk or None
        The account as a whole in the latest frame; None where the session keeps no gate.
    preview : OrderPreview or None
        The latest answer to a `Preview`.
    policy : RiskPolicy or None
        Limits in force; None before the session told them.
    halt : HaltChanged or None
        The latest word of the kill switch.
    connections : dict
        `ConnectionChanged` by the connection's name, the latest of each.
    markets : dict
        `MarketState` by instrument id.
    orders, risk, log, signals : OrdersState, RiskState, LogState, SignalsState
    news : NewsState
        A new one in each epoch.
    queues : QueueState
        What stands before resting orders; a new one in each epoch.
    results : Results or None
        Set when the run is finished.
    refusal : Refused or None
        The latest refused command; `refusals` counts them.
    last_event : int
        Number up to which every event was applied.
    event_gap : bool
        Whether an event is missing after `last_event`; later ones wait until the engine sent it again.
    events_lost : int
        Events that the watcher found missing so far; each was asked for again.
    version : int
        Number of frames applied.
    """

    def __init__(self, log: LogState | None = None) -> None:
        self.log = log or LogState()
        self.transport: Transport | None = None
        self.health = Health()
        self.recorder = Recorder()
        self.control = Control()
        self.account_risk: AccountRisk | None = None
        self.preview: OrderPreview | None = None
        self.policy: RiskPolicy | None = None
        self.halt: HaltChanged | None = None
        self.arming: ArmStateChanged | None = None
        self.connections: dict[str, ConnectionChanged] = {}
        self.refusal: Refused | None = None
        self.refusals = 0
        self.last_event = 0
        self.event_gap = False
        self.events_lost = 0
        self.epoch = 0
        self.version = 0
        self.markets: dict[str, MarketState] = {}
        self.risk = RiskState()
        self.signals = SignalsState()
        self.phase_text = ""
        self._token = object()
        self._begin_orders()

    def _begin_orders(self) -> None:
        self.orders = OrdersState()
        self.news = NewsState()
        self.queues = QueueState()
        self.results: Results | None = None

    @property
    def denials(self) -> list[Denied]:
        """What the gate did not let pass, in order; a new list in each epoch."""
        return self.orders.denials

    def apply(self, frame: Frame) -> None:
        """Take one frame; frames must come in their order."""
        if frame.epoch != self.epoch:
            self.epoch = frame.epoch
            self.risk = RiskState()
        if frame.instruments:
            self.markets = {
                instrument.id: MarketState(instrument, self._token) for instrument in frame.instruments
            }
            self.signals.forget_rows()
        for market in frame.markets:
            self.markets[market.instrument].apply(market)
        self.risk.apply(frame.risks, frame.transport.now)
        self.signals.apply(frame)
        due = self._due(frame.events)
        self._take_events(due)
        self.queues.apply(
            frame.markets,
            self.markets,
            due,
            frame.transport.now,
            own_in_book=frame.control.mode == "live",
        )
        self.transport = frame.transport
        self.health = frame.health
        self.recorder = frame.recorder
        self.control = frame.control
        self.account_risk = frame.account_risk
        self.preview = frame.preview or self.preview
        self.version += 1

    def _due(self, numbered: list[Numbered]) -> list[AnyEvent]:
        """Events that were not applied yet, up to the first gap in their numbers."""
        due: list[AnyEvent] = []
        for entry in numbered:
            if entry.number <= self.last_event:  # sent again for a watcher that joined
                continue
            if entry.number != self.last_event + 1:
                if not self.event_gap:
                    self.events_lost += entry.number - self.last_event - 1
                self.event_gap = True
                break
            self.last_event = entry.number
            self.event_gap = False
            due.append(entry.event)
        return due

    def _take_events(self, due: list[AnyEvent]) -> None:
        for event in due:
            match event:
                case EpochBegan():
                    self._begin_orders()
                    self.signals.begin()
                case PhaseChanged():
                    self.phase_text = event.text
                case Results():
                    self.results = event
                case PolicyChanged():
                    self.policy = event.policy
                case HaltChanged() | ArmStateChanged():
                    self._take_stand(event)
                case ConnectionChanged():
                    self.connections[event.name] = event
                case Published():
                    self.news.take(event)
                case Refused():
                    self.refusal = event
                    self.refusals += 1
                case _:
                    self.orders.apply((event,))
                    self.signals.take_event(event, self.orders)
        self.log.apply(due)

    def _take_stand(self, event: HaltChanged | ArmStateChanged) -> None:
        if isinstance(event, HaltChanged):
            self.halt = event
        else:
            self.arming = event
