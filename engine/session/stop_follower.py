"""Moves the stop of the hand's position with the market, bar by bar, as a person's rule says."""

from typing import Final

from engine.errors import UserError
from engine.messages.commands import SetStop
from engine.messages.instrument import Instrument
from engine.nautilus.desk import Desk
from engine.nautilus.requests import check_number
from engine.risk.stops import AtrStop, ChandelierStop
from engine.session.bar_history import Bar, BarHistory

_LONGEST: Final = 500
_BPS: Final = 10_000


class StopFollower:
    """Says where a stop is to stand after each bar; the desk puts it there.

    Parameters
    ----------
    instrument : Instrument
    bars : BarHistory
        Of the session.

    Attributes
    ----------
    rule : SetStop or None
        In force; to be read only.
    """

    def __init__(self, instrument: Instrument, bars: BarHistory) -> None:
        self._instrument, self._bars = instrument, bars
        self.rule: SetStop | None = None
        self._stop: AtrStop | None = None
        self._taken = 0
        self._slot = 0

    @property
    def interval_ns(self) -> int | None:
        """Time between two looks; None where no stop is to be moved."""
        return None if self.rule is None else self._bars.interval_ns

    @property
    def said(self) -> str:
        """The rule in force in a few words; empty where there is none."""
        rule = self.rule
        if rule is None:
            return ""
        if rule.kind == "break-even":
            return f"break-even from {rule.distance_bps:f} bps"
        return f"{_NAMES[rule.kind]} {rule.period} x {rule.multiple:f}, {self._bars.spec}"

    def set(self, rule: SetStop, desk: Desk, now_ns: int) -> str:
        """Put a rule in force for the position that the hand has; what there is to be told.

        Raises
        ------
        UserError
            There is no such position, or the rule cannot be followed.
        """
        if rule.kind == "none":
            desk.position_stop.release()
            self.rule = self._stop = None
            return "The stop stays where it is, and moves no more."
        interval = self._checked(rule)
        position = desk.position_stop.position
        bars, stop = self._bars.complete(now_ns), self._made(rule, desk.held() > 0)
        if stop is not None:
            for bar in bars:
                # A chandelier hangs from the best price since the entry, the other from the newest close.
                since_entry = rule.kind == "chandelier" and bar.ts_open + interval > position.opened_ns
                take = stop.close if since_entry or bar is bars[-1] else stop.seed
                take(bar.high, bar.low, bar.close)
            if stop.trigger is not None and desk.position_stop.is_beyond(stop.trigger):
                raise UserError(
                    f"The stop would stand at {stop.trigger:f}, beyond the market; choose a larger multiple, "
                    "or flatten."
                )
        desk.position_stop.begin()
        self.rule, self._stop = rule, stop
        self._taken = self._bars.count(now_ns)
        self._slot = now_ns // interval
        if stop is not None and stop.trigger is not None:
            desk.position_stop.move_to(stop.trigger)
            return f"The stop of the position follows the market: {self.said}."
        if stop is None:
            return f"The stop of the position will go to where it loses nothing: {self.said}."
        return f"The stop begins once {rule.period} bars are complete ({len(bars)} are): {self.said}."

    def is_due(self, ended_ns: int) -> bool:
        """Whether a bar may have come to its end since the last look, up to which all has happened."""
        interval = self.interval_ns
        return interval is not None and ended_ns // interval > self._slot

    def follow(self, desk: Desk, ended_ns: int) -> None:
        """Take the bars that are complete by now, and have the stop moved."""
        interval = self.interval_ns
        assert interval is not None  # noqa: S101 - who calls has asked
        self._slot = ended_ns // interval
        bars = self._bars.complete(ended_ns, self._taken)
        self._taken += len(bars)
        if not desk.position_stop.is_kept:
            self.rule = self._stop = None
        elif self._stop is None:
            self._even(desk, bars)
        else:
            before = self._stop.trigger
            for bar in bars:
                self._stop.close(bar.high, bar.low, bar.close)
            if self._stop.trigger is not None and self._stop.trigger != before:
                desk.position_stop.move_to(self._stop.trigger)

    def _even(self, desk: Desk, bars: list[Bar]) -> None:
        assert self.rule is not None  # noqa: S101 - who calls
        position = desk.position_stop.position
        entry, is_long = position.average_open, desk.held() > 0
        away = entry * self.rule.distance_bps / _BPS
        if any((bar.close - entry if is_long else entry - bar.close) >= away for bar in bars):
            at = desk.position_stop.even_price()
            if at is not None:
                desk.position_stop.move_to(at)
                self.rule = None

    def _checked(self, rule: SetStop) -> int:
        interval = self._bars.interval_ns
        if interval is None:
            raise UserError(
                "Stops move with bars of time, which this session has not; open it with 1-MINUTE-BID, say."
            )
        if not 1 <= rule.period <= _LONGEST:
            raise UserError(f"The average is of 1 to {_LONGEST} bars; choose another period.")
        for value, what in ((rule.multiple, "multiple"), (rule.distance_bps, "distance")):
            check_number(what, value)
        return interval

    def _made(self, rule: SetStop, is_long: bool) -> AtrStop | None:  # noqa: FBT001 - of a position
        if rule.kind == "break-even":
            return None
        kind = ChandelierStop if rule.kind == "chandelier" else AtrStop
        return kind("BUY" if is_long else "SELL", self._instrument.tick_size, rule.period, rule.multiple)


_NAMES: Final = {"atr": "ATR", "chandelier": "chandelier"}
