"""What a run may ask for, before anything is opened or started: each refusal is one sentence.

A venue given an impossible latency, seed or size fails deep inside, or worse: it trades nothing and says
nothing.
"""

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from engine.bars import BarSpec, PriceType
from engine.errors import UserError
from engine.messages.instrument import Instrument
from engine.messages.run import Run
from engine.signals.protocols import ModelFacts
from engine.strategies import (
    STRATEGIES,
    AiSignalParameters,
    EmaCrossParameters,
    Parameters,
    parse_parameters,
)

if TYPE_CHECKING:
    from engine.session.source import Source  # which brings Arrow

LARGEST_LATENCY_MS: Final = 3_600_000
LARGEST_SIZE: Final = Decimal(10) ** 12
"""The engine's sizes end at 34 million million, and its money at less: a notional must fit in, too."""

_LARGEST_SEED: Final = 2**63 - 1
_NEWS: Final = "news"
_WORDS: Final = {"quotes": "quotes", "trades": "trades", "deltas": "book updates"}
_LARGEST_SIGNAL_LATENCY_US: Final = 3_600_000_000
_LARGEST_DEADLINE_MS: Final = 3_600_000


def check_rules(run: Run) -> None:
    """Check what needs no market data.

    Raises
    ------
    UserError
        An impossible latency or seed, a model that nothing acts on, or a strategy that lacks its model.
    """
    latency = run.venue.latency_ms
    if not (math.isfinite(latency) and 0 <= latency <= LARGEST_LATENCY_MS):
        raise UserError(f"Latency {latency:g} ms is not possible; give 0 to {LARGEST_LATENCY_MS:,} ms.")
    if not 0 <= run.seed <= _LARGEST_SEED:
        raise UserError(f"Seed {run.seed} is not possible; give a whole number from 0 to {_LARGEST_SEED}.")
    _check_inference(run)


def _check_inference(run: Run) -> None:
    spec, inference = STRATEGIES.get(run.strategy), run.inference
    takes_model = spec is not None and spec.takes_model
    if inference is None or not inference.models:
        if takes_model:
            raise UserError(f"{run.strategy} acts on a model; give --model FILE, or choose another strategy.")
        if inference is not None:
            raise UserError("The run asks for inference without a model; give --model FILE.")
        return
    if not takes_model:
        raise UserError(
            f"{run.strategy} does not act on a model; choose ai_signal (in shadow it only shows what the "
            "model says), or leave the model out."
        )
    latency = inference.latency_us
    if latency is not None and not 0 <= latency <= _LARGEST_SIGNAL_LATENCY_US:
        raise UserError(
            f"Signal latency {latency:g} µs is not possible; give 0 to {_LARGEST_SIGNAL_LATENCY_US:,} µs."
        )
    if not 0 < inference.deadline_ms <= _LARGEST_DEADLINE_MS:
        raise UserError(
            f"Deadline {inference.deadline_ms:g} ms is not possible; give up to {_LARGEST_DEADLINE_MS:,} ms."
        )


def check_run(run: Run, source: "Source") -> Parameters:
    """Check a run against the data it is to run over; the strategy's parameters, converted.

    Raises
    ------
    UserError
        As `check_rules`; an inverse contract or one of another size than 1, unknown strategy or bad
        parameters, a strategy or bars that need data the source has not, or a trade size off the instrument's
        grid.
    """
    check_rules(run)
    _check_linear(source.instrument)
    parameters = parse_parameters(run.strategy, run.parameters)
    _check_needs(run.strategy, source)
    if isinstance(parameters, EmaCrossParameters) and parameters.on == "bars":
        _check_bars(run.strategy, BarSpec.parse(parameters.bar), source)
    _check_size(getattr(parameters, "trade_size", Decimal(0)), source.instrument)
    return parameters


def check_model(run: Run, source: "Source", parameters: AiSignalParameters, facts: ModelFacts) -> None:
    """Check a run's model against its data and parameters.

    Raises
    ------
    UserError
        The model reads what the source has not, or says nothing that these parameters could be compared with.
    """
    if _NEWS in facts.streams and not run.series:
        raise UserError(
            f"{facts.name} reads news, and this run names none; name stored series of them with --series, or "
            "tick them where a replay is opened."
        )
    for stream in sorted(facts.streams - {_NEWS}):
        kind = _kind_of(stream, facts)
        if kind not in source.kinds:
            made = f" bars ({facts.bars}) made of" if stream == "bars" else ""
            raise UserError(
                f"{facts.name} reads{made} {_WORDS[kind]}; {source.instrument.id} has only {_kinds(source)}. "
                "Import them, or choose a model that reads what there is."
            )
    if facts.is_regression and parameters.sizing == "kelly":
        raise UserError(
            f"Kelly sizing needs probabilities, and {facts.name} tells a value; "
            "choose --param sizing=fixed or sizing=volatility."
        )
    if not facts.is_regression and parameters.enter > 1:
        raise UserError(f"enter={parameters.enter:g} is no probability; give a number up to 1.")
    if run.venue.oms == "HEDGING" and (parameters.stop_bps or parameters.take_profit_bps):
        raise UserError("Stop and take profit protect one net position; set venue.oms to NETTING.")


def _kind_of(stream: str, facts: ModelFacts) -> str:
    if stream == "bars":
        return "trades" if BarSpec.parse(facts.bars).price_type == PriceType.LAST else "quotes"
    return "deltas" if stream == "book" else stream


def _check_linear(instrument: Instrument) -> None:
    if not instrument.inverse and instrument.multiplier == 1:
        return
    held = instrument.quote if instrument.inverse else instrument.base
    what = "an inverse contract" if instrument.inverse else "a contract"
    raise UserError(
        f"{instrument.id} is {what} of {instrument.multiplier:f} {held}, and a session reckons profit as "
        "price times size only; import it, check it and look at it as data, and run a linear instrument."
    )


def _check_needs(strategy: str, source: "Source") -> None:
    needs = STRATEGIES[strategy].needs
    if needs and not needs & source.kinds:
        raise UserError(
            f"{strategy} needs {' or '.join(_WORDS[kind] for kind in sorted(needs))}; "
            f"{source.instrument.id} has only {_kinds(source)}."
        )


def _check_bars(strategy: str, spec: BarSpec, source: "Source") -> None:
    needed = "trades" if spec.price_type == PriceType.LAST else "quotes"
    if needed in source.kinds:
        return
    stem = f"{spec.step}-{spec.aggregation}"
    other = f"{stem}-MID or {stem}-BID" if needed == "trades" else f"{stem}-LAST"
    raise UserError(
        f"{strategy} would average {spec} bars, which are made of {needed}; {source.instrument.id} has only "
        f"{_kinds(source)}, so choose --param bar={other}."
    )


def _check_size(size: Decimal, instrument: Instrument) -> None:
    lot = instrument.lot_size
    if size > LARGEST_SIZE:
        raise UserError(
            f"trade_size={size:g} is too large; give at most {LARGEST_SIZE:,f} {instrument.base}."
        )
    if size % lot:
        nearest = max(lot, size // lot * lot)
        raise UserError(
            f"trade_size={size:f} is no multiple of the lot of {instrument.id}, {lot:f} {instrument.base}; "
            f"give {nearest:f}, or 0 for about 1 % of the balance."
        )


def _kinds(source: "Source") -> str:
    return " and ".join(_WORDS[kind] for kind in sorted(source.kinds))
