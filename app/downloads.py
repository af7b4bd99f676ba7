"""One download as the command line and the data panel run it: files into the cache, then into the store."""

from pathlib import Path

from app.paths import CONFIGS, home
from app.secrets import Secrets, profile_named
from engine.downloads.access import Access
from engine.downloads.downloading import Downloads
from engine.downloads.plan import Order
from engine.downloads.settings import DownloadSettings
from engine.downloads.source import Source
from engine.errors import UserError


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
