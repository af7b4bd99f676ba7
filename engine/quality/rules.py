"""Which rules look at which kind, with the severity and the words of each: the table of the checks."""

from collections.abc import Iterator
from functools import partial
from typing import Protocol

from engine.columns import KINDS, is_bars
from engine.messages.data import Check, Severity
from engine.messages.instrument import Instrument
from engine.quality.bars import BarsAgainstTicks, bars_words, comparable, ticks_of
from engine.quality.book import BookAgainstQuotes, crossed_book_words, differs_words
from engine.quality.calendars import Sessions
from engine.quality.limits import Limits
from engine.quality.outside import TradesOutside, outside_words
from engine.quality.quotes import Crossed, Locked, crossed_words, locked_words
from engine.quality.rows import Piece
from engine.quality.sequences import BookBreaks, TradeIds, break_words, id_words
from engine.quality.spells import Gaps, Stale, gap_words, stale_words
from engine.quality.spikes import Spikes, jump_words, spike_words
from engine.quality.stretches import DayCount, Naming, Words
from engine.quality.times import (
    ClockBehind,
    Duplicates,
    SetBack,
    behind_words,
    duplicate_words,
    set_back_words,
)
from engine.store import Store
from engine.store.row_groups import row_groups


class Rule(Protocol):
    """One check of one kind, told its rows in the order of `ts_event`; any cutting of them gives the same."""

    def take(self, piece: Piece) -> None:
        """Look at the next rows."""

    def found(self, days: list[str]) -> Iterator[tuple[Naming, dict[str, DayCount]]]:
        """After the last row: what was found, by day; `days` are the files that were read."""


class Rules:
    """Makes the rules for the kinds of one instrument.

    Attributes
    ----------
    notes : list of str
        What cannot be checked, and why; filled as rules are made.
    """

    def __init__(self, store: Store, facts: Instrument, sessions: Sessions, limits: Limits) -> None:
        self._store, self._facts, self._sessions, self._limits = store, facts, sessions, limits
        self.notes: list[str] = []

    def of(self, kind: str) -> list[Rule]:
        """Rules for rows of `kind`."""
        limits = self._limits
        rules: list[Rule] = [
            Gaps(self._named(kind, "gap", "warning", partial(gap_words, kind=kind)), limits, self._sessions),
            # Of ticks without numbers two may be alike and real; two bars of one time never are.
            Duplicates(
                self._named(kind, "duplicate-time", "warning" if is_bars(kind) else "note", duplicate_words),
                limits,
            ),
        ]
        if is_bars(kind):
            return rules + self._of_bars(kind)
        rules += [
            ClockBehind(self._named(kind, "time-reversed", "note", behind_words), limits),
            SetBack(self._named(kind, "time-reversed", "warning", set_back_words), limits),
        ]
        if kind in {"quotes", "depth"}:
            rules += self._of_quotes(kind)
        if kind == "deltas":
            naming = self._named(kind, "sequence-gap", "warning", break_words)
            rules.append(BookBreaks(naming, limits))
        if kind == "trades":
            rules += self._of_trades()
        return rules

    def _named(self, kind: str, check: Check, severity: Severity, words: Words) -> Naming:
        return Naming(self._facts.id, kind, check, severity, words)

    def _of_quotes(self, kind: str) -> list[Rule]:
        crossed = partial(crossed_words, price_precision=self._facts.price_precision)
        return [
            Stale(self._named(kind, "stale", "warning", stale_words), self._limits, self._sessions),
            Crossed(self._named(kind, "crossed", "error", crossed), self._limits),
            Locked(self._named(kind, "locked", "warning", locked_words), self._limits),
            self._spikes(kind),
        ]

    def _spikes(self, kind: str) -> Rule:
        return Spikes(
            self._named(kind, "spike", "error", spike_words),
            self._named(kind, "spike", "note", jump_words),
            self._limits,
            self._facts.tick_size,
        )

    def _of_trades(self) -> list[Rule]:
        rules = [
            self._spikes("trades"),
            TradeIds(
                self._named("trades", "sequence-gap", "warning", id_words), self._limits, self._sessions
            ),
        ]
        quotes = row_groups(self._store.files(self._facts.id, "quotes"))
        if not quotes:
            self.notes.append("There are no quotes to compare the trades with.")
            return rules
        words = partial(outside_words, price_precision=self._facts.price_precision)
        naming = self._named("trades", "trade-outside-book", "warning", words)
        precisions = (self._facts.price_precision, self._facts.size_precision)
        return [*rules, TradesOutside(naming, self._limits, quotes, precisions)]

    def book(self) -> BookAgainstQuotes:
        """Proof of the stored book, whose updates have an order of their own."""
        differs = self._named("deltas", "book-against-quotes", "error", differs_words)
        crossed = self._named("deltas", "crossed", "error", crossed_book_words)
        return BookAgainstQuotes(differs, crossed, self._limits, self._store)

    def _of_bars(self, kind: str) -> list[Rule]:
        spec = comparable(kind)
        if spec is None:
            self.notes.append(f"Nothing stored can be made into {kind} to compare them with.")
            return []
        if not self._store.files(self._facts.id, ticks_of(spec)):
            self.notes.append(f"There are no {ticks_of(spec)} to compare the {kind} with.")
            return []
        words = partial(bars_words, price_precision=self._facts.price_precision)
        naming = self._named(kind, "bars-against-ticks", "warning", words)
        return [BarsAgainstTicks(naming, self._limits, self._store, spec)]


def checked_kinds(kinds: list[str]) -> list[str]:
    """Those of `kinds` that there are rules for: ticks and a vendor's bars."""
    return [kind for kind in kinds if kind in KINDS or is_bars(kind)]
