"""What `ai.runtime.bench` measures, its rows, and how they are told."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from ai.runtime.architectures import expected_shapes
from ai.runtime.predictor import InputPort, Signature

type Card = dict[str, float]
"""What a GPU gave when it was measured: bandwidths in GB/s, TFLOP/s, and the cost of a launch in µs."""


@dataclass(frozen=True, slots=True)
class Model:
    """One of the three sizes that are measured.

    Attributes
    ----------
    window, columns : int
        T and F of its input.
    """

    title: str
    architecture: str
    sizes: dict[str, int]
    window: int
    columns: int

    @property
    def signature(self) -> Signature:
        """One input `x`, one output `y`."""
        return Signature((InputPort("x", "float32", self.columns),), ("y",), 0, self.window)

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(int(np.prod(shape)) for shape in self._shapes().values())

    @property
    def operations(self) -> int:
        """Multiplications and additions of one row's prediction, those of its matrices alone."""
        matrices = {key: int(np.prod(shape)) for key, shape in self._shapes().items() if len(shape) == 2}
        if self.architecture == "mlp":
            return 2 * sum(matrices.values())
        head = matrices.pop("fc.weight")
        attention = 0
        if self.architecture == "transformer":
            attention = 4 * self.window**2 * self.sizes["model"] * self.sizes["layers"]
        return 2 * (self.window * sum(matrices.values()) + head) + attention

    def floor_us(self, batch: int, card: Card) -> float:
        """Shortest time in which a card could answer `batch` rows, from the host's memory and back."""
        given, answered = 4 * batch * self.window * self.columns, 4 * batch * self.sizes["outputs"]
        transfers = given / (card["copy_in_gb_s"] * 1e9) + answered / (card["copy_out_gb_s"] * 1e9)
        traffic = (4 * self.parameters + given + answered) / (card["memory_gb_s"] * 1e9)
        arithmetic = batch * self.operations / (card["tf32_tflop_s"] * 1e12)
        return (transfers + max(traffic, arithmetic)) * 1e6

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return expected_shapes(self.architecture, self.sizes)


MODELS: Final = {
    "mlp": Model(
        "MLP 10-32-32-3", "mlp", {"inputs": 10, "window": 1, "hidden": 32, "layers": 2, "outputs": 3}, 1, 10
    ),
    "lstm": Model(
        "LSTM 64, window 50x8", "lstm", {"inputs": 8, "hidden": 64, "layers": 1, "outputs": 3}, 50, 8
    ),
    "transformer": Model(
        "Transformer d64 L2, window 50x8",
        "transformer",
        {
            "inputs": 8,
            "model": 64,
            "heads": 4,
            "feedforward": 128,
            "layers": 2,
            "outputs": 3,
            "positions": 1,
        },
        50,
        8,
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one runtime on one model at one batch; NumPy in to NumPy out, so transfers count.

    Attributes
    ----------
    told : str
        Why there are no figures, or what to know of them.
    memory_mb : float or None
        Most memory that its process held, runtime and interpreter included.
    gpu_mb : float or None
        Most memory that torch took of the GPU.
    floor_us : float or None
        What the card cannot go below: transfers, and the longer of memory traffic and arithmetic.
    """

    model: str
    runtime: str
    told: str = ""
    batch: int | None = None
    p50_us: float | None = None
    p99_us: float | None = None
    rows_per_s: float | None = None
    memory_mb: float | None = None
    gpu_mb: float | None = None
    floor_us: float | None = None


@dataclass(slots=True)
class Measured:
    """All rows, and the machine that they are of."""

    machine: str
    python: str
    gpu: str | None
    gpu_told: str
    rows: list[Row] = field(default_factory=list)
    card: Card = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return the documented JSON."""
        models = {
            name: {"title": m.title, "parameters": m.parameters, "operations_per_row": m.operations}
            for name, m in MODELS.items()
        }
        return {"threads": 1, "models": models, **asdict(self)}

    def text(self) -> str:
        """Table as a person reads it."""
        lines = [f"{self.machine}, Python {self.python}, one CPU thread. {self.gpu_told}"]
        if self.card:
            told = ", ".join(f"{name} {value:,.1f}" for name, value in self.card.items())
            lines.append(f"Measured of the card: {told}")
        for name in dict.fromkeys(row.model for row in self.rows):
            lines.append(f"{MODELS[name].title} ({MODELS[name].parameters:,} weights)")
            lines.append(_HEAD)
            lines += [_line(row) for row in self.rows if row.model == name]
        return "\n".join(lines)


_HEAD: Final = (
    f"  {'runtime':<20}{'batch':>8}{'p50 µs':>12}{'p99 µs':>12}{'rows/s':>14}{'MB':>8}{'floor µs':>11}"
)


def _line(row: Row) -> str:
    if row.batch is None or row.p50_us is None or row.p99_us is None or row.rows_per_s is None:
        return f"  {row.runtime:<20}{row.told}"
    memory = row.gpu_mb if row.gpu_mb is not None else row.memory_mb
    told = "" if memory is None else f"{memory:,.0f}"
    floor = "" if row.floor_us is None else f"{row.floor_us:,.2f}"
    return (
        f"  {row.runtime:<20}{row.batch:>8,}{row.p50_us:>12,.1f}{row.p99_us:>12,.1f}"
        f"{row.rows_per_s:>14,.0f}{told:>8}{floor:>11}  {row.told}".rstrip()
    )
