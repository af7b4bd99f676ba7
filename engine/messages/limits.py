"""What an account, a strategy or an instrument may do at most, and what of it is used.

A limit states its title, unit and meaning once, here: the form in the window, the file, the gate's sentences
and the risk panel's bars are all made from it. None means that there is no such limit.
"""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


def _limit(title: str, unit: str, description: str) -> Meta:
    return Meta(title=title, description=description, extra={"unit": unit}, extra_json_schema={"unit": unit})


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits of one scope; `money` is the account's currency, `price` and `size` the instrument's.

    In the scope of an account each per-instrument limit holds for every instrument by itself.
    """

    order_quantity: Annotated[Decimal | None, _limit("Order size", "size", "Largest size of one order.")] = (
        None
    )
    order_notional: Annotated[
        Decimal | None, _limit("Order value", "money", "Largest value of one order.")
    ] = None
    price_band_bps: Annotated[
        Decimal | None,
        _limit("Price band", "bps", "Farthest that an order's price may lie through the touch (fat finger)."),
    ] = None
    position: Annotated[
        Decimal | None,
        _limit("Position", "size", "Largest position, long or short, were all working orders filled."),
    ] = None
    gross_exposure: Annotated[
        Decimal | None, _limit("Gross exposure", "money", "Largest sum of all positions' values.")
    ] = None
    net_exposure: Annotated[
        Decimal | None, _limit("Net exposure", "money", "Largest difference of long and short values.")
    ] = None
    concentration: Annotated[
        Decimal | None, _limit("Concentration", "%", "Largest value of one instrument, in percent of equity.")
    ] = None
    leverage: Annotated[
        Decimal | None, _limit("Leverage", "x", "Largest gross exposure as a multiple of equity.")
    ] = None
    margin: Annotated[
        Decimal | None, _limit("Margin", "%", "Largest margin in use, in percent of equity.")
    ] = None
    open_orders: Annotated[
        Decimal | None, _limit("Open orders", "orders", "Most orders at work at the same time.")
    ] = None
    orders_per_second: Annotated[
        Decimal | None, _limit("Order rate", "orders/s", "Most orders and changes sent in one second.")
    ] = None
    orders_per_minute: Annotated[
        Decimal | None, _limit("Orders a minute", "orders/min", "Most orders and changes sent in one minute.")
    ] = None
    day_loss: Annotated[
        Decimal | None, _limit("Loss of the day", "money", "Most that may be lost since midnight UTC.")
    ] = None
    session_loss: Annotated[
        Decimal | None, _limit("Loss of the session", "money", "Most that may be lost since its start.")
    ] = None
    drawdown: Annotated[
        Decimal | None, _limit("Trailing drawdown", "%", "Farthest that equity may fall below its peak.")
    ] = None
    trade_loss: Annotated[
        Decimal | None,
        _limit("Loss of a trade", "money", "Most that an entry may lose at its stop; it needs one."),
    ] = None
    correlated_exposure: Annotated[
        Decimal | None,
        _limit("Correlated exposure", "money", "Largest root of w'Cw: values weighed by their correlations."),
    ] = None
    trading_hours: Annotated[
        str,
        _limit("Trading hours", "", "UTC, for example Mon-Fri 07:00-21:00; empty is always."),
    ] = ""
    feed_age_s: Annotated[
        Decimal | None, _limit("Age of the feed", "s", "No new orders on market data older than this.")
    ] = None
    inventory_imbalance: Annotated[
        Decimal | None,
        _limit(
            "Inventory imbalance", "%", "Largest |bought - sold| / (bought + sold), working orders counted."
        ),
    ] = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for a limit that is no number of 0 or more."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not (value.is_finite() and value >= 0):
                raise ValueError(f"{name}={value} must be 0 or more; leave it out for no limit.")


class KillRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the kill switch fires by itself, and how it closes positions."""

    flatten_by: Annotated[
        Literal["market", "limit"],
        Meta(
            title="Flatten by",
            description="Market orders, or limit orders priced through the touch and repeated until flat.",
        ),
    ] = "market"
    on_loss_limit: Annotated[
        bool, Meta(title="On a loss limit", description="When a loss or drawdown limit is broken.")
    ] = True
    orders_per_second: Annotated[
        Decimal | None,
        Meta(title="Order storm", description="Orders wanted in one second, let pass or not."),
    ] = Decimal(200)
    stale_feed_s: Annotated[
        Decimal | None,
        Meta(title="Stale feed", description="Age in seconds of the market data while a position is open."),
    ] = Decimal(30)
    on_sick_model: Annotated[
        bool, Meta(title="On a sick model", description="When a rule disarms the model of an open position.")
    ] = True
    lost_window_s: Annotated[
        Decimal | None,
        Meta(title="Lost window", description="Seconds without a sign of the window; none keeps trading."),
    ] = None
    memory_mb: Annotated[
        Decimal | None, Meta(title="Memory", description="Megabytes that the engine may use.")
    ] = None


class Protection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds as the account's equity falls below its peak: smaller orders, none, and then no position.

    A stage ends when four fifths of the fall at which it began are left, and so does not come and go with
    each tick. The last only ends by other thresholds: who lost so much decides anew.
    """

    scale_at: Annotated[
        Decimal | None,
        _limit("Smaller from", "%", "Drawdown from which limits of size, order value and position shrink."),
    ] = None
    scale_to: Annotated[
        Decimal,
        _limit("Smallest share", "%", "What is left of these limits where the next stage begins."),
    ] = Decimal(25)
    pause_at: Annotated[
        Decimal | None, _limit("Nothing new from", "%", "Drawdown from which nothing is opened.")
    ] = None
    flatten_at: Annotated[
        Decimal | None, _limit("Flat from", "%", "Drawdown from which positions are closed.")
    ] = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for stages that do not come one after the other."""
        falls = [fall for fall in (self.scale_at, self.pause_at, self.flatten_at) if fall is not None]
        if any(not (fall.is_finite() and 0 < fall <= 100) for fall in falls):
            raise ValueError("A drawdown is above 0 and at most 100 %; clear it for no such stage.")
        if falls != sorted(set(falls)):
            raise ValueError("Drawdowns must grow from stage to stage; reorder them.")
        if not (self.scale_to.is_finite() and 0 <= self.scale_to <= 100):
            raise ValueError("The smallest share must lie between 0 and 100 %; correct it.")


type Stage = Literal["normal", "scaled", "paused", "flat"]
"""What the drawdown protection lets pass."""


class RiskPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All limits of an account with those of single strategies and instruments; every one of them holds.

    `version` grows with every change.
    """

    version: int = 1
    account: Limits = Limits()
    strategies: dict[str, Limits] = {}
    instruments: dict[str, Limits] = {}
    protection: Protection = Protection()
    kill: KillRules = KillRules()


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one limit is used now.

    `scope` is `account`, `strategy` or `instrument`, and `name` which one (empty for the account). `value`
    and `limit` are in `unit`; for painting, so floats.
    """

    rule: str
    title: str
    scope: Literal["account", "strategy", "instrument"]
    name: str
    unit: str
    value: float
    limit: float


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one instrument or currency: signed quantity, and its signed value in money."""

    name: str
    quantity: float
    value: float


class StrategyProfit(msgspec.Struct, frozen=True, kw_only=True):
    """Profit of one strategy in money, fees taken off."""

    strategy: str
    realised: float
    unrealised: float


class TailRisk(msgspec.Struct, frozen=True, kw_only=True):
    """Value at risk and expected shortfall of the positions held, both positive, in money.

    `level` is the confidence, `horizon_s` the time over which, `returns` how many past returns it is made of.
    None where there are too few.
    """

    method: Literal["historical", "ewma"]
    level: float
    horizon_s: float
    returns: int
    value_at_risk: float | None
    expected_shortfall: float | None


class AccountRisk(msgspec.Struct, frozen=True, kw_only=True):
    """The account's risk now, in `currency`: what the risk panel shows of the whole; for painting.

    `margin_used` is what working orders and positions take of the equity; `drawdown` is equity below its
    peak (<= 0). `stage` is that of the drawdown protection, and `share` what it leaves of sizes.
    """

    currency: str
    equity: float = 0.0
    gross: float = 0.0
    net: float = 0.0
    leverage: float = 0.0
    margin_used: float = 0.0
    margin_free: float = 0.0
    day_profit: float = 0.0
    session_profit: float = 0.0
    drawdown: float = 0.0
    stage: Stage = "normal"
    share: float = 1.0
    uses: list[LimitUse] = []
    instruments: list[Exposure] = []
    currencies: list[Exposure] = []
    strategies: list[StrategyProfit] = []
    tails: list[TailRisk] = []
    policy_version: int = 0
