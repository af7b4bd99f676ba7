"""Where the station keeps its own files; `NEXTTICK_HOME` moves them all to one folder."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESOURCES = ROOT / "resources"
CONFIGS = ROOT / "configs"


def home() -> Path:
    """Folder of settings, layouts, logs and the default tick store, by the platform's own custom."""
    if override := os.environ.get("NEXTTICK_HOME"):
        return Path(override).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "NextTick"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "nexttick"


def default_store() -> Path:
    """Tick store used where no `--store` is given."""
    return home() / "store"


def logs() -> Path:
    """Folder of the engine processes' logs."""
    return home() / "logs"


def memory_folder() -> Path:
    """Folder of what live sessions know again when they are started anew."""
    return home() / "memory"


def run_folder() -> Path:
    """Folder of the endpoints of running engines, readable by their owner only."""
    return home() / "run"
