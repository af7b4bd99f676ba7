"""The few lines of the log that say what a session is: what was opened, how orders fill, what came of it.

They are what a person needs to judge the figures beside them, so the rules of the venue are told every time.
"""

from decimal import Decimal
from typing import Final

import numpy as np

from engine.messages.events import Results
from engine.messages.run import Run
from engine.session.course_model import CourseModel
from engine.session.run_model import RunModel
from engine.session.source import Source
from engine.strategies import Parameters

STRATEGY_STOPPED: Final = (
    "The strategy does nothing more; its orders and its position stay as they are until a person acts."
)
STAYS_HELD: Final = (
    "What the station holds is neither sent nor moved until the next session of this connection."
)
_KINDS: Final = {"quotes": "quotes", "trades": "trades", "deltas": "book updates"}


def opened(run: Run, source: Source, strategy: str, parameters: Parameters) -> str:
    """Data, their range, and the strategy with its parameters."""
    kinds = ", ".join(words for kind, words in _KINDS.items() if kind in source.kinds)
    given = parameters.builtins()
    settings = ", ".join(f"{name}={value}" for name, value in given.items())
    generated = f", generated with seed {run.seed}" if run.simulate else ""
    return (
        f"Opened {source.instrument.id}: {kinds}{generated}, {readable(source.start_ns)} to "
        f"{readable(source.end_ns)} UTC; strategy {strategy}{f' ({settings})' if settings else ''}."
    )


def opened_live(run: Run, source: Source, strategy: str, parameters: Parameters) -> str:
    """What is traded live, what it is fed with, and the strategy with its parameters."""
    kinds = ", ".join(words for kind, words in _KINDS.items() if kind in source.kinds)
    settings = ", ".join(f"{name}={value}" for name, value in parameters.builtins().items())
    stamped = "each stamped with the time at which it comes"
    served = "" if run.profile else f", served {_how_fast(run.speed)}, {stamped}"
    return (
        f"Opened {source.instrument.id} for {run.mode} trading: {kinds}{served}; strategy {strategy}"
        f"{f' ({settings})' if settings else ''}."
    )


def stretched(speed: float) -> str:
    """What a model makes of recorded data that are not served at their own speed."""
    return (
        f"The data are served {_how_fast(speed)}, stamped with the time at which they come: the seconds "
        "and minutes of a model's inputs hold other stretches of the market than those it was trained on. "
        "Serve them at speed 1 to judge it."
    )


def execution(run: Run, source: Source, account_id: str) -> str:
    """Where the orders of a live session go; `account_id` is the venue's, empty where it is simulated."""
    if account_id:
        return f"Orders go to the account {account_id}; fills, fees and balances are as its venue tells them."
    return rules(run, source, "live" if run.profile else "recorded")


def rules(run: Run, source: Source, market: str = "recorded") -> str:
    """What orders fill against, when they arrive and what they cost."""
    venue, facts = run.venue, source.instrument
    if "deltas" in source.kinds:
        against = f"the {market} book, level by level"
    else:
        against = "the best quote" if "quotes" in source.kinds else "the last trade"
    maker = facts.maker_fee if venue.maker_fee is None else venue.maker_fee
    taker = facts.taker_fee if venue.taker_fee is None else venue.taker_fee
    return (
        f"Orders fill against {against}, which they do not change, {venue.latency_ms:g} ms after they are "
        f"sent; fees are {_percent(maker)} maker and {_percent(taker)} taker; the account has "
        f"{venue.balance:,f} {facts.quote} at leverage {venue.leverage:f}."
    )


def model(of: RunModel, course: CourseModel) -> list[str]:
    """Which models, how they are asked, when their signals are acted on, and what they were trained on."""
    facts, mode = of.facts, of.inference.mode
    how = {"per-tick": "tick by tick", "batch": "beforehand", "thread": "in a background thread"}[mode]
    trained = "It does not say what it was trained on."
    if facts.trained is not None:
        trained = f"It was trained on {readable(facts.trained[0])} to {readable(facts.trained[1])} UTC."
    latency = f"{facts.latency_ns / 1e3:,.12g} µs after the row that made them"
    acted = f"when the answer arrives, at the earliest {latency}" if mode == "thread" else latency
    lines = [
        *(f"Model {each.name} in {each.runtime} on {each.device}, asked {how}." for each in course.health(0)),
        f"Signals are acted on {acted}. {trained}",
    ]
    if of.asked is not None and of.decided is not None:
        again = f"{of.decided.asked_alone:,} of them again alone, as rounding could have decided there"
        rows = f"{len(of.asked.rows):,} rows"
        asked = f"Asked {rows} in {of.asked.seconds:.2f} s"
        lines.append(f"{f'Kept {rows} from an earlier run' if of.asked.is_kept else asked}, {again}.")
    return lines


def in_sample(of: RunModel) -> str:
    """Warn of a run over what a model was trained on."""
    return f"In-sample: {of.facts.name} was trained on part of this range, so its profit proves nothing."


def finished(results: Results) -> str:
    """Figures of the end."""
    held = f"; still open {results.open_position}" if results.open_position else ""
    return (
        f"Finished after {results.ticks:,} ticks: {results.orders:,} orders, {results.fills:,} fills, "
        f"net profit {results.net_pnl}{held}."
    )


def ran_again(ts: int) -> str:
    """A seek back."""
    return f"Running again from the start to {readable(ts)} UTC; orders and fills come out the same."


def readable(ts: int) -> str:
    """Market time to the millisecond, as a sentence names it."""
    return str(np.datetime64(ts, "ns").astype("datetime64[ms]"))


def _percent(fraction: Decimal) -> str:
    return f"{(fraction * 100).normalize():f} %"


def _how_fast(speed: float) -> str:
    return f"{speed:g} times as fast as they were recorded" if speed else "as fast as possible"
