"""What a fresh machine meets first: the locked set and the sentence where there is no Python for it."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = [ROOT / "requirements.lock", ROOT / "packaging" / "uv.lock"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_pins_with_hashes_and_names_no_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    requirements = [line for line in text.splitlines() if re.match(r"^[a-z0-9]", line)]
    assert requirements
    assert all("==" in line for line in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)
    assert not re.search(r"https?://|--index|--find-links", text)


def test_every_declared_dependency_is_pinned_explained_and_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    locked = {re.sub(r"[-_.]+", "-", line) for line in LOCKS[0].read_text().lower().split() if "==" in line}
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in declared:
        bare = re.sub(r"\[.*\]", "", requirement.lower())
        assert re.sub(r"[-_.]+", "-", bare) in locked, f"{requirement} is not in the lock"
        naming = [line for line in lines if f'"{requirement}"' in line]
        assert any(re.search(r"#\s+\S+", line) for line in naming), f"{requirement} does not say why"


@pytest.mark.skipif(os.name == "nt", reason="the installer of Linux")
def test_no_fitting_python_is_one_sentence_with_the_next_step(tmp_path: Path) -> None:
    for tool in ("bash", "cat", "dirname", "env"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    done = subprocess.run(
        ["packaging/linux/install.sh"],
        check=False,
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert re.fullmatch(r"NextTick needs Python 3\.13 or 3\.14 and found none: install it .+\n", done.stderr)
