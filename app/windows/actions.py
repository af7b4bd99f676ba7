"""Everything a person can ask of the window, as data: menus, keys and the command palette are made of it."""

from typing import Final

from app.translation import QT_TRANSLATE_NOOP
from app.windows.act import Act
from app.windows.trading_actions import TRADING_ACTIONS

SESSION: Final = QT_TRANSLATE_NOOP("actions", "&Session")
TRANSPORT: Final = QT_TRANSLATE_NOOP("actions", "&Replay")
MODEL: Final = QT_TRANSLATE_NOOP("actions", "M&odel")
MARKS: Final = QT_TRANSLATE_NOOP("actions", "&Marks")
VIEW: Final = QT_TRANSLATE_NOOP("actions", "&View")
WINDOW: Final = QT_TRANSLATE_NOOP("actions", "&Window")
PANELS: Final = QT_TRANSLATE_NOOP("actions", "&Panels")

ACTIONS: Final[tuple[Act, ...]] = (
    Act(
        "import",
        QT_TRANSLATE_NOOP("actions", "Import data files…"),
        "Ctrl+I",
        "import_files",
        SESSION,
        "import",
    ),
    Act(
        "download",
        QT_TRANSLATE_NOOP("actions", "Download data…"),
        "Ctrl+Shift+D",
        "download_data",
        SESSION,
    ),
    Act(
        "check_data",
        QT_TRANSLATE_NOOP("actions", "Check all stored data"),
        "Ctrl+Shift+C",
        "check_all",
        SESSION,
    ),
    Act(
        "open_replay",
        QT_TRANSLATE_NOOP("actions", "Open a replay…"),
        "Ctrl+O",
        "open_replay",
        SESSION,
        "replay",
    ),
    Act(
        "open_recording",
        QT_TRANSLATE_NOOP("actions", "Open a recording…"),
        "Ctrl+Shift+O",
        "open_recording",
        SESSION,
    ),
    Act(
        "open_live",
        QT_TRANSLATE_NOOP("actions", "Open paper or live…"),
        "Ctrl+P",
        "open_live",
        SESSION,
    ),
    Act(
        "attach",
        QT_TRANSLATE_NOOP("actions", "Attach to a running session…"),
        "Ctrl+Shift+A",
        "attach_session",
        SESSION,
    ),
    Act(
        "connections",
        QT_TRANSLATE_NOOP("actions", "Connections…"),
        "Ctrl+Alt+C",
        "show_connections",
        SESSION,
    ),
    Act(
        "keep_engine",
        QT_TRANSLATE_NOOP("actions", "Keep sessions running when the window closes"),
        "Ctrl+Shift+R",
        "toggle_keep_engine",
        SESSION,
        checkable=True,
    ),
    Act("restart", QT_TRANSLATE_NOOP("actions", "Restart the session"), "Ctrl+R", "restart_session", SESSION),
    Act("demo", QT_TRANSLATE_NOOP("actions", "Watch the demo market"), "Ctrl+D", "watch_demo", SESSION),
    Act(
        "export",
        QT_TRANSLATE_NOOP("actions", "Export the shown table…"),
        "Ctrl+E",
        "export_table",
        SESSION,
        "export",
    ),
    Act("quit", QT_TRANSLATE_NOOP("actions", "Quit"), "Ctrl+Q", "quit", SESSION),
    *TRADING_ACTIONS,
    Act("play", QT_TRANSLATE_NOOP("actions", "Play or pause"), "Space", "toggle_play", TRANSPORT, "play"),
    Act("step", QT_TRANSLATE_NOOP("actions", "Step"), "Right", "step", TRANSPORT, "step"),
    Act("step_back", QT_TRANSLATE_NOOP("actions", "Back one step"), "Left", "step_back", TRANSPORT, "back"),
    Act("next_fill", QT_TRANSLATE_NOOP("actions", "Next fill"), "Shift+Right", "next_fill", TRANSPORT),
    Act(
        "previous_fill",
        QT_TRANSLATE_NOOP("actions", "Previous fill"),
        "Shift+Left",
        "previous_fill",
        TRANSPORT,
    ),
    Act("step_unit", QT_TRANSLATE_NOOP("actions", "Change what a step is"), "U", "next_step_unit", TRANSPORT),
    Act("start", QT_TRANSLATE_NOOP("actions", "Jump to start"), "Home", "seek_start", TRANSPORT, "start"),
    Act("finish", QT_TRANSLATE_NOOP("actions", "Run to the end"), "End", "finish", TRANSPORT, "finish"),
    Act("cancel_seek", QT_TRANSLATE_NOOP("actions", "Cancel seeking"), "Esc", "cancel_seek", TRANSPORT),
    Act("faster", QT_TRANSLATE_NOOP("actions", "Faster"), "+; =", "faster", TRANSPORT),
    Act("slower", QT_TRANSLATE_NOOP("actions", "Slower"), "-", "slower", TRANSPORT),
    Act("real_time", QT_TRANSLATE_NOOP("actions", "Speed of the market"), "1", "real_time", TRANSPORT),
    Act("max_speed", QT_TRANSLATE_NOOP("actions", "As fast as possible"), "0", "max_speed", TRANSPORT),
    Act(
        "load_model",
        QT_TRANSLATE_NOOP("actions", "Load a model…"),
        "Ctrl+M",
        "load_model",
        MODEL,
        "import",
    ),
    Act(
        "choose_model",
        QT_TRANSLATE_NOOP("actions", "Choose a kept model…"),
        "Ctrl+Shift+M",
        "choose_model",
        MODEL,
    ),
    Act(
        "model_card",
        QT_TRANSLATE_NOOP("actions", "Card of the session's model"),
        "F4",
        "show_session_model",
        MODEL,
    ),
    Act("arm", QT_TRANSLATE_NOOP("actions", "Arm the session's models"), "F6", "arm", MODEL),
    Act("shadow", QT_TRANSLATE_NOOP("actions", "Only show the models' signals"), "F7", "shadow", MODEL),
    Act("disarm", QT_TRANSLATE_NOOP("actions", "Disarm the session's models"), "F8", "disarm", MODEL),
    Act(
        "bookmark",
        QT_TRANSLATE_NOOP("actions", "Set or remove a bookmark here"),
        "B",
        "toggle_bookmark",
        MARKS,
        "bookmark",
    ),
    Act(
        "next_bookmark", QT_TRANSLATE_NOOP("actions", "Go to the next bookmark"), "N", "next_bookmark", MARKS
    ),
    Act(
        "previous_bookmark",
        QT_TRANSLATE_NOOP("actions", "Go to the bookmark before"),
        "P",
        "previous_bookmark",
        MARKS,
    ),
    Act(
        "loop_start", QT_TRANSLATE_NOOP("actions", "Begin a loop here"), "[", "set_loop_start", MARKS, "loop"
    ),
    Act("loop_end", QT_TRANSLATE_NOOP("actions", "End the loop here"), "]", "set_loop_end", MARKS),
    Act("loop_clear", QT_TRANSLATE_NOOP("actions", "Remove the loop"), "\\", "clear_loop", MARKS),
    Act(
        "palette",
        QT_TRANSLATE_NOOP("actions", "Command palette…"),
        "Ctrl+K; F1",
        "open_palette",
        VIEW,
        "palette",
    ),
    Act("zoom_in", QT_TRANSLATE_NOOP("actions", "Show less time in the chart"), "Up", "zoom_in", VIEW),
    Act("zoom_out", QT_TRANSLATE_NOOP("actions", "Show more time in the chart"), "Down", "zoom_out", VIEW),
    Act("follow", QT_TRANSLATE_NOOP("actions", "Back to now in the chart"), "F", "back_to_now", VIEW),
    Act(
        "why",
        QT_TRANSLATE_NOOP("actions", "Why? Explain the picked row, or the crosshair"),
        "W",
        "explain_picked",
        VIEW,
    ),
    Act(
        "why_newest",
        QT_TRANSLATE_NOOP("actions", "Why? Explain the newest row"),
        "Shift+W",
        "explain_newest",
        VIEW,
    ),
    Act("theme", QT_TRANSLATE_NOOP("actions", "Light or dark"), "Ctrl+T", "toggle_theme", VIEW, "theme"),
    Act(
        "colour_blind",
        QT_TRANSLATE_NOOP("actions", "Blue and orange for buy and sell"),
        "Ctrl+Shift+T",
        "toggle_colour_blind",
        VIEW,
        checkable=True,
    ),
    Act("full_screen", QT_TRANSLATE_NOOP("actions", "Full screen"), "F11", "toggle_full_screen", VIEW),
    Act("new_window", QT_TRANSLATE_NOOP("actions", "New window"), "Ctrl+N", "new_window", WINDOW, "window"),
    Act("close_window", QT_TRANSLATE_NOOP("actions", "Close window"), "Ctrl+W", "close_window", WINDOW),
    Act(
        "save_layout", QT_TRANSLATE_NOOP("actions", "Save layout…"), "Ctrl+S", "save_layout", WINDOW, "layout"
    ),
    Act("load_layout", QT_TRANSLATE_NOOP("actions", "Load layout…"), "Ctrl+L", "load_layout", WINDOW),
    Act(
        "reset_layout",
        QT_TRANSLATE_NOOP("actions", "Standard layout"),
        "Ctrl+Shift+L",
        "reset_layout",
        WINDOW,
    ),
)
