"""What is known of one model so far, and how it goes with a session; the card and the deeds read it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from ai.loading.inspection import Inspection
from ai.passport import Passport
from ai.registry import Entry
from app.model_messages import Measured, Proposed
from engine.messages.run import Arming, Inference, ModelUse, Run
from engine.strategies import STRATEGIES

AI_STRATEGY: Final = "ai_signal"
CONVERTIBLE: Final = frozenset({"torchscript", "pt2", "state_dict", "safetensors"})

type Stage = Literal["looking", "unreadable", "untrusted", "refused", "unmapped", "ready"]
"""How far a model is on its way to being armed."""

_STORED: Final = {"quotes": "quotes", "trades": "trades", "book": "deltas"}
_WORDS: Final = {"quotes": "quotes", "trades": "trades", "deltas": "the order book"}


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a model must know of the session that it would trade in; `kinds` as in the tick store."""

    instrument: str
    kinds: frozenset[str]
    start_ns: int | None = None
    end_ns: int | None = None
    simulated: bool = False


@dataclass(slots=True)
class ModelCard:
    """One model file on its card.

    Attributes
    ----------
    source : Path
        What the person dropped; `found.path` is what is kept of it.
    trust : str
        sha256 that the person trusts; empty is none.
    working, problem : str
        What is being done, and why the last step failed; empty where nothing is or did.
    """

    source: Path
    trust: str = ""
    found: Inspection | None = None
    entry: Entry | None = None
    measured: Measured | None = None
    proposed: Proposed | None = None
    working: str = ""
    problem: str = ""

    @property
    def passport(self) -> Passport | None:
        """Its passport, where there is one."""
        return self.found.passport if self.found is not None else None

    @property
    def stage(self) -> Stage:
        """How far it is."""
        if self.found is None:
            return "unreadable" if self.problem and not self.working else "looking"
        if not self.found.accepted:
            return "untrusted" if self.found.needs_trust else "refused"
        return "unmapped" if self.found.passport is None else "ready"

    @property
    def name(self) -> str:
        """What it is called."""
        if self.entry is not None:
            return self.entry.name
        return self.passport.name if self.passport is not None else self.source.stem

    @property
    def can_convert(self) -> bool:
        """Whether it can be written as ONNX: a passport tells what its inputs are."""
        return self.stage == "ready" and self.found is not None and self.found.format in CONVERTIBLE

    def use(self, weight: float = 1.0) -> ModelUse:
        """The model as a run names it."""
        assert self.found is not None  # noqa: S101 - asked of a ready card alone
        return ModelUse(
            file=self.found.path,
            sha256=self.found.sha256,
            trusted=bool(self.trust) and self.trust == self.found.sha256,
            weight=weight,
        )


def inference_with(before: Inference | None, models: tuple[ModelUse, ...], arming: Arming) -> Inference:
    """These models, asked as those before them were."""
    if before is None:
        return Inference(models=models, arming=arming)
    return msgspec.structs.replace(before, models=models, arming=arming)


def run_with(run: Run, inference: Inference, passport: Passport | None = None) -> Run:
    """Run with these models, traded by the strategy that acts on models; its parameters stay where it did."""
    changes: dict[str, object] = {"inference": inference}
    if not STRATEGIES[run.strategy].takes_model:
        changes |= {"strategy": AI_STRATEGY, "parameters": first_parameters(passport)}
    return msgspec.structs.replace(run, **changes)


def first_parameters(passport: Passport | None) -> dict[str, int | float | str | bool]:
    """Parameters to start with where the strategy's own thresholds, made for probabilities, do not suit."""
    if passport is None or passport.task != "regression":
        return {}
    threshold = passport.label.threshold if passport.label is not None else None
    return {"enter": threshold, "exit": 0.0} if threshold is not None and threshold > 0 else {}


def holds(run: Run | None, sha256: str) -> bool:
    """Whether a run has the model of this content."""
    return (
        run is not None and run.inference is not None and sha256 in {m.sha256 for m in run.inference.models}
    )


def misfit(found: Inspection, session: SessionFacts) -> str:
    """Why a model cannot run in a session, in one sentence; empty where it can."""
    passport = found.passport
    if passport is None:
        return "It has no passport."
    roles = sorted({feature.of for feature in passport.features if feature.of})
    if roles:
        return f"It reads a second instrument ({', '.join(roles)}), and a session has one."
    if missing := sorted(kinds_read(streams(passport), passport.bars) - session.kinds):
        return (
            f"It reads {_list(missing)}, and {session.instrument} has only {_list(session.kinds)}; open a "
            f"replay that has {'them' if missing != ['deltas'] else 'it'}."
        )
    return found.unfit


def streams(passport: Passport) -> frozenset[str]:
    """Streams that a model reads: `quotes`, `trades`, `book`, `bars`."""
    return frozenset({passport.clock, *(feature.on or passport.clock for feature in passport.features)})


def kinds_read(streams: AbstractSet[str], bars: str) -> frozenset[str]:
    """Kinds of market data, as the tick store has them, that these streams are made of."""
    kinds = {_STORED[stream] for stream in streams if stream in _STORED}
    if "bars" in streams:
        kinds.add("trades" if bars.upper().endswith("-LAST") else "quotes")
    return frozenset(kinds)


def is_in_sample(passport: Passport, session: SessionFacts) -> bool:
    """Whether the session's time overlaps the training's, so that its profit proves nothing."""
    if passport.ranges is None or session.start_ns is None or session.end_ns is None:
        return False
    train = passport.ranges.train
    return session.start_ns < train.end_ns and train.start_ns <= session.end_ns


def foreknown_until(passport: Passport, session: SessionFacts) -> int | None:
    """Market time up to which the session replays what the inputs' scale was taken from; None where none."""
    span = passport.normaliser.fitted_on
    if span is None or passport.ranges is not None or session.simulated:
        return None
    if session.start_ns is None or session.end_ns is None:
        return None
    overlaps = session.start_ns < span.end_ns and span.start_ns <= session.end_ns
    return span.end_ns if overlaps else None


def _list(kinds: AbstractSet[str] | list[str]) -> str:
    return " and ".join(_WORDS.get(kind, kind) for kind in sorted(kinds)) or "nothing"
