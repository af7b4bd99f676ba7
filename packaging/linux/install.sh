#!/usr/bin/env bash
# Finds a Python the station runs on, makes .venv and installs the locked set into it; `make` calls it when
# .venv is missing or older than the lock.
set -euo pipefail
cd "$(dirname "$0")/../.."

fits() { "$1" -c 'import sys; raise SystemExit(not (3, 13) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; }

find_python() {
    local wanted candidate
    wanted=$(cat .python-version)
    for candidate in "python$wanted" python3.14 python3 python; do
        if command -v "$candidate" >/dev/null && fits "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    if command -v pyenv >/dev/null && candidate=$(pyenv prefix "$(pyenv latest "$wanted" 2>/dev/null)" 2>/dev/null) \
        && fits "$candidate/bin/python"; then
        echo "$candidate/bin/python"
        return
    fi
    if command -v uv >/dev/null && { uv python find "$wanted" 2>/dev/null || { uv python install -q "$wanted" \
        && uv python find "$wanted"; }; }; then
        return
    fi
    echo "NextTick needs Python 3.13 or 3.14 and found none: install it (your distribution's python3.13," \
        "'pyenv install $wanted', or uv) and run this again." >&2
    return 1
}

python=$(find_python)
if [ ! -x .venv/bin/python ] || ! fits .venv/bin/python; then
    echo "Making .venv with $("$python" --version)."
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv) and run this again." >&2
        exit 1
    fi
fi
echo "Installing the locked set; the CUDA libraries make this a download of several GB the first time."
.venv/bin/python -m pip install --quiet --require-hashes -r packaging/uv.lock
# Compiled now, because a first start that compiles polars and numpy takes 5 s more.
.venv/bin/uv pip install --quiet --python .venv/bin/python --compile-bytecode --require-hashes -r requirements.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
touch .venv/.installed
