"""Where recordings lie and what is recorded, as the settings say."""

import contextlib
from importlib.metadata import version
from pathlib import Path

import msgspec

from app.paths import home
from app.secrets import PROFILES, Secrets
from app.settings import Settings, read
from engine.errors import UserError
from engine.messages.run import Mode
from engine.recording.copies import Copies
from engine.recording.lake import Lake
from engine.recording.outbox import BackgroundOutbox, Target
from engine.recording.recorder import SessionRecorder
from engine.recording.writing import Keeping


def person_settings() -> Settings:
    """Settings of the person's file, or the defaults; raises `UserError` where it cannot be read."""
    return read(home() / "settings.toml")


def recordings_folder(settings: Settings) -> Path:
    """Folder of all recordings."""
    return Path(settings.recordings).expanduser() if settings.recordings else home() / "recordings"


def recorder_of(settings: Settings, mode: Mode = "replay") -> SessionRecorder | None:
    """Recorder as these settings say; None where the person wants none.

    Paper and live sessions keep their audit log in any case.
    """
    if settings.record == "off" and mode == "replay":
        return None
    keeping = Keeping(
        root=str(recordings_folder(settings)),
        market=settings.record == "all",
        lines=settings.record != "off",
        cap_bytes=settings.recording_cap_mb * 2**20,
        total_cap_bytes=settings.recordings_cap_mb * 2**20,
    )
    targets = targets_of(settings)
    outbox = BackgroundOutbox(targets) if targets else None
    return SessionRecorder(keeping, version("nexttick-station"), outbox=outbox)


def targets_of(settings: Settings) -> list[Target]:
    """Where recordings go besides; nothing by default."""
    targets: list[Target] = []
    if settings.recording_copies:
        targets.append(Copies(settings.recording_copies, _keys_of_bucket))
    if settings.recording_lake:
        targets.append(Lake(settings.recording_lake))
    return targets


def _keys_of_bucket() -> dict[str, str] | None:
    """Keys that are kept for the bucket; None leaves it to where AWS's own programs look for them."""
    with contextlib.suppress(UserError):  # a machine without a keyring keeps none in it
        kept = Secrets().get(PROFILES["s3"])
        return None if kept is None else dict(kept)
    return None


def recorder_asked() -> SessionRecorder | None:
    """Recorder of a command that was told to record, whatever the settings say of windows."""
    return recorder_of(msgspec.structs.replace(person_settings(), record="all"))
