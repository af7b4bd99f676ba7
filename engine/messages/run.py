"""What a run is: data, strategy, venue rules. The same struct drives back-test, replay and the demo."""

from decimal import Decimal
from typing import Literal

import msgspec


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
