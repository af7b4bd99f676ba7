import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def torch_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with torch's files of all kinds; the hostile ones would write `ran` beside it."""
    folder = tmp_path_factory.mktemp("torch") / "files"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-m", "tests.ai.loading.make_torch_files", str(folder), str(folder.parent / "ran")],
        check=True,
        capture_output=True,
        timeout=100,
    )
    return folder
