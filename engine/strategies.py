"""The strategies a person can choose, with their parameters; what runs them lives in `engine.nautilus`.

A parameter states its range, title and meaning once, here; the command line's `--param fast=10`, the form in
the window and the check before a run are all made from it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from engine.bars import BarSpec
from engine.errors import UserError, unknown_name

_SIZE = Meta(
    title="Trade size",
    description="Size of one position in base currency; 0 is about 1 % of the starting balance.",
)

type Value = int | float | str | bool
"""What a parameter may be given as; a `Decimal` travels as text."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parameters: a strategy that has none."""

    def builtins(self) -> dict[str, Value]:
        """Values as `Run.parameters` holds them."""
        values: dict[str, Value] = msgspec.to_builtins(self)
        return values


def _check_size(trade_size: Decimal) -> None:
    if not trade_size.is_finite() or trade_size < 0:
        raise ValueError(f"trade_size={trade_size} must be 0 or more.")


class BuyAndHoldParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to buy at the first price."""

    trade_size: Annotated[Decimal, _SIZE] = Decimal(0)

    def __post_init__(self) -> None:
        """Raise `ValueError` for an impossible size."""
        _check_size(self.trade_size)


class EmaCrossParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two averages, what they average, and what is traded when they cross."""

    fast: Annotated[
        int, Meta(ge=1, le=100_000, title="Fast period", description="Ticks or bars in the fast average.")
    ] = 100
    slow: Annotated[
        int, Meta(ge=2, le=1_000_000, title="Slow period", description="Ticks or bars in the slow average.")
    ] = 500
    on: Annotated[
        Literal["ticks", "bars"],
        Meta(
            title="Average over",
            description="Ticks are the mid price of every quote, or every trade where there are no quotes.",
        ),
    ] = "ticks"
    bar: Annotated[
        str, Meta(title="Bar", description="Bars that are averaged, for example 1-MINUTE-MID.")
    ] = "1-MINUTE-MID"
    trade_size: Annotated[Decimal, _SIZE] = Decimal(0)

    def __post_init__(self) -> None:
        """Raise `ValueError` where the periods do not differ or the bar is none."""
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be smaller than slow={self.slow}.")
        _check_size(self.trade_size)
        try:
            BarSpec.parse(self.bar)
        except UserError as error:
            raise ValueError(str(error)) from error


class BookImbalanceParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the book leans far enough to one side to follow it, and for how long."""

    levels: Annotated[
        int, Meta(ge=1, le=100, title="Levels", description="Best levels of each side that are weighed.")
    ] = 5
    threshold: Annotated[
        float,
        Meta(
            gt=0,
            lt=1,
            title="Threshold",
            description="Trade when (bids - asks) / (bids + asks) is beyond it, in sizes, either way.",
        ),
    ] = 0.6
    hold_s: Annotated[
        float,
        Meta(ge=0, le=86_400, title="Hold", description="Seconds of market time before the next decision."),
    ] = 10.0
    trade_size: Annotated[Decimal, _SIZE] = Decimal(0)

    def __post_init__(self) -> None:
        """Raise `ValueError` for an impossible size."""
        _check_size(self.trade_size)


class AiSignalParameters(Parameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a model's word is enough to trade, how much, and when to leave.

    Thresholds are probabilities of a classification, and values in the label's unit of a regression.
    """

    enter: Annotated[
        float,
        Meta(
            gt=0,
            le=1_000_000,
            title="Enter at",
            description="Open a position when its side is at least this: a probability, or for a regression "
            "a value in the label's unit.",
        ),
    ] = 0.5
    exit: Annotated[
        float,
        Meta(
            ge=-1_000_000,
            le=1_000_000,
            title="Exit below",
            description="Close it when its side falls below this; lower than the entry, so that noise around "
            "one threshold does not trade.",
        ),
    ] = 0.35
    sides: Annotated[
        Literal["both", "long", "short"], Meta(title="Sides", description="Positions that may be opened.")
    ] = "both"
    on_opposite: Annotated[
        Literal["reverse", "exit", "ignore"],
        Meta(title="Opposite signal", description="What the other side's entry does to an open position."),
    ] = "reverse"
    cool_down_s: Annotated[
        float,
        Meta(ge=0, le=86_400, title="Cool-down", description="Seconds after an exit without an entry."),
    ] = 1.0
    horizon: Annotated[
        Literal["label", "seconds", "off"],
        Meta(
            title="Longest hold",
            description="Leave after the horizon that the model was trained for, after so many seconds, "
            "or never for that reason; a side that still stands at its entry threshold holds on.",
        ),
    ] = "label"
    horizon_s: Annotated[
        float, Meta(gt=0, le=864_000, title="Hold seconds", description="With a longest hold in seconds.")
    ] = 60.0
    stop_bps: Annotated[
        float,
        Meta(ge=0, le=10_000, title="Stop", description="Basis points from the entry's fill; 0 places none."),
    ] = 0.0
    take_profit_bps: Annotated[
        float,
        Meta(
            ge=0,
            le=10_000,
            title="Take profit",
            description="Basis points from the entry's fill; 0 places none.",
        ),
    ] = 0.0
    sizing: Annotated[
        Literal["fixed", "volatility", "kelly", "risk"],
        Meta(
            title="Sizing",
            description="Fixed: the trade size. Volatility: the trade size at the target volatility, less "
            "when the market is wilder. Kelly: a fraction of the growth-optimal share of equity. Risk: as "
            "much as loses a part of equity at the stop.",
        ),
    ] = "fixed"
    trade_size: Annotated[Decimal, _SIZE] = Decimal(0)
    target_volatility_bps: Annotated[
        float,
        Meta(
            gt=0,
            le=100_000,
            title="Target volatility",
            description="Realised volatility over the window, in basis points, at which a volatility-scaled "
            "position has the trade size.",
        ),
    ] = 5.0
    volatility_window_s: Annotated[
        float, Meta(gt=0, le=86_400, title="Volatility window", description="Seconds of realised volatility.")
    ] = 60.0
    kelly_fraction: Annotated[
        float, Meta(gt=0, le=1, title="Kelly fraction", description="Part of the full Kelly stake.")
    ] = 0.25
    cap_pct: Annotated[
        float,
        Meta(
            gt=0,
            le=10_000,
            title="Cap",
            description="Largest position of volatility, Kelly or risk sizing, in percent of equity.",
        ),
    ] = 10.0
    risk_pct: Annotated[
        float,
        Meta(
            gt=0,
            le=100,
            title="Risk",
            description="Percent of equity that is lost at the stop, fees included.",
        ),
    ] = 0.5
    ensemble: Annotated[
        Literal["mean", "vote", "weighted"],
        Meta(
            title="Ensemble",
            description="How several models become one: their mean, their vote, or by weight.",
        ),
    ] = "mean"
    disarm_on_nan: Annotated[
        bool,
        Meta(
            title="Disarm on NaN",
            description="Stop trading, flat, when an input or an answer has no value after the warm-up.",
        ),
    ] = True
    disarm_psi: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            title="Disarm on drift",
            description="Stop trading, flat, when an input's population stability index is above; 0 never.",
        ),
    ] = 0.0

    def __post_init__(self) -> None:
        """Raise `ValueError` for an impossible size, or thresholds that would trade on noise."""
        _check_size(self.trade_size)
        if self.exit >= self.enter:
            raise ValueError(f"exit={self.exit:g} must be lower than enter={self.enter:g}.")
        if self.sizing == "risk" and not self.stop_bps:
            raise ValueError("sizing=risk needs a stop to lose at; give stop_bps above 0.")


class StrategySpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy does, takes and needs.

    `needs` names the kinds of market data of which at least one must be there; empty needs none.
    `takes_model` says that it acts on the run's model and cannot run without one.
    """

    title: str
    summary: str
    parameters: type[Parameters]
    needs: frozenset[str] = frozenset()
    takes_model: bool = False


STRATEGIES: Mapping[str, StrategySpec] = {
    "none": StrategySpec(
        title="None", summary="No strategy trades; your own orders do.", parameters=Parameters
    ),
    "buy_and_hold": StrategySpec(
        title="Buy and hold",
        summary="Buy at the first price and keep it to the end.",
        parameters=BuyAndHoldParameters,
    ),
    "ema_cross": StrategySpec(
        title="EMA cross",
        summary="Long while the fast exponential average is above the slow one, short while it is below.",
        parameters=EmaCrossParameters,
        needs=frozenset({"quotes", "trades"}),
    ),
    "book_imbalance": StrategySpec(
        title="Book imbalance",
        summary="Follow the side of the order book that is much the heavier one.",
        parameters=BookImbalanceParameters,
        needs=frozenset({"deltas"}),
    ),
    "ai_signal": StrategySpec(
        title="AI signal",
        summary="Follow what a model says: enter and leave at its thresholds, sized and protected.",
        parameters=AiSignalParameters,
        takes_model=True,
    ),
}


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter as a form shows it and an error sentence names it.

    Attributes
    ----------
    kind : str
        `int`, `float`, `decimal`, `text`, `bool` or `choice`.
    minimum, maximum : float or None
        Range of an `int` or `float`; exclusive where `open_minimum` and `open_maximum` say so.
    choices : tuple of str
        Of a `choice`.
    """

    name: str
    title: str
    description: str
    kind: Literal["int", "float", "decimal", "text", "bool", "choice"]
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False
    choices: tuple[str, ...] = ()

    def allowed(self) -> str:
        """Valid values, in words."""
        if self.kind == "choice":
            return " or ".join(self.choices)
        noun = {
            "int": "a whole number",
            "float": "a number",
            "decimal": "a number",
            "bool": "true or false",
            "text": "a text",
        }[self.kind]
        if self.minimum is None or self.maximum is None:
            return noun
        match self.open_minimum, self.open_maximum:
            case True, True:
                between = "between {:g} and {:g}"
            case True, False:
                between = "above {:,.12g}, up to {:,.12g}"
            case False, True:
                between = "from {:,.12g} to below {:,.12g}"
            case _:
                between = "from {:,.12g} to {:,.12g}"
        return f"{noun} {between.format(self.minimum, self.maximum)}"


def describe(strategy: str) -> tuple[Parameter, ...]:
    """Parameters of a strategy in the order of its form; raises `UserError` for an unknown name."""
    info = msgspec.inspect.type_info(_spec(strategy).parameters)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 - what every `Parameters` is
    return tuple(_parameter(field) for field in info.fields)


def parse_parameters(strategy: str, given: Mapping[str, Value]) -> Parameters:
    """Check and convert what a person typed (or a file holds) for this strategy.

    Raises
    ------
    UserError
        Unknown strategy or parameter (with the nearest valid ones), a value that is none or out of range, or
        values that do not go together.
    """
    kind = _spec(strategy).parameters
    known = {parameter.name: parameter for parameter in describe(strategy)}
    types = {field.name: field.type for field in msgspec.structs.fields(kind)}
    values = {}
    for name, value in given.items():
        if name not in known:
            if not known:
                raise UserError(f"Strategy {strategy!r} takes no parameters; leave out {name!r}.")
            raise unknown_name(f"parameter of {strategy}", name, known)
        try:
            values[name] = msgspec.convert(value, types[name], strict=False)
        except msgspec.ValidationError:
            raise UserError(
                f"Parameter {name}={value} of {strategy} must be {known[name].allowed()}."
            ) from None
    try:
        return kind(**values)
    except ValueError as error:
        raise UserError(f"Parameters of {strategy}: {error}") from error


def _spec(strategy: str) -> StrategySpec:
    if strategy not in STRATEGIES:
        raise unknown_name("strategy", strategy, STRATEGIES)
    return STRATEGIES[strategy]


def _parameter(field: msgspec.inspect.Field) -> Parameter:
    kind, meta = field.type, {}
    if isinstance(kind, msgspec.inspect.Metadata):
        meta, kind = kind.extra_json_schema or {}, kind.type
    limits = kind if isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType) else None
    return Parameter(
        name=field.name,
        title=meta.get("title", field.name),
        description=meta.get("description", ""),
        kind=_kind(kind),
        default=field.default,
        minimum=None if limits is None else limits.ge if limits.gt is None else limits.gt,
        maximum=None if limits is None else limits.le if limits.lt is None else limits.lt,
        open_minimum=limits is not None and limits.gt is not None,
        open_maximum=limits is not None and limits.lt is not None,
        choices=tuple(map(str, kind.values)) if isinstance(kind, msgspec.inspect.LiteralType) else (),
    )


def _kind(kind: msgspec.inspect.Type) -> Literal["int", "float", "decimal", "text", "bool", "choice"]:
    match kind:
        case msgspec.inspect.IntType():
            return "int"
        case msgspec.inspect.FloatType():
            return "float"
        case msgspec.inspect.DecimalType():
            return "decimal"
        case msgspec.inspect.BoolType():
            return "bool"
        case msgspec.inspect.LiteralType():
            return "choice"
        case _:
            return "text"
