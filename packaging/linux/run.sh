#!/usr/bin/env bash
# Opens the station; where there is no display, shows what it would show: 20 s of the demo, offscreen.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec .venv/bin/nexttick "$@"
fi
echo "No display here (neither DISPLAY nor WAYLAND_DISPLAY is set): running the demo offscreen for 20 s."
.venv/bin/nexttick demo --seconds 20 --offscreen --screenshot demo.png --json demo.json
echo "Wrote demo.png and demo.json."
