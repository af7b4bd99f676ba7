"""What was lost since midnight UTC, since the session's start and from the peak, by an account's parts."""

from decimal import Decimal
from typing import Final

from engine.risk.book import AccountBook
from engine.risk.scope import Scope
from engine.risk.valuing import ZERO

DAY_NS: Final = 86_400_000_000_000
_ACCOUNT: Final = Scope("account")


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
        self._tracks: dict[Scope, LossTrack] = {}
        self.reset()

    @property
    def account(self) -> LossTrack:
        """That of the equity."""
        return self._tracks[_ACCOUNT]

    def track(self, scope: Scope) -> LossTrack:
        """That of a scope."""
        found = self._tracks.get(scope)
        if found is None:
            found = self._tracks[scope] = LossTrack(ZERO, self._book.start_balance)
        return found

    def reset(self) -> None:
        """Begin anew, as at the session's start."""
        self._tracks = {_ACCOUNT: LossTrack(self._book.start_balance, ZERO)}

    def marked(self, scope: Scope, now_ns: int, equity: Decimal | None = None) -> LossTrack | None:
        """The track of a scope, marked now; None where a price is not known of what it holds.

        `equity` is the account's, where it is known already.
        """
        value = self._value(scope) if equity is None or scope != _ACCOUNT else equity
        if value is None:
            return None
        track = self.track(scope)
        track.mark(now_ns, value)
        return track

    def mark(self, now_ns: int) -> None:
        """Mark them all; what has no price keeps its last value."""
        for scope in tuple(self._tracks):
            self.marked(scope, now_ns)

    def _value(self, scope: Scope) -> Decimal | None:
        book = self._book
        match scope.kind:
            case "account":
                return book.equity()
            case "strategy":
                return book.profit_of(book.lines_of(scope.name))
            case "instrument":
                return book.profit_of(book.lines_in(scope.name))
