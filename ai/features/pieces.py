"""A feature set over a market that comes in pieces: the batch form in bounded memory."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ai.features.batch import Running
from ai.features.feature import Market
from ai.features.sets import FeatureSet, Line, market_of
from ai.features.sources import DAY_NS
from ai.features.values import NAN, Floats

type Int64 = npt.NDArray[np.int64]

type Piece = tuple[Int64, Mapping[str, Floats]]
"""Times of a stretch of one stream, and its columns as `ai.features.sources` names them."""

_NONE: Final = np.empty(0, np.int64)


class FeaturePieces:
    """Rows of a set, piece by piece; any cutting gives the values of the whole.

    Parameters
    ----------
    features : FeatureSet
    markets : Market or mapping of role to Market
    """

    def __init__(self, features: FeatureSet, markets: Mapping[str, Market] | Market) -> None:
        self._lines = [_RunningLine(features, line, market_of(line.role, markets)) for line in features.lines]

    def extend(self, pieces: Mapping[str, Piece]) -> tuple[Int64, list[Floats]]:
        """Times of the clock's next rows, and the values of each output in them.

        Parameters
        ----------
        pieces : mapping of line to Piece
            Lines without rows may be left out. All rows of a piece lie after those of the piece before.
        """
        clock, *others = self._lines
        ts, _ = pieces.get(clock.name, (_NONE, {}))
        found = dict(clock.extend(pieces.get(clock.name)))
        for line in others:
            found |= line.before(ts, pieces.get(line.name))
        return ts, [found[place] for place in range(len(found))]


class _RunningLine:
    """One stream of one instrument; values by their place in the set's rows."""

    def __init__(self, features: FeatureSet, line: Line, market: Market) -> None:
        self.name = str(line)
        formulas = features.formulas(line, market)
        places = {name: place for place, name in enumerate(features.outputs)}
        self._places = [places[name] for name, _ in formulas]
        self._running = Running([value for _, value in formulas])
        self._last: tuple[Int64, list[Floats]] = (_NONE, [np.empty(0) for _ in formulas])

    def extend(self, piece: Piece | None) -> dict[int, Floats]:
        """Values in the rows of the piece."""
        if piece is None or not len(piece[0]):
            return {place: np.empty(0) for place in self._places}
        ts, columns = piece
        time_of_day = None

        def block_of(name: str, start: int, end: int) -> Floats:
            nonlocal time_of_day
            if name == "ns_of_day":
                if time_of_day is None:
                    time_of_day = (ts % DAY_NS).astype(np.float64)
                return time_of_day[start:end]
            return columns[name][start:end]

        return dict(zip(self._places, self._running.extend(ts, block_of), strict=True))

    def before(self, clock_ts: Int64, piece: Piece | None) -> dict[int, Floats]:
        """Values in the rows of another stream: after the last row with an earlier `ts`."""
        own_ts, values = self._last
        if piece is not None and len(piece[0]):
            new = self.extend(piece)
            own_ts = np.concatenate([own_ts, piece[0]])
            values = [
                np.concatenate([old, new[place]]) for old, place in zip(values, self._places, strict=True)
            ]
            self._last = own_ts[-1:], [each[-1:] for each in values]
        at = own_ts.searchsorted(clock_ts) - 1
        if not len(own_ts):
            return {place: np.full(len(clock_ts), NAN) for place in self._places}
        return {
            place: np.where(at < 0, NAN, each[at]) for place, each in zip(self._places, values, strict=True)
        }
