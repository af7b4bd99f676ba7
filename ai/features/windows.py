"""How far a feature looks back: a number of rows, or a time."""

import re
from dataclasses import dataclass
from typing import Final, Self

_UNITS_NS: Final = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9}
_TIME: Final = re.compile(r"([1-9][0-9]{0,6})(ms|s|m|h)")
_MOST_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """The last `rows` rows including this one, or the rows of the last `ns` nanoseconds, `(ts - ns, ts]`.

    Exactly one of the two is positive; `text` is how it was written.
    """

    text: int | str
    rows: int = 0
    ns: int = 0

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read 100 or "100" (rows) or "60s" (time); raises `ValueError` for anything else."""
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_ROWS:
            return cls(value, rows=value)
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(value)
        return cls(found[0], ns=int(found[1]) * _UNITS_NS[found[2]])
