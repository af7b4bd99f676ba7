"""One download as the command line and the data panel run it: files into the cache, then into the store."""

from collections.abc import Callable
from pathlib import Path

from app.paths import CONFIGS, home
from app.secrets import Secrets, profile_named
from engine.downloads.access import Access
from engine.downloads.downloading import Downloaded, Downloads
from engine.downloads.plan import Order
from engine.downloads.settings import DownloadSettings
from engine.downloads.source import Source
from engine.errors import UserError
from engine.feeds.importing import import_files
from engine.feeds.instruments import KnownInstruments
from engine.feeds.reader import DamagedFile
from engine.feeds.reader import Source as ImportSource
from engine.feeds.report import ImportReport
from engine.progress import Progress
from engine.store import Store


def cache_folder() -> Path:
    """Folder of all sources' files."""
    return home() / "downloads"


def downloads_for(source: Source, order: Order) -> Downloads:
    """Downloads of `source`; the key that `order` needs is read when something must be asked.

    Raises
    ------
    UserError
        The settings cannot be used.
    """
    settings = DownloadSettings.load(CONFIGS / "downloads.toml", home() / "downloads.toml")
    return Downloads(source, settings, cache_folder(), lambda: _access(source, order, settings))


def import_downloaded(
    downloads: Downloads,
    got: Downloaded,
    store: Store,
    known: KnownInstruments,
    how: ImportSource,
    progress: Progress,
    cancelled: Callable[[], bool] = lambda: False,
) -> ImportReport:
    """Import what was fetched; a file that is damaged is taken out of the cache.

    Raises
    ------
    UserError
        As `import_files` does.
    Cancelled
        Likewise.
    """
    try:
        return import_files(got.paths, got.report.instrument, store, known, how, progress, cancelled)
    except DamagedFile as error:
        if error.path not in got.paths:
            raise
        downloads.set_aside(error.path)
        raise UserError(
            f"{error.path} cannot be imported: {error.what}; it was taken out of the cache, so run this "
            "again to fetch it again."
        ) from error


def _access(source: Source, order: Order, settings: DownloadSettings) -> Access:
    if source.authorization is None or source.free(order):
        return Access()
    if not settings.sources[source.name].is_private:
        raise UserError(
            f"The url of {source.name} in {home() / 'downloads.toml'} is not https, so no key is sent there; "
            "correct it."
        )
    fields = Secrets().get(profile_named(source.name))
    if fields is None:
        raise UserError(
            f"{source.title} needs your key for this{source.free_hint}; set it with: "
            f"nexttick keys set {source.name}"
        )
    return Access.with_key(fields["key"], source.authorization(fields["key"]))
