"""Menus, keys and palette entries of a window, made from the tables of actions and panels."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar

from app.windows.act import menu_label
from app.windows.actions import ACTIONS
from app.windows.actions import PANELS as PANELS_MENU
from app.windows.docks import PanelDock
from app.windows.panels import PANELS
from widgets.palette import Entry

PANEL_ACTION: Final = "panel_"
"""Begins the ids of the actions that show or hide a panel."""


def make_actions(
    window: QMainWindow, bar: QMenuBar, deeds: object, docks: Mapping[str, PanelDock], keys: Mapping[str, str]
) -> dict[str, QAction]:
    """Fill the menus, give every action its keys in this window, and return the actions by id.

    `keys` are those that the person chose in place of the table's, by id.

    Raises
    ------
    AttributeError
        A line of the table names a slot that `deeds` does not have.
    """
    actions: dict[str, QAction] = {}
    menus: dict[str, QMenu] = {}
    for act in ACTIONS:
        if act.menu not in menus:
            menus[act.menu] = bar.addMenu(menu_label(act.menu))
        action = QAction(act.label, window, checkable=act.checkable)
        action.setObjectName(act.id)
        action.triggered.connect(getattr(deeds, act.slot))
        menus[act.menu].addAction(action)
        window.addAction(action)
        actions[act.id] = action
    give_keys(actions, keys)
    panels = QMenu(menu_label(PANELS_MENU), window)
    bar.insertMenu(bar.actions()[-1], panels)
    for spec in PANELS:
        if spec.id in docks:
            toggle = docks[spec.id].action
            toggle.setShortcut(QKeySequence(spec.key))
            panels.addAction(toggle)
            window.addAction(toggle)
            actions[f"{PANEL_ACTION}{spec.id}"] = toggle
    return actions


def give_keys(actions: Mapping[str, QAction], keys: Mapping[str, str]) -> None:
    """Give the actions of the table their keys, or those that the person chose."""
    for act in ACTIONS:
        chosen = keys.get(act.id, act.keys)
        actions[act.id].setShortcuts([QKeySequence(key) for key in chosen.split("; ") if key])


def palette_entries(actions: Mapping[str, QAction]) -> list[Entry]:
    """Every action with its key, for the command palette."""
    menus = {act.id: act.menu for act in ACTIONS}
    entries = []
    for name, action in actions.items():
        text = action.text().replace("&", "")
        if name.startswith(PANEL_ACTION):
            text = QCoreApplication.translate("actions", "Show or hide %1").replace("%1", text)
        group = menu_label(menus.get(name, PANELS_MENU)).replace("&", "")
        entries.append(Entry(name, text, group, action.shortcut().toString()))
    return entries
