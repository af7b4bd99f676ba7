"""Keys in a real Secret Service: GNOME Keyring on a session bus of its own, with a home of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KEY = "db-PlantedKey0123456789abcdefWXYZ"
_NEEDED = ("dbus-run-session", "gnome-keyring-daemon")
_SESSION = """
printf 'a password of its own' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
printf '{"key": "%s"}' "$PLANTED" | "$PYTHON" -m app keys set databento --stdin --json set.json || exit 1
"$PYTHON" -m app keys list --json list.json || exit 2
"$PYTHON" -c 'from app.secrets import Secrets, profile_named
print(Secrets().get(profile_named("databento"))["key"])' > key.txt || exit 3
"$PYTHON" -m app keys delete databento || exit 4
"$PYTHON" -m app keys list --json after.json || exit 5
kill $(cat "$XDG_RUNTIME_DIR/keyring.pid" 2>/dev/null) 2>/dev/null || true
"""


@pytest.mark.skipif(
    any(shutil.which(program) is None for program in _NEEDED), reason=f"needs {' and '.join(_NEEDED)}"
)
def test_keys_live_in_the_secret_service(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "NEXTTICK_HOME": str(tmp_path / "station"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHON": sys.executable,
        "PLANTED": KEY,
    }
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", _SESSION],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "key.txt").read_text() == f"{KEY}\n"
    listed = json.loads((tmp_path / "list.json").read_text())
    assert listed["kept_in"] == "Secret Service"
    assert listed["profiles"]["databento"] == {"key": "••••WXYZ"}
    assert json.loads((tmp_path / "after.json").read_text())["profiles"]["databento"] is None
    assert not (tmp_path / "station").exists() or not list((tmp_path / "station").rglob("*.vault"))
    assert KEY not in (done.stdout + done.stderr).decode()
