"""Counts what an import reads, file after file, so that no file need stay in memory to be reported on."""

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from engine.columns import Columns, Int64, Quotes
from engine.errors import UserError
from engine.feeds.decoded import Decoded, Rejected
from engine.feeds.quality import crossed, out_of_order, silences, stretches
from engine.feeds.reader import ReadPart
from engine.feeds.report import CrossedPolicy, ImportReport
from engine.messages.instrument import Instrument
from engine.store import Added
from engine.store.schema import from_arrow

_CONTINUOUS = frozenset({"quotes", "trades"})
"""Kinds whose silences are gaps; bars, books and corporate actions come when they come."""


class Tally:
    """Counts over the files of one import, and the rows of them that the policy for crossed quotes leaves.

    Attributes
    ----------
    rows : dict
        Rows left by the policy, by kind.
    series : dict
        Rows of series, by name.
    defined : Instrument or None
        The instrument's facts as the first file that has them tells.
    """

    def __init__(self, instrument_id: str, policy: CrossedPolicy) -> None:
        self.rows: dict[str, int] = {}
        self.series: dict[str, int] = {}
        self.defined: Instrument | None = None
        self._instrument_id, self._policy = instrument_id, policy
        self._defined_in: Path | None = None
        self._decimals: dict[str, tuple[int, int]] = {}
        self._files: list[Path] = []
        self._latest: dict[str, int] = {}
        """Latest `ts_event` so far in the file that is being read, by kind."""
        self._stretches: dict[str, list[Int64]] = {kind: [] for kind in _CONTINUOUS}
        self._rejected: list[dict[str, Rejected]] = []
        self._formats: dict[str, None] = {}
        self._timestamps: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self._quotes = self._crossed = self._gaps = self._out_of_order = 0
        self._first_crossed_ns: int | None = None
        self._first_ns: int | None = None
        self._last_ns: int | None = None

    def begin(self, file: Path) -> None:
        """Tell that what is taken from now on stands in `file`."""
        self._files.append(file)
        self._latest = {}
        self._rejected.append({})

    def take(self, part: ReadPart) -> dict[str, Columns]:
        """Count one part of the file, and return its rows as the policy leaves them, by kind.

        Raises
        ------
        UserError
            It defines the instrument otherwise than a file before it.
        """
        decoded = part.decoded
        self._formats[part.format] = None
        if decoded.instrument is not None:
            self._take_definition(decoded.instrument)
        for name, table in decoded.series.items():
            self.series[name] = self.series.get(name, 0) + len(table)
            self._seen(from_arrow(table.column("ts_event")))
        if decoded.columns or decoded.series:
            self._timestamps[decoded.timestamps] = None
        self._notes |= dict.fromkeys(decoded.notes)
        self._gaps += decoded.gaps
        self._count_rejected(decoded)
        for kind, columns in decoded.columns.items():
            before = self._latest.get(kind)
            self._out_of_order += out_of_order(columns.ts_event, *([] if before is None else [before]))
            latest = int(columns.ts_event.max())
            self._latest[kind] = latest if before is None else max(before, latest)
        kept = {kind: self._by_policy(kind, columns) for kind, columns in decoded.columns.items()}
        for kind, columns in kept.items():
            self._count(kind, columns)
        return {kind: columns for kind, columns in kept.items() if len(columns)}

    def _take_definition(self, told: Instrument) -> None:
        """Keep the first definition of the instrument; those of others do not matter."""
        if told.id != self._instrument_id:
            return
        if self.defined is None:
            self.defined, self._defined_in = told, self._files[-1]
        elif told != self.defined:
            name, ours, theirs = next(
                (name, mine, its)
                for name, mine in msgspec.structs.asdict(self.defined).items()
                if (its := getattr(told, name)) != mine
            )
            raise UserError(
                f"{self._files[-1]} cannot be imported: it says that the {name} of {told.id} is {theirs}, "
                f"but {self._defined_in} says {ours}; import what is older alone, then what is newer."
            )

    def _count_rejected(self, decoded: Decoded) -> None:
        """Rows of one file that were left out for one reason are told together."""
        told = self._rejected[-1]
        for each in decoded.rejected:
            so_far = told.get(each.reason)
            told[each.reason] = msgspec.structs.replace(
                each,
                count=each.count + (so_far.count if so_far else 0),
                first_line=min(each.first_line, so_far.first_line) if so_far else each.first_line,
                file=self._files[-1].name,
            )

    def _by_policy(self, kind: str, columns: Columns) -> Columns:
        if kind != "quotes":
            return columns
        quotes = cast("Quotes", columns)
        rows = crossed(quotes)
        self._quotes += len(quotes)
        self._crossed += int(rows.sum())
        if rows.any() and self._first_crossed_ns is None:
            self._first_crossed_ns = int(quotes.ts_event[rows.argmax()])
        return quotes if self._policy == "keep" or not rows.any() else quotes.take(~rows)

    def _count(self, kind: str, columns: Columns) -> None:
        price, size = self._decimals.get(kind, (0, 0))
        self._decimals[kind] = max(price, columns.price_precision), max(size, columns.size_precision)
        if not len(columns):
            return
        self.rows[kind] = self.rows.get(kind, 0) + len(columns)
        self._seen(columns.ts_event)
        if kind in _CONTINUOUS:
            self._stretches[kind].append(stretches(columns.ts_event))

    def _seen(self, times: Int64) -> None:
        if not len(times):
            return
        first, last = int(times.min()), int(times.max())
        self._first_ns = first if self._first_ns is None else min(self._first_ns, first)
        self._last_ns = last if self._last_ns is None else max(self._last_ns, last)

    @property
    def decimals(self) -> tuple[int, int]:
        """The most decimals of prices and of sizes among the kinds that have rows."""
        price, size = np.max([self._decimals[kind] for kind in self.rows], axis=0).tolist()
        return price, size

    def check(self) -> None:
        """Refuse crossed quotes where the policy does, once all files were read.

        Raises
        ------
        UserError
            There are some, and the policy is to fail.
        """
        if self._policy != "fail" or self._first_crossed_ns is None:
            return
        where = str(self._files[0]) if len(self._files) == 1 else f"these {len(self._files)} files"
        first = datetime.fromtimestamp(self._first_crossed_ns // 1_000_000_000, UTC)
        raise UserError(
            f"{self._crossed:,} of {self._quotes:,} quotes in {where} have a bid above the ask (the first at "
            f"{first:%Y-%m-%d %H:%M:%S} UTC), so nothing was imported; say --crossed keep or --crossed drop."
        )

    def report(self, instrument: Instrument, added: Added) -> ImportReport:
        """Say what the import did, once its rows are stored."""
        weekend_closed = instrument.kind == "fx"
        silent = sum(silences(each, weekend_closed=weekend_closed) for each in self._stretches.values())
        kinds = {**self.rows, **self.series}
        return ImportReport(
            instrument=instrument.id,
            files=len(self._files),
            formats=list(self._formats),
            rows=sum(kinds.values()),
            added=sum(added.rows.values()),
            duplicates=sum(added.duplicates.values()),
            kinds=kinds,
            rejected=[each for file in self._rejected for each in file.values()],
            out_of_order=self._out_of_order,
            crossed=self._crossed,
            crossed_policy=self._policy,
            gaps=silent + self._gaps,
            first_ts_ns=self._first_ns,
            last_ts_ns=self._last_ns,
            price_precision=instrument.price_precision,
            size_precision=instrument.size_precision,
            timestamps=list(self._timestamps),
            notes=list(self._notes),
        )
