"""What downloads need around them, without waiting for anything."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from engine.downloads.access import Access
from engine.downloads.downloading import Downloads
from engine.downloads.settings import DownloadSettings
from engine.downloads.sources import source_named

SHIPPED = Path(__file__).resolve().parents[3] / "configs" / "downloads.toml"
NOW = datetime(2024, 9, 20, 12, tzinfo=UTC)


class FakeClock:
    """Waiting takes no time, but time passes by it."""

    def __init__(self, now: datetime = NOW) -> None:
        self.waits: list[float] = []
        self._now, self._passed = now, 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def wait(self, seconds: float, stop: threading.Event) -> None:
        with self._lock:
            self.waits.append(seconds)
            self._passed += seconds


def settings(url: str, **changes: object) -> DownloadSettings:
    """The shipped ones with every source at `url`, and short waits for what really waits."""
    shipped = DownloadSettings.load(SHIPPED, SHIPPED.with_name("none"))
    sources = {
        name: msgspec.structs.replace(each, url=url, requests_per_second=1e6)
        for name, each in shipped.sources.items()
    }
    changes = {"stall_s": 0.3, "connect_s": 1.0, "sources": sources, **changes}
    return msgspec.structs.replace(shipped, **changes)


def downloads(
    source: str,
    url: str,
    folder: Path,
    *,
    access: Access | None = None,
    clock: FakeClock | None = None,
    **changes: object,
) -> Downloads:
    """Downloads of a source that is at `url`."""
    return Downloads(
        source_named(source),
        settings(url, **changes),
        folder,
        lambda: access or Access(),
        clock or FakeClock(),
    )
