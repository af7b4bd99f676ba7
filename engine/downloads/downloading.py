"""An order in, the paths of its files out: from the cache what is there, from the source what is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.downloads.access import Access
from engine.downloads.answer import Transport
from engine.downloads.cache import Cache
from engine.downloads.crew import Crew
from engine.downloads.line import Line
from engine.downloads.pace import Clock, RateLimit, SystemClock
from engine.downloads.plan import Order, RemoteFile, end_of
from engine.downloads.report import FetchReport
from engine.downloads.settings import DownloadSettings
from engine.downloads.source import Source
from engine.downloads.transfer import Absent, Fetched, Unreachable
from engine.errors import UserError
from engine.feeds.importing import DONE
from engine.progress import Cancelled, Progress, silent
from engine.store.locking import exclusive

_NAMED: Final = 3
"""Missing files that a sentence names; the others are counted."""


def _named(names: Sequence[str]) -> str:
    """The first of `names`, and how many more there are."""
    others = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{others}"


class Missing(UserError):  # noqa: N818 - it reads as what is said of files
    """Files of an order that are not in the cache, which alone was to be used.

    Attributes
    ----------
    names : list of str
        All of them, by their path in the cache.
    """

    def __init__(self, title: str, names: list[str], files: int) -> None:
        super().__init__(
            f"{len(names):,} of {files:,} files of {title} are not in the cache "
            f"({_named(names)}); leave out --offline to fetch them."
        )
        self.names = names


@dataclass(frozen=True, slots=True)
class Downloaded:
    """Files of an order, in order of time, and the report."""

    paths: list[Path]
    report: FetchReport


class Downloads:
    """Fetches orders of one source.

    Parameters
    ----------
    folder : Path
        Of all sources' caches; each has its own in it.
    access : callable
        Gets the key; called only where something must be asked. May raise UserError.
    """

    def __init__(
        self,
        source: Source,
        settings: DownloadSettings,
        folder: Path,
        access: Callable[[], Access] = Access,
        clock: Clock | None = None,
    ) -> None:
        self._source, self._settings = source, settings
        self._cache = Cache(folder / source.name)
        self._access = access
        self._clock = clock or SystemClock()

    def fetch(
        self,
        order: Order,
        *,
        offline: bool = False,
        refetch: bool = False,
        progress: Progress = silent,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Downloaded:
        """Bring all files of `order` into the cache; `progress` is called in this thread only.

        Parameters
        ----------
        offline : bool
            Use only what is in the cache.
        refetch : bool
            Fetch also what is in the cache, and replace it.

        Raises
        ------
        UserError
            The order cannot be filled (`Missing` where `offline`); what was fetched stays in the cache.
        Cancelled
            `cancelled()` became true; likewise.
        """
        order, files = self.plan(order)
        if offline:
            self._check_all_here(files)
            return self._downloaded(order, files, [])

        def waiting() -> None:
            if cancelled():
                raise Cancelled
            progress(0.0, f"Waiting for another download of {self._source.title}")

        try:
            with exclusive(self._cache.root, self._source.title, waiting):
                wanted = [file for file in files if refetch or self._cache.find(file) is None]
                done = self._fetched(files, wanted, progress, cancelled)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UserError(
                f"{self._cache.root} cannot be written ({reason}); free it for writing."
            ) from error
        progress(1.0, DONE)
        return self._downloaded(order, files, done)

    def set_aside(self, path: Path) -> None:
        """Take a damaged file out of the cache, so that the next download fetches it again."""
        self._cache.set_aside(path)

    def plan(self, order: Order) -> tuple[Order, list[RemoteFile]]:
        """The order with its defaults, and its files; raises UserError where it cannot be filled."""
        now = self._clock.now()
        order = self._source.completed(order, now)
        return order, self._source.plan(order, self._settings.sources[self._source.name].url.rstrip("/"), now)

    def _fetched(
        self,
        files: Sequence[RemoteFile],
        wanted: Sequence[RemoteFile],
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> list[Fetched]:
        """Fetch those of `files` that are `wanted`."""
        if not wanted:
            return []
        access = self._access()
        transport = self._source.new_transport(self._settings)
        title = self._source.title
        try:
            return Crew(self._line(transport, access), wanted, len(files), progress, cancelled).work()
        except Absent as error:
            raise UserError(
                f"{title} has no file {error.name}{error.said}; check symbol, kind and days."
            ) from error
        except Unreachable as error:
            here = sum(self._cache.find(file) is not None for file in files)
            raise UserError(
                f"{title} cannot be reached, because {error}; {here:,} of the {len(files):,} files are in "
                "the cache, so check the network and run this again for the others."
            ) from error
        finally:
            transport.close()

    def _line(self, transport: Transport, access: Access) -> Line:
        return Line(
            source=self._source,
            settings=self._settings,
            cache=self._cache,
            transport=transport,
            access=access,
            clock=self._clock,
            limit=RateLimit(self._settings.sources[self._source.name].requests_per_second, self._clock),
        )

    def _check_all_here(self, files: Sequence[RemoteFile]) -> None:
        names = [file.name for file in files if self._cache.find(file, unfinished=True) is None]
        if names:
            raise Missing(self._source.title, names, len(files))

    def _downloaded(self, order: Order, files: Sequence[RemoteFile], done: Sequence[Fetched]) -> Downloaded:
        found = [self._cache.find(file, unfinished=True) for file in files]
        paths = [path for path in found if path is not None]
        if not any(path.stat().st_size for path in paths):
            raise UserError(
                f"{self._source.title} has no {order.kind} of {order.symbol or order.instrument} from "
                f"{order.first} to {order.last}; check the symbol, or choose days when its market is open."
            )
        return Downloaded(paths, self._report(order, files, done))

    def _report(self, order: Order, files: Sequence[RemoteFile], done: Sequence[Fetched]) -> FetchReport:
        missing = [file.name for file in files if self._cache.find(file, unfinished=True) is None]
        fetched = sum(not each.is_missing for each in done)
        return FetchReport(
            source=self._source.name,
            instrument=order.instrument,
            kind=order.kind,
            first=order.first.isoformat(),
            last=order.last.isoformat(),
            files=len(files),
            fetched=fetched,
            from_cache=len(files) - fetched - len(missing),
            absent=sum(each.is_absent for each in done),
            verified=sum(each.is_verified for each in done),
            size_bytes=sum(each.size_bytes for each in done),
            repeated=sum(each.attempts - 1 for each in done),
            folder=str(self._cache.root),
            missing=missing,
            notes=self._notes(order, files, missing),
        )

    def _notes(self, order: Order, files: Sequence[RemoteFile], missing: Sequence[str]) -> list[str]:
        notes = []
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            notes.append(
                f"{len(missing):,} of the {len(files):,} files {verb} missing at {self._source.title}, so "
                f"that time is left out: {_named(missing)}."
            )
        if end_of(order.last) > self._clock.now():
            notes.append(f"{order.last} (UTC) is not over: what is still to come of it is missing.")
        unfinished = sum(self._cache.find(file) is None for file in files) - len(missing)
        if unfinished:
            noun, them = ("file", "it") if unfinished == 1 else ("files", "them")
            notes.append(
                f"{unfinished:,} {noun} may still change, so the next download fetches {them} again."
            )
        return notes
