"""What tests of sessions at a venue share: an exchange of their own, and where a session is remembered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.venue import ThreadVenue, levels


@pytest.fixture
def venue() -> Iterator[ThreadVenue]:
    """Exchange with a market from 2,000.00 to 2,000.10."""
    with ThreadVenue() as running:
        running.show(*levels("2000.00", "2000.10"))
        yield running


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """File of a session's memory."""
    return tmp_path / "local.json"
