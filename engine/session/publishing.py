"""News and releases of a run's series, told as events at the market time from which they could be known."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine.errors import UserError
from engine.messages.events import Published
from engine.messages.run import Run
from engine.recording.recording import Recording
from engine.store.series import SeriesStore


def news_in(store: Path) -> list[str]:
    """Series of a tick store that can be shown as news, sorted."""
    series = SeriesStore(store)
    return [name for name in series.names() if "title" in series.columns(name)]


def publications(run: Run, start_ns: int, end_ns: int) -> list[Published]:
    """Rows of the run's series that become known in `[start_ns, end_ns]`, in that order.

    Over a recording, the series of the recorded session are told as it told them, whatever became of its
    store.

    Raises
    ------
    UserError
        The run has series but no store, one is unknown, or one is no series of news.
    """
    if not run.series:
        return []
    recording = Recording(Path(run.recording)) if run.recording else None
    recorded = set(run.series) & set(recording.manifest.run.series if recording is not None else ())
    found: list[Published] = []
    if recording is not None and recorded:
        told = _told(recording)
        found += [each for each in told if each.series in recorded and start_ns <= each.ts <= end_ns]
    stored = [name for name in run.series if name not in recorded]
    if stored and not run.store:
        raise UserError("Series are read from a tick store, and this run has none; leave them out.")
    for name in stored:
        rows = news_rows(SeriesStore(Path(run.store)), name, start_ns, end_ns + 1)
        found += [_published(name, row) for row in rows.to_pylist()]
    return sorted(found, key=lambda each: each.ts)


def news_rows(
    store: SeriesStore, name: str, start_ns: int | None = None, end_ns: int | None = None
) -> pa.Table:
    """Rows of a series of news, as `SeriesStore.read` gives them.

    Raises
    ------
    UserError
        There is no such series, a file of it is damaged, or it is no series of news.
    """
    table = store.read(name, start_ns, end_ns)
    if "title" not in table.column_names:
        raise UserError(f"The series {name} has no titles, so it cannot be shown as news; leave it out.")
    return table


def _told(recording: Recording) -> list[Published]:
    """What a recorded session told: each epoch tells from the start, so that the longest holds all."""
    by_epoch: dict[int, list[Published]] = {}
    for line in recording.lines():
        if isinstance(line.event, Published):
            by_epoch.setdefault(line.epoch, []).append(line.event)
    return max(by_epoch.values(), key=len, default=[])


def _published(series: str, row: dict[str, Any]) -> Published:
    return Published(
        ts=row["ts_init"],
        series=series,
        title=row["title"],
        scheduled_ns=row["ts_event"] if row["is_scheduled"] else None,
        subjects=tuple(row["subjects"].split()),
        importance=row["importance"],
        sentiment=row["sentiment"],
        actual=row["actual"],
        forecast=row["forecast"],
        previous=row["previous"],
        link=row["link"],
    )


class Publishing:
    """Tells publications as market time passes them.

    Parameters
    ----------
    publications : sequence of Published
        By `ts`.
    emit : callable
        Takes each one, in order.
    """

    def __init__(self, publications: Sequence[Published], emit: Callable[[Published], None]) -> None:
        self._all, self._emit = publications, emit
        self._told = 0

    def tell_before(self, ts: int) -> None:
        """Tell those that are known before market time `ts`."""
        if self._told == len(self._all) or self._all[self._told].ts >= ts:
            return
        until = bisect_left(self._all, ts, lo=self._told, key=lambda each: each.ts)
        for each in self._all[self._told : until]:
            self._emit(each)
        self._told = until
