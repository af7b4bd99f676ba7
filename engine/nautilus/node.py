"""Builds live nodes: where market data come from and where orders go is all that paper and live differ in."""

from typing import Any, Final, NamedTuple

from nautilus_trader.adapters.sandbox import SandboxExecutionClientConfig, SandboxExecutionClientFactory
from nautilus_trader.common import Environment, LoggerConfig
from nautilus_trader.execution import MakerTakerFeeModel, StaticLatencyModel
from nautilus_trader.live import (
    LiveDataEngineConfig,
    LiveExecutionEngineConfig,
    LiveNode,
    LiveNodeBuilder,
    LiveRiskEngineConfig,
    SubmissionRecoveryPolicy,
)
from nautilus_trader.model import AccountType, BookType, Currency, Money, OmsType, TraderId, Venue

from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.run import VenueRules

TRADER: Final = "STATION-NT1"
"""Its tag stands in the name of every order, by which they are known again."""

LOOKBACK_MINS: Final = 4
"""How far back executions are asked for where a position differs; their orders must be known that long."""

_CONNECT_S: Final = 30
_MOST_ORDERS: Final = "100/00:00:01"
_WITHOUT_END: Final = 1_000_000
_SANDBOX: Final = "SANDBOX"


class Client(NamedTuple):
    """One client of the node: its name (None is the factory's own), the factory, and what that is given."""

    name: str | None
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


def build_node(data: Client, execution: Client, kinds: frozenset[str], resolver: Client | None) -> LiveNode:
    """A node that is not started yet; `resolver` is a client of `engine.nautilus.resolver`, for a venue."""
    environment = Environment.SANDBOX if execution.simulated else Environment.LIVE
    builder = (
        LiveNode.builder("STATION", TraderId(TRADER), environment)
        .with_logging(LoggerConfig(bypass_logging=True))
        .with_timeout_connection(_CONNECT_S)
        .with_delay_post_stop_secs(0)
        .with_data_engine_config(
            LiveDataEngineConfig(
                time_bars_build_with_no_updates=False,  # as in `engine.bars`
                emit_quotes_from_book=kinds == {"deltas"},
            )
        )
        .with_exec_engine_config(_reconciling(on=not execution.simulated))
        .with_risk_engine_config(_own_checks(on=not execution.simulated))
        .add_data_client(data.name, data.factory, data.config)
    )
    if execution.simulated:
        return built(builder.add_simulated_exec_client(execution.name, execution.factory, execution.config))
    builder = builder.add_exec_client(execution.name, execution.factory, execution.config)
    if resolver is not None:
        builder = builder.add_exec_client(resolver.name, resolver.factory, resolver.config)
    return built(builder)


def built(builder: LiveNodeBuilder) -> LiveNode:
    """Node of a builder; raises `UserError` where a client takes its keys or addresses for impossible."""
    try:
        return builder.build()
    except RuntimeError as error:
        raise UserError(
            f"No connection can be made with what is set ({str(error).rstrip('.')}); look at its keys and "
            "addresses."
        ) from None


def _own_checks(*, on: bool) -> LiveRiskEngineConfig:
    """The engine's own checks behind our last gate: the venue's sizes and steps, what the account can carry.

    And a rate that is far above any sound one. The person's limits are `engine.risk.last_gate`'s, as this
    would deny what only reduces, too. Simulated execution has none, as in a replay.
    """
    if not on:
        return LiveRiskEngineConfig(bypass=True)
    return LiveRiskEngineConfig(max_order_submit_rate=_MOST_ORDERS, max_order_modify_rate=_MOST_ORDERS)


def _reconciling(*, on: bool) -> LiveExecutionEngineConfig:
    """At the start and continuously: unanswered orders, working orders, positions.

    An order without an answer is retained. To resolve it locally after some tries, as is the default, would
    also reject orders that are at work while the venue cannot be reached. Positions are compared, or what
    others traded while the connection was lost would never be found; `engine.nautilus.resolver` says when.

    It is asked without end: after its last try the node takes a cancellation without an answer for done.
    """
    if not on:
        return LiveExecutionEngineConfig(reconciliation=False)
    return LiveExecutionEngineConfig(
        reconciliation=True,
        reconciliation_startup_delay_secs=0.0,
        submission_recovery_policy=SubmissionRecoveryPolicy.RETAIN_UNRESOLVED,
        inflight_check_interval_ms=500,
        inflight_check_threshold_ms=2_000,
        inflight_check_retries=_WITHOUT_END,
        open_check_interval_secs=3.0,
        open_check_open_only=False,
        position_check_interval_secs=5.0,
        position_check_lookback_mins=LOOKBACK_MINS,
    )
