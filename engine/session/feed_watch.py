"""Whether market data still come: a dead feed looks like a quiet market, and the node says nothing of it."""

from typing import Final

from engine.messages.events import AnyEvent, ConnectionChanged, Logged

STALE_S: Final = 10.0
"""Age beyond which a feed is said to be stale; what follows from that is for the limits to say."""


class FeedWatch:
    """Watches one feed.

    Parameters
    ----------
    name : str
        Of the connection.
    stale_s : float

    Attributes
    ----------
    is_stale, has_ended : bool
        As of the last look.
    """

    def __init__(self, name: str, stale_s: float = STALE_S) -> None:
        self.is_stale = self.has_ended = False
        self._name, self._stale_s = name, stale_s

    def look(self, now_ns: int, heard_ns: int, *, ended: bool) -> list[AnyEvent]:
        """What has changed since the last look; `heard_ns` is when the newest row came, or it all began."""
        if self.has_ended:
            return []
        if ended:
            self.has_ended, self.is_stale = True, False
            text = "The recorded market data have ended; nothing more will come, and orders fill no more."
            return [ConnectionChanged(ts=now_ns, name=self._name, state="ended", text=text)]
        age_s = (now_ns - heard_ns) / 1e9
        is_stale = age_s > self._stale_s
        if is_stale == self.is_stale:
            return []
        self.is_stale = is_stale
        if is_stale:
            text = f"The feed is stale: nothing came from {self._name} for {age_s:.0f} s."
        else:
            text = f"Market data come from {self._name} again."
        return [Logged(ts=now_ns, level="warning" if is_stale else "info", source="feed", text=text)]
