"""What the tables read, as protocols, and how each kind of collection tells what is new in it."""
# ruff: noqa: D102 -- each protocol's docstring says what its attributes are

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.messages.events import (
    AccountChanged,
    Balance,
    Denied,
    Filled,
    Logged,
    OrderChanged,
    PositionChanged,
)


class Changing[T](Protocol):
    """Rows that are added and replaced in place; `changed_since` names those, by index."""

    @property
    def rows(self) -> Sequence[T]: ...
    @property
    def version(self) -> int: ...
    def changed_since(self, version: int, /) -> Sequence[int]: ...


class Money(Protocol):
    """Orders, fills, positions and balances of a session."""

    @property
    def orders(self) -> Changing[OrderChanged]: ...
    @property
    def fills(self) -> Sequence[Filled]: ...
    @property
    def positions(self) -> Changing[PositionChanged]: ...
    @property
    def balances(self) -> Changing[tuple[AccountChanged, Balance]]: ...


class Refusals(Protocol):
    """What the gate did not let pass, in order."""

    @property
    def denials(self) -> Sequence[Denied]: ...


class LogLines(Protocol):
    """Newest log lines, oldest first; `dropped` counts those that were removed from the front."""

    @property
    def lines(self) -> Sequence[Logged]: ...
    @property
    def dropped(self) -> int: ...


class Feed[T](Protocol):
    """Rows of a table: row `i` has the number `dropped + i` for life."""

    @property
    def rows(self) -> Sequence[T]: ...
    @property
    def dropped(self) -> int: ...
    @property
    def version(self) -> int: ...
    def changed_since(self, version: int, /) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Replacing[T]:
    """Feed of a collection whose rows are replaced in place."""

    source: Changing[T]

    @property
    def rows(self) -> Sequence[T]:
        """Rows, oldest first."""
        return self.source.rows

    @property
    def dropped(self) -> int:
        """None is ever dropped."""
        return 0

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self.source.version

    def changed_since(self, version: int, /) -> Sequence[int]:
        """Indices of rows added or replaced after `version`."""
        return self.source.changed_since(version)


@dataclass(frozen=True, slots=True)
class Growing[T]:
    """Feed of a list that only grows."""

    rows: Sequence[T]

    @property
    def dropped(self) -> int:
        """None is ever dropped."""
        return 0

    @property
    def version(self) -> int:
        """Grows with every row."""
        return len(self.rows)

    def changed_since(self, version: int, /) -> Sequence[int]:
        """Indices of rows added after `version`."""
        return range(version, len(self.rows))


@dataclass(frozen=True, slots=True)
class Sliding:
    """Feed of the bounded log."""

    source: LogLines

    @property
    def rows(self) -> Sequence[Logged]:
        """Lines kept, oldest first."""
        return self.source.lines

    @property
    def dropped(self) -> int:
        """Lines removed from the front so far."""
        return self.source.dropped

    @property
    def version(self) -> int:
        """Lines that ever arrived."""
        return self.source.dropped + len(self.source.lines)

    def changed_since(self, version: int, /) -> Sequence[int]:
        """Indices of lines that arrived after `version` and are still kept."""
        return range(max(0, version - self.source.dropped), len(self.source.lines))
