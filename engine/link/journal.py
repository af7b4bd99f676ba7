"""Every event of a session, numbered from 1: the newest as they are, the older ones packed.

A session may run for days, and a watcher who comes back may ask for all of it. An event takes a kilobyte
as an object, and thirty bytes packed; it is unpacked for the few who ask.
"""

import zlib
from collections.abc import Sequence
from itertools import chain
from typing import Final

from engine.messages.events import AnyEvent
from engine.messages.wire import decode_events, encode_events

_BLOCK: Final = 1_000
"""Events that are packed as one, in about 3 ms."""


class Journal:
    """Only ever grows."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._fresh: list[AnyEvent] = []
        self._unpacked: tuple[int, Sequence[AnyEvent]] = -1, ()
        """The block that was asked for last: who reads it all does so in steps."""

    def __len__(self) -> int:
        return len(self._packed) * _BLOCK + len(self._fresh)

    def add(self, events: Sequence[AnyEvent]) -> None:
        """Append events, in order."""
        self._fresh += events
        while len(self._fresh) >= 2 * _BLOCK:  # so the newest thousand at least are at hand
            self._packed.append(zlib.compress(encode_events(self._fresh[:_BLOCK]), 1))
            del self._fresh[:_BLOCK]

    def part(self, first: int, last: int) -> list[AnyEvent]:
        """Events from place `first`, counted from 0, up to and without `last`."""
        blocks = range(first // _BLOCK, min(-(-last // _BLOCK), len(self._packed)))
        packed = list(chain.from_iterable(self._block(at) for at in blocks))
        begin = blocks.start * _BLOCK
        past = len(self._packed) * _BLOCK
        return packed[first - begin : last - begin] + self._fresh[max(0, first - past) : max(0, last - past)]

    def _block(self, at: int) -> Sequence[AnyEvent]:
        if self._unpacked[0] != at:
            self._unpacked = at, decode_events(zlib.decompress(self._packed[at]))
        return self._unpacked[1]
