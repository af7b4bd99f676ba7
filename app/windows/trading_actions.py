"""The actions of trading: arming, the kill switch, and orders by a key, which the settings may change."""

from typing import Final

from app.translation import QT_TRANSLATE_NOOP
from app.windows.act import Act

TRADE: Final = QT_TRANSLATE_NOOP("actions", "&Trade")

_ARMING: Final = (
    Act("view_only", QT_TRANSLATE_NOOP("actions", "View only: no orders pass"), "F9", "view_only", TRADE),
    Act("arm_paper", QT_TRANSLATE_NOOP("actions", "Arm Paper: orders pass"), "F10", "arm_paper", TRADE),
    Act("arm_live", QT_TRANSLATE_NOOP("actions", "Arm Live…"), "F12", "arm_live", TRADE),
    Act(
        "kill",
        QT_TRANSLATE_NOOP("actions", "Kill: cancel all, flatten, stay halted"),
        "Ctrl+Shift+K",
        "kill",
        TRADE,
    ),
    Act(
        "kill_window",
        QT_TRANSLATE_NOOP("actions", "Open the kill window, which works while this one hangs"),
        "Ctrl+Alt+K",
        "open_kill_window",
        TRADE,
    ),
    Act("limits", QT_TRANSLATE_NOOP("actions", "Edit limits…"), "Ctrl+Shift+I", "edit_limits", TRADE),
    Act("rearm", QT_TRANSLATE_NOOP("actions", "Re-arm after a halt…"), "Ctrl+Shift+E", "rearm", TRADE),
)

HOTKEYS: Final = (
    Act("buy_market", QT_TRANSLATE_NOOP("actions", "Buy at market"), "Shift+B", "buy_market", TRADE),
    Act("sell_market", QT_TRANSLATE_NOOP("actions", "Sell at market"), "Shift+S", "sell_market", TRADE),
    Act("buy_bid", QT_TRANSLATE_NOOP("actions", "Buy with a limit at the bid"), "Shift+J", "buy_bid", TRADE),
    Act(
        "sell_ask", QT_TRANSLATE_NOOP("actions", "Sell with a limit at the ask"), "Shift+K", "sell_ask", TRADE
    ),
    Act(
        "cancel_last",
        QT_TRANSLATE_NOOP("actions", "Cancel the newest working order"),
        "Shift+X",
        "cancel_last",
        TRADE,
    ),
    Act("cancel_all", QT_TRANSLATE_NOOP("actions", "Cancel all orders"), "Shift+C", "cancel_all", TRADE),
    Act("flatten", QT_TRANSLATE_NOOP("actions", "Flatten the position"), "Shift+F", "flatten", TRADE),
    Act("reverse", QT_TRANSLATE_NOOP("actions", "Reverse the position"), "Shift+R", "reverse", TRADE),
    Act(
        "break_even",
        QT_TRANSLATE_NOOP("actions", "Move the stop to break-even"),
        "Shift+E",
        "break_even",
        TRADE,
    ),
)
"""Orders by a key; these keys the person may change."""

TRADING_ACTIONS: Final = (
    *_ARMING,
    *HOTKEYS,
    Act(
        "trading_keys",
        QT_TRANSLATE_NOOP("actions", "Trading keys…"),
        "Ctrl+Shift+H",
        "edit_trading_keys",
        TRADE,
    ),
)
