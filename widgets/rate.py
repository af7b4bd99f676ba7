"""How fast a count grows."""

from typing import Final

_OVER_S: Final = 1.0


class Rate:
    """Growth of a count per second, over the last second or more: over one frame it would flicker."""

    def __init__(self) -> None:
        self._since: tuple[float, int] | None = None
        self._rate = 0.0

    def over(self, count: int, now_s: float) -> float:
        """Rate, given the count so far; a count that fell began anew."""
        if self._since is None or count < self._since[1]:
            self._since = now_s, count
        elif now_s - self._since[0] >= _OVER_S:
            self._rate = (count - self._since[1]) / (now_s - self._since[0])
            self._since = now_s, count
        return self._rate
