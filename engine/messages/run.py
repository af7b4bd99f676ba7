"""What a run is: data, strategy, venue rules. The same struct drives back-test, replay and the demo."""

from decimal import Decimal
from typing import Literal

import msgspec

from engine.messages.connection import Connection
from engine.messages.limits import RiskPolicy

type Mode = Literal["replay", "paper", "live"]
"""Past market with simulated fills, present market with simulated fills, present market at a venue."""

type ArmState = Literal["view", "paper", "live"]
"""No orders pass; orders pass to a simulated venue; orders pass to a real one."""


class VenueRules(msgspec.Struct, frozen=True, kw_only=True):
    """How the simulated venue fills and charges; fees of None are the instrument's own.

    `latency_ms` delays every order on its way to the venue. `currency` of None is the instrument's quote
    currency.
    """

    balance: Decimal = Decimal(1_000_000)
    currency: str | None = None
    leverage: Decimal = Decimal(20)
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    latency_ms: float = 0.0
    oms: Literal["NETTING", "HEDGING"] = "NETTING"


type Arming = Literal["armed", "shadow", "off"]
"""A model's signals are traded, only shown, or not made at all."""

type InferenceMode = Literal["per-tick", "batch", "thread"]
"""When the model is asked: in the tick's own turn, for the whole range beforehand (the same orders, far
faster), or by a background thread as in live trading (late answers are dropped and counted)."""


class ModelUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of a run.

    Attributes
    ----------
    file : str
        Model file; its passport lies in it or beside it.
    sha256 : str
        What the file must still be; empty asks for nothing.
    trusted : bool
        The person let exactly this content run its own code (TorchScript, torch.export).
    weight : float
        Share in a weighted ensemble.
    """

    file: str
    sha256: str = ""
    trusted: bool = False
    weight: float = 1.0


class Inference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The models of a run and how they are asked; several are an ensemble.

    Attributes
    ----------
    device : str
        `auto`, `cpu` or `cuda:N`.
    arming : Arming
        At the run's start.
    latency_us : float or None
        Delay from a row to the order that it causes; None is what was measured on this machine, rounded up
        to 1, 2 or 5 times a power of ten so that noise does not change a run.
    deadline_ms : float
        Of `thread`: a row that waited longer is dropped, and the newest is asked instead.
    """

    models: tuple[ModelUse, ...]
    mode: InferenceMode = "per-tick"
    device: str = "auto"
    arming: Arming = "armed"
    latency_us: float | None = None
    deadline_ms: float = 50.0


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of one strategy over stored (or, with `simulate`, generated) data.

    Attributes
    ----------
    store : str
        Folder of the tick store; empty with `simulate`.
    start_ns, end_ns : int or None
        First and last market time, inclusive, ns UTC; None is all that is stored.
    strategy : str
        Name in `engine.strategies.STRATEGIES`; `none` only watches.
    parameters : dict
        The strategy's parameters, validated by its own struct.
    bar : str
        Bar that `step bar` advances by, for example `1-MINUTE-MID`.
    depth_interval_ns : int
        Market time per column of the depth heatmap.
    simulate : str or None
        Profile of the generated market that is replayed instead of the store (`fx`, `crypto`).
    seed : int
        Of the generated market and of random windows.
    recording : str
        Folder of a recorded session whose market data are replayed instead of the store's; empty is none.
    series : tuple of str
        Stored series (news, economic calendars) that are shown as they are published.
    mode : Mode
        `paper` over a store, a recording or a generated market serves it as if it were live.
    connection : Connection or None
        To a live market or venue; None serves stored data.
    speed : float
        Market seconds per second at which stored data are served live; 0 is as fast as possible.
    arm : ArmState
        At the run's start.
    policy : RiskPolicy
        Limits in force at the run's start.
    inference : Inference or None
        Models that a strategy such as `ai_signal` acts on; a strategy that takes none is refused with them,
        and `ai_signal` in shadow is what only watches them.
    """

    instrument: str
    store: str = ""
    start_ns: int | None = None
    end_ns: int | None = None
    strategy: str = "none"
    parameters: dict[str, int | float | str | bool] = {}
    venue: VenueRules = VenueRules()
    bar: str = "1-MINUTE-MID"
    depth_interval_ns: int = 1_000_000_000
    simulate: str | None = None
    seed: int = 1
    recording: str = ""
    series: tuple[str, ...] = ()
    mode: Mode = "replay"
    connection: Connection | None = None
    speed: float = 1.0
    arm: ArmState = "view"
    policy: RiskPolicy = RiskPolicy()
    inference: Inference | None = None

    @property
    def profile(self) -> str:
        """Name of the connection's profile, under which its keys are kept; empty without one."""
        return "" if self.connection is None else self.connection.name
