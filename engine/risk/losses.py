"""What was lost since midnight UTC, since the session's start and from the peak, by an account's parts."""

from decimal import Decimal
from typing import Final, Literal

from engine.risk.book import AccountBook
from engine.risk.valuing import ZERO

DAY_NS: Final = 86_400_000_000_000

type Part = tuple[Literal["account", "strategy", "instrument"], str]
"""The account, one strategy, or one instrument; the account has no name."""


class LossTrack:
    """Follows one value: the account's equity, or what a part of it earned.

    Parameters
    ----------
    start : Decimal
        At the session's start.
    base : Decimal
        Money that the value stands for besides itself, for percentages: the account's at the start where the
        value is a profit, 0 where it is equity.

    Attributes
    ----------
    value : Decimal
        As last marked.
    peak : Decimal
        Highest marked so far.
    day_start : Decimal
        As last marked before midnight UTC.
    """

    __slots__ = ("_day", "base", "day_start", "peak", "start", "value")

    def __init__(self, start: Decimal, base: Decimal) -> None:
        self.start = self.day_start = self.value = self.peak = start
        self.base = base
        self._day: int | None = None

    def mark(self, now_ns: int, value: Decimal) -> None:
        """Take the value of now."""
        day = now_ns // DAY_NS
        if day != self._day:
            self.day_start = self.value  # of yesterday's last mark; of the start on the first day
            self._day = day
        self.value = value
        if value > self.peak:  # noqa: PLR1730 - faster than max(), in every order's way
            self.peak = value

    @property
    def day_loss(self) -> Decimal:
        """Money lost since midnight; negative where it was earned."""
        return self.day_start - self.value

    @property
    def session_loss(self) -> Decimal:
        """Money lost since the session's start; negative where it was earned."""
        return self.start - self.value

    @property
    def fall(self) -> Decimal:
        """Money below the peak, 0 at it."""
        return self.peak - self.value

    @property
    def fall_pct(self) -> Decimal:
        """The fall in percent of the peak; 0 where there was no money."""
        peak = self.peak + self.base
        return self.fall * 100 / peak if peak > ZERO else ZERO


class LossTracks:
    """The tracks of an account, its strategies and its instruments, each kept from when it is asked for."""

    def __init__(self, book: AccountBook) -> None:
        self._book = book
        self._tracks: dict[Part, LossTrack] = {}
        self.reset()

    @property
    def account(self) -> LossTrack:
        """That of the equity."""
        return self._tracks["account", ""]

    def track(self, part: Part) -> LossTrack:
        """That of a part."""
        found = self._tracks.get(part)
        if found is None:
            found = self._tracks[part] = LossTrack(ZERO, self._book.start_balance)
        return found

    def reset(self) -> None:
        """Begin anew, as at the session's start."""
        self._tracks = {("account", ""): LossTrack(self._book.start_balance, ZERO)}

    def marked(self, part: Part, now_ns: int, equity: Decimal | None = None) -> LossTrack | None:
        """The track of a part, marked now; None where a price is not known of what it holds.

        `equity` is the account's, where it is known already.
        """
        value = self._value(part) if equity is None or part[0] != "account" else equity
        if value is None:
            return None
        track = self.track(part)
        track.mark(now_ns, value)
        return track

    def mark(self, now_ns: int) -> None:
        """Mark them all; what has no price keeps its last value."""
        for part in tuple(self._tracks):
            self.marked(part, now_ns)

    def _value(self, part: Part) -> Decimal | None:
        kind, name = part
        book = self._book
        if kind == "account":
            return book.equity()
        return book.profit_of(book.lines_of(name) if kind == "strategy" else book.lines_in(name))
