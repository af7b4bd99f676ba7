"""Where tests find real recordings; they are the vendors', so they lie beside the project, never in it."""

from pathlib import Path

import pytest

RECORDINGS = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def recording(relative: str) -> Path:
    """Path of a recorded file or folder; skips the test where the recordings are absent."""
    path = RECORDINGS / relative
    if not path.exists():
        pytest.skip(f"real recordings are not on this machine ({relative})")
    return path
