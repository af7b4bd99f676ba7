"""The rows that a model is trained on: unbroken stretches of a market, one after the other."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import UserError

type Int64 = npt.NDArray[np.int64]
type Float32 = npt.NDArray[np.float32]
type Float64 = npt.NDArray[np.float64]
type Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Consecutive rows of a feature set's clock.

    Attributes
    ----------
    ts : int64 array `[R]`, ns UTC, ascending
    x : float32 array `[R, F]`
        Columns as features give them; NaN is no value.
    price : float64 array `[R]`
        What labels look at: the mid of quotes or a book, a trade's price, a bar's close.
    """

    ts: Int64
    x: Float32
    price: Float64

    @property
    def sha256(self) -> str:
        """Hash of all that is learnt from, little-endian and row-major."""
        digest = hashlib.sha256()
        for array in (self.ts, self.x, self.price):
            digest.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False))
        return digest.hexdigest()


def hashes(stretches: Sequence[Stretch]) -> tuple[str, ...]:
    """`sha256` of each that has rows."""
    return tuple(each.sha256 for each in stretches if len(each.ts))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Stretches laid end to end; row r's stretch is the rows from `start[r]` to before `end[r]`."""

    ts: Int64
    x: Float32
    price: Float64
    start: Int64
    end: Int64

    def __len__(self) -> int:
        return len(self.ts)


def joined(stretches: Sequence[Stretch]) -> Rows:
    """Lay stretches end to end.

    Raises
    ------
    UserError
        There are no rows, or a stretch begins before the one before it has ended.
    """
    stretches = [each for each in stretches if len(each.ts)]
    if not stretches:
        raise UserError("There are no rows to train on; choose another time or import more data.")
    lengths = [len(each.ts) for each in stretches]
    ends = np.cumsum(lengths)
    ts = np.concatenate([each.ts for each in stretches])
    if (np.diff(ts) < 0).any():
        raise UserError("The stretches to train on overlap in time; give them one after the other.")
    return Rows(
        ts=ts,
        x=np.concatenate([each.x for each in stretches]),
        price=np.concatenate([each.price for each in stretches]),
        start=np.repeat(ends - lengths, lengths),
        end=np.repeat(ends, lengths),
    )


def with_whole_window(rows: Rows, window: int) -> Bool:
    """Tell for each row whether the `window` rows up to it lie in its stretch and have all their values."""
    broken = np.concatenate(([0], np.cumsum(~np.isfinite(rows.x).all(axis=1))))
    at = np.arange(len(rows))
    first = np.maximum(at + 1 - window, 0)
    whole: Bool = (at + 1 - window >= rows.start) & (broken[at + 1] == broken[first])
    return whole
