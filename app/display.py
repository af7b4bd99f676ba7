"""Whether a window can be shown here, found out before Qt is asked: Qt would end the process."""

import ctypes
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from engine.errors import UserError

# Library: its Debian and its Fedora package.
_PACKAGES: Final = {
    "libEGL.so.1": ("libegl1", "mesa-libEGL"),
    "libGL.so.1": ("libgl1", "mesa-libGL"),
    "libOpenGL.so.0": ("libopengl0", "libglvnd-opengl"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libX11.so.6": ("libx11-6", "libX11"),
}
_XCB_PACKAGES: Final = {
    "libxcb.so.1": ("libxcb1", "libxcb"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb"),
}


def check_libraries(*, offscreen: bool) -> None:
    """Raise `UserError` with the packages to install where a system library that Qt needs is missing."""
    if sys.platform != "linux":
        return
    needed = _needed(offscreen=offscreen)
    missing = [names for library, names in needed.items() if not _loads(library)]
    if missing:
        debian = " ".join(sorted({names[0] for names in missing}))
        fedora = " ".join(sorted({names[1] for names in missing}))
        raise UserError(
            "Qt needs system libraries that are not installed; "
            f"run 'sudo apt install {debian}' (Debian, Ubuntu) or 'sudo dnf install {fedora}' (Fedora)."
        )


def has_display() -> bool:
    """Whether there is a screen to show a window on, and it answers."""
    if sys.platform != "linux":
        return True
    if chosen := os.environ.get("QT_QPA_PLATFORM"):
        return any(_answers(platform.partition(":")[0]) for platform in chosen.split(";"))
    # Without a choice Qt takes either, whichever answers.
    return any(
        _answers(platform)
        for platform, variable in (("wayland", "WAYLAND_DISPLAY"), ("xcb", "DISPLAY"))
        if os.environ.get(variable)
    )


def check_display() -> None:
    """Raise `UserError` where there is no screen to show a window on, or it does not answer."""
    if has_display():
        return
    named = [
        f"{name}={value}"
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
        if (value := os.environ.get(name))
    ]
    what = (
        f"The display cannot be reached ({', '.join(named)})"
        if named
        else "There is no display to open a window on"
    )
    raise UserError(
        f"{what}; start the station in a desktop session, "
        "or run 'nexttick demo --offscreen --screenshot demo.png'."
    )


def _answers(platform: str) -> bool:
    if platform == "xcb":
        return _x_answers()
    if platform.startswith("wayland"):
        return _wayland_answers()
    return True  # draws into memory, or is a device that only Qt knows how to ask


def _x_answers() -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    # Never null: what failed is a connection that has an error; both must be given back.
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed


def _wayland_answers() -> bool:
    path = Path(os.environ.get("XDG_RUNTIME_DIR", "/")) / os.environ.get("WAYLAND_DISPLAY", "wayland-0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _needed(*, offscreen: bool) -> dict[str, tuple[str, str]]:
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    uses_xcb = "xcb" in platform or (not platform and bool(os.environ.get("DISPLAY")))
    return _PACKAGES | (_XCB_PACKAGES if uses_xcb and not offscreen else {})


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return _is_bundled(library)
    return True


def _is_bundled(library: str) -> bool:
    spec = find_spec("PySide6")
    folders = spec.submodule_search_locations if spec else None
    return any((Path(folder) / "Qt" / "lib" / library).exists() for folder in folders or [])
