"""What a model is: its inputs, features, window, label, hashes and golden vectors, in one checked record.

A model that loads with the wrong feature order or another normaliser still gives numbers, and nobody sees
that they are wrong. So a model travels with a passport (`model.json` beside it, or inside an ONNX file's
`metadata_props`); `ai.passport.reading` reads it and `ai.passport.verification` proves it here and now.
"""

from pathlib import Path
from typing import Any, Literal, Self, cast

import msgspec
import numpy as np
import numpy.typing as npt

PASSPORT_NAME = "model.json"
METADATA_KEY = "nexttick.passport"
"""Key of the passport's JSON in an ONNX file's `metadata_props`."""

MAX_PASSPORT_BYTES = 16 << 20

type Dtype = Literal["float64", "float32", "float16", "int64", "int32", "bool"]
type Meaning = Literal["logits", "probabilities", "class", "value", "unused"]
type Shape = tuple[int | str, ...]
"""Sizes; a name (`"batch"`) where a size is free."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all records: frozen, by keyword, and no field that it does not know."""


class Input(Record, frozen=True, kw_only=True):
    """One input tensor; its last axis holds `columns`, names of feature columns, in order."""

    name: str
    dtype: Dtype
    shape: Shape
    columns: tuple[str, ...]


class Output(Record, frozen=True, kw_only=True):
    """One output tensor and what its numbers are; an `unused` one (a critic's value) is dropped."""

    name: str
    dtype: Dtype
    shape: Shape
    meaning: Meaning


class WarmUp(Record, frozen=True, kw_only=True):
    """What must have passed before a feature's first value: rows of its stream, and time."""

    rows: int = 0
    ns: int = 0


class FeatureUse(Record, frozen=True, kw_only=True):
    """One feature as the model saw it in training: the facts that a feature set tells of each entry.

    Attributes
    ----------
    on, of : str
        Stream that feeds it, and the role of the instrument that it is of (empty: the set's own).
    outputs : tuple of str
        Its columns, in order.
    code : str
        Hash of the code that computed it.
    """

    name: str
    parameters: dict[str, int | float | str] = {}
    on: str = ""
    of: str = ""
    outputs: tuple[str, ...]
    lag_rows: int = 0
    warm_up: WarmUp = WarmUp()
    code: str


class Span(Record, frozen=True, kw_only=True):
    """A stretch of time, `start_ns` included and `end_ns` not; UTC nanoseconds."""

    start_ns: int
    end_ns: int


class Normaliser(Record, frozen=True, kw_only=True):
    """`(x - mean) / std` per column, done before the model; `none` where the model does it or needs none."""

    kind: Literal["none", "zscore"]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    fitted_on: Span | None = None


class ColumnBins(Record, frozen=True, kw_only=True):
    """Training distribution of one column, from which drift (PSI) is told.

    `edges` are the inner borders of the bins, ascending; `shares` are one longer and add up to one.
    """

    column: str
    edges: tuple[float, ...]
    shares: tuple[float, ...]


class Label(Record, frozen=True, kw_only=True):
    """What the model was trained to tell: e.g. direction of the mid over 100 ticks beyond 1 bp."""

    kind: str
    horizon: int
    unit: Literal["ticks", "ns", "bars"]
    threshold: float | None = None
    class_names: tuple[str, ...] = ()


class Ranges(Record, frozen=True, kw_only=True):
    """Where the model was trained and judged; `data_sha256` names the data by content."""

    train: Span
    validation: Span | None = None
    test: Span | None = None
    purge_ns: int = 0
    embargo_ns: int = 0
    data_sha256: tuple[str, ...] = ()


class Tensor(Record, frozen=True, kw_only=True):
    """Numbers of one golden tensor: little-endian, row-major, Base64 in JSON."""

    dtype: Dtype
    shape: tuple[int, ...]
    data: bytes

    @classmethod
    def of(cls, array: npt.NDArray[Any]) -> Self:
        """Keep `array` as it is, whatever its byte order."""
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        return cls(dtype=cast("Dtype", array.dtype.name), shape=array.shape, data=little.tobytes())

    def array(self) -> npt.NDArray[Any]:
        """Read-only array of `shape` and `dtype`."""
        return np.frombuffer(self.data, np.dtype(self.dtype).newbyteorder("<")).reshape(self.shape)


class Golden(Record, frozen=True, kw_only=True):
    """Inputs and the outputs that the trained model gave for them, by tensor name.

    A runtime is right when `|y - golden| <= atol + rtol * |golden|` everywhere.
    """

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    rtol: float = 1e-4
    atol: float = 1e-5

    def agrees(self, name: str, output: npt.NDArray[Any]) -> bool:
        """Tell whether `output` equals the golden one of that name within the tolerance."""
        golden = self.outputs[name].array()
        if output.shape != golden.shape:
            return False
        return bool(np.allclose(output, golden, rtol=self.rtol, atol=self.atol))


class Architecture(Record, frozen=True, kw_only=True):
    """One of the station's own architectures and its sizes, for files that hold only weights."""

    name: str
    sizes: dict[str, int]


class Passport(Record, frozen=True, kw_only=True):
    """All that must hold for a model's numbers to mean what they meant in training.

    Attributes
    ----------
    origin : {"training", "mapping"}
        Written by a training run, or by a user who mapped a stranger's inputs to features.
    sha256 : dict
        Hash of each file by its name; an ONNX file is hashed without the passport that it carries.
    clock, bars : str
        Stream whose rows are the set's rows (`quotes`, `trades`, `book`, `bars`), and the specification of
        the bars that it reads, such as `1-MINUTE-MID`.
    feature_set_sha256 : str
        Hash of the whole feature set, where the model was trained on one.
    instruments : tuple of str
        Instruments it was made for; empty means any.
    simulated : bool
        Trained and judged on a generated market only, so its metrics say nothing of a real one.
    window, stride : int
        Rows that one prediction sees, and rows between two predictions.
    precision : tuple of str
        What it may be computed in; `bfloat16` only where the training run found it as good.
    licence, expires : str
        Who may use it, and the last day (YYYY-MM-DD) on which it may be armed.
    """

    schema_version: Literal[1] = 1
    name: str
    task: Literal["classification", "regression"]
    origin: Literal["training", "mapping"] = "training"
    sha256: dict[str, str] = {}
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    features: tuple[FeatureUse, ...]
    clock: str
    bars: str = ""
    feature_set_sha256: str = ""
    instruments: tuple[str, ...] = ()
    simulated: bool = False
    window: int
    stride: int = 1
    normaliser: Normaliser = Normaliser(kind="none")
    training_bins: tuple[ColumnBins, ...] = ()
    label: Label | None = None
    ranges: Ranges | None = None
    seed: int | None = None
    metrics: dict[str, float] = {}
    trials: int = 1
    golden: Golden | None = None
    architecture: Architecture | None = None
    precision: tuple[Literal["float32", "bfloat16"], ...] = ("float32",)
    frameworks: dict[str, str] = {}
    licence: str = ""
    expires: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all feature columns, in order."""
        return tuple(column for feature in self.features for column in feature.outputs)

    def to_json(self) -> bytes:
        """JSON as it stands in `model.json`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)


def json_schema() -> dict[str, Any]:
    """JSON Schema of `model.json`; `configs/passport.schema.json` is its copy for editors."""
    schema = msgspec.json.schema(Passport)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Model passport"} | schema


def write_beside(passport: Passport, folder: Path) -> Path:
    """Write `model.json` into `folder`, whole or not at all."""
    path = folder / PASSPORT_NAME
    draft = path.with_suffix(".json.part")
    draft.write_bytes(passport.to_json())
    draft.replace(path)
    return path
