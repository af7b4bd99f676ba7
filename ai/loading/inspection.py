"""What looking at a model file found: one record for the model card, the command line and the registry."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ai.passport import Check, Passport
from ai.runtime.isolation_messages import Declared, Limits

MAX_FILE_BYTES = 512 << 20


class RefusedError(Exception):
    """A gate refuses the file; the text is the reason and the next step."""


class UntrustedError(RefusedError):
    """The file runs code of its maker, and nobody said that exactly this file may."""


class Latency(msgspec.Struct, frozen=True):
    """Durations of one prediction on this machine, NumPy in to NumPy out."""

    p50: float
    p99: float


class Fit(msgspec.Struct, frozen=True):
    """The station's architecture that bare weights fit, with the sizes that weights tell."""

    architecture: str
    sizes: dict[str, int]


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is and whether it may be armed.

    Attributes
    ----------
    accepted : bool
        May be loaded. Without a passport it loads in an inspection state: its inputs must be mapped first.
    reason : str
        Why it is refused and what to do, or what is to be done before it can be armed.
    unfit : str
        Why no session can run it, though the file is sound; empty where one can or there is no passport.
    needs_trust : bool
        Nothing else was found against it: it is refused only because its own code is not trusted.
    sha256 : str
        Hash of the whole file; what trust is bound to. Empty where the file was too large to be read.
    content_sha256 : str
        Hash without the passport that the file carries; what a passport names.
    weights : tuple
        Keys of a file of bare weights, with types and shapes.
    golden_ok : bool or None
        None where there was nothing to compare or nothing ran.
    latency_us : Latency or None
        At batch 1 in `runtime`, or at the file's own fixed batch.
    """

    path: str
    format: str
    accepted: bool
    reason: str
    unfit: str = ""
    needs_trust: bool = False
    sha256: str
    content_sha256: str
    size_bytes: int
    inputs: tuple[Declared, ...] = ()
    outputs: tuple[Declared, ...] = ()
    weights: tuple[Declared, ...] = ()
    fit: Fit | None = None
    passport: Passport | None = None
    passport_from: str | None = None
    checks: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    golden_ok: bool | None = None
    latency_us: Latency | None = None
    memory_bytes: int | None = None
    runtime: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What the caller knows and allows.

    Attributes
    ----------
    trust : str, optional
        sha256 of the one file whose own code may run, in a process of its own.
    known_features : callable, optional
        Gives the code hash of each feature of this station by name; asked only where a passport is.
    columns : sequence of str, optional
        Columns of the feature set that is to feed the model, in order.
    measure : bool
        Whether the first run is timed.
    probe : bool
        Whether the file is run in a process of its own first; False only for content that was accepted here
        before, whose passport is then all that is checked.
    """

    trust: str | None = None
    known_features: Callable[[], Mapping[str, str]] | None = None
    columns: Sequence[str] | None = None
    limits: Limits = field(default_factory=Limits)
    measure: bool = True
    probe: bool = True


@dataclass(slots=True)
class Findings:
    """What the gates have found so far of one file, whose bytes are read once and judged as read."""

    path: Path
    data: bytes
    sha256: str
    format: str = "unknown"
    content_sha256: str = ""
    inputs: tuple[Declared, ...] = ()
    outputs: tuple[Declared, ...] = ()
    weights: tuple[Declared, ...] = ()
    fit: Fit | None = None
    passport: Passport | None = None
    passport_from: str | None = None
    checks: list[Check] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    latency_us: Latency | None = None
    memory_bytes: int | None = None
    runtime: str | None = None
    next_step: str = ""
    unfit: str = ""
    needs_trust: bool = False

    @classmethod
    def of(cls, path: Path, data: bytes) -> "Findings":
        """Begin with the bytes alone."""
        digest = hashlib.sha256(data).hexdigest()
        return cls(path, data, digest, content_sha256=digest)

    def result(self, refused: str | None) -> Inspection:
        """Close the inspection."""
        golden = next((check.ok for check in self.checks if check.name == "golden"), None)
        return Inspection(
            path=str(self.path),
            format=self.format,
            accepted=refused is None,
            reason=refused if refused is not None else self.next_step,
            unfit=self.unfit,
            needs_trust=self.needs_trust,
            sha256=self.sha256,
            content_sha256=self.content_sha256,
            size_bytes=len(self.data),
            inputs=self.inputs,
            outputs=self.outputs,
            weights=self.weights,
            fit=self.fit,
            passport=self.passport,
            passport_from=self.passport_from,
            checks=tuple(self.checks),
            warnings=tuple(self.warnings),
            golden_ok=golden,
            latency_us=self.latency_us,
            memory_bytes=self.memory_bytes,
            runtime=self.runtime,
        )
