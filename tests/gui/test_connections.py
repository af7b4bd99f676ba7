"""Connections in a window: profiles, generated forms, keys by their last four, abilities, a test."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

import app.secrets
from app import passphrase
from app.profiles import Profiles
from app.secrets import SERVICE, Secrets, vault_path
from app.windows.connections_dialog import ConnectionsDialog
from engine.credentials.asking import Answer, Question
from engine.messages.connection import Connection
from engine.nautilus.adapters import ADAPTERS
from tests.app.keyrings import FakeKeyring
from tests.gui.conftest import Desk
from tests.venue import Setup, ThreadVenue

KEY = "PlantedKey0123456789abcdefWXYZ"
WORDS = "correct horse battery"


def never(_: Question) -> Answer:
    raise AssertionError("nobody asked for a test")


@pytest.fixture
def keyring() -> FakeKeyring:
    return FakeKeyring()


@pytest.fixture
def profiles() -> Profiles:
    made = Profiles()
    made.save(Connection(name="desk", adapter="binance_futures", parameters={"account": "mine"}))
    made.save(Connection(name="ib", adapter="interactive_brokers"))
    return made


@pytest.fixture
def dialog(qtbot: QtBot, profiles: Profiles, keyring: FakeKeyring) -> Iterator[ConnectionsDialog]:
    made = opened(qtbot, profiles, Secrets(keyring))
    yield made
    made.close()


def opened(qtbot: QtBot, profiles: Profiles, secrets: Secrets) -> ConnectionsDialog:
    made = ConnectionsDialog(profiles, secrets, ask=never)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    looked(qtbot, made)
    return made


def looked(qtbot: QtBot, dialog: ConnectionsDialog) -> None:
    """Wait until what is kept was found."""
    qtbot.waitUntil(lambda: dialog.keys.told != "Looking…")


def button(dialog: ConnectionsDialog, text: str) -> QPushButton:
    (found,) = [each for each in dialog.findChildren(QPushButton) if each.text() == text]
    return found


def test_every_adapter_has_a_form_keys_and_a_list_of_what_it_can(
    qtbot: QtBot, dialog: ConnectionsDialog
) -> None:
    for name, adapter in ADAPTERS.items():
        dialog.start(name)
        looked(qtbot, dialog)
        fields = [editor.accessibleName() for editor in dialog.form.editors]
        assert fields[:3] == ["environment", "account", "instruments"]
        environment = dialog.form.editors[0]
        assert isinstance(environment, QComboBox)
        assert environment.currentText() == adapter.environments[0]
        assert set(dialog.keys.shown) == {field.name for field in adapter.secrets}
        assert dialog.abilities["Environments"] == ", ".join(adapter.environments)
        assert "market" in dialog.abilities["Orders"]
        if adapter.name == "binance_futures":
            held = "brackets, OCO, trailing stops by price, moving stops; only while the station runs"
            assert dialog.abilities["Held here"] == held
        assert ("Held here" in dialog.abilities) == (
            adapter.name not in ("interactive_brokers", "binance_spot")
        )
        assert bool(dialog.money) == (len(adapter.environments) == 1)


def test_a_profile_is_made_with_its_keys(
    qtbot: QtBot, dialog: ConnectionsDialog, profiles: Profiles, keyring: FakeKeyring
) -> None:
    dialog.kinds.setCurrentIndex(dialog.kinds.findData("okx"))
    button(dialog, "New").click()
    assert dialog.name.text() == "okx"
    dialog.form.set_value("product", "spot")
    for name in ("api_key", "api_secret", "api_passphrase"):
        dialog.keys.type_key(name, f"{name}-{KEY}")
    with qtbot.waitSignal(dialog.keys.changed):
        button(dialog, "Save").click()
    assert profiles.get("okx").parameters == {"environment": "demo", "product": "spot"}
    assert json.loads(keyring.entries[SERVICE, "okx"])["api_secret"] == f"api_secret-{KEY}"
    assert dialog.keys.shown["api_key"] == "••••WXYZ kept"
    assert dialog.keys.typed() == {}
    assert dialog.keys.told == "Kept in: FakeKeyring."
    assert KEY not in (profiles.folder / "okx.toml").read_text()


def test_one_field_is_changed_and_the_others_stay(
    qtbot: QtBot, profiles: Profiles, keyring: FakeKeyring
) -> None:
    keyring.entries[SERVICE, "desk"] = json.dumps({"api_key": KEY, "api_secret": "old"})
    dialog = opened(qtbot, profiles, Secrets(keyring))
    dialog.keys.type_key("api_secret", "new")
    with qtbot.waitSignal(dialog.keys.changed):
        dialog.save()
    assert json.loads(keyring.entries[SERVICE, "desk"]) == {"api_key": KEY, "api_secret": "new"}
    with qtbot.waitSignal(dialog.keys.changed):
        button(dialog, "Remove the keys").click()
    assert keyring.entries == {}
    assert dialog.keys.shown["api_key"] == "not set"


def test_what_is_typed_shows_to_nobody(dialog: ConnectionsDialog) -> None:
    dialog.keys.type_key("api_secret", KEY)
    for editor in dialog.keys.findChildren(QLineEdit):
        assert editor.echoMode() is QLineEdit.EchoMode.Password
        assert KEY not in editor.displayText()
    assert QTest.qWaitForWindowExposed(dialog)
    editor = next(each for each in dialog.keys.findChildren(QLineEdit) if each.text() == KEY)
    editor.selectAll()
    editor.copy()
    assert QApplication.clipboard().text() != KEY


def test_keys_are_kept_of_a_connection_that_is_left_meanwhile(
    qtbot: QtBot, dialog: ConnectionsDialog, keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow keyring: what waits to be written is not lost to what is looked at next."""
    go = threading.Event()
    get = FakeKeyring.get_password

    def slow(self: FakeKeyring, service: str, username: str) -> str | None:
        go.wait(5)
        return get(self, service, username)

    monkeypatch.setattr(FakeKeyring, "get_password", slow)
    for name in ("api_key", "api_secret"):
        dialog.keys.type_key(name, KEY)
    dialog.save()
    dialog.choose("ib")
    dialog.choose("desk")
    go.set()
    qtbot.waitUntil(lambda: (SERVICE, "desk") in keyring.entries)
    qtbot.waitUntil(lambda: dialog.keys.shown["api_key"] == "••••WXYZ kept")


def test_a_locked_keyring_is_told(qtbot: QtBot, profiles: Profiles, keyring: FakeKeyring) -> None:
    keyring.locked = True
    dialog = opened(qtbot, profiles, Secrets(keyring))
    assert "cannot be used (Failed to unlock the collection!)" in dialog.keys.fault
    keyring.locked = False


def test_mistakes_are_told_where_they_are_made(qtbot: QtBot, dialog: ConnectionsDialog) -> None:
    dialog.start("bybit")
    dialog.form.set_value("base_url_http", "http://bybit.com")
    assert "is not encrypted, so no key is sent there" in dialog.form.error
    dialog.save()
    assert "is not encrypted" in dialog.told
    dialog.form.set_value("base_url_http", "")
    dialog.name.setText("desk")
    dialog.save()
    assert dialog.told == "There is a connection desk already; call this one otherwise."
    dialog.name.setText("My Desk")
    dialog.save()
    assert "cannot be called 'My Desk'" in dialog.told
    looked(qtbot, dialog)


def test_real_money_is_said_before_it_is_chosen_for_good(qtbot: QtBot, dialog: ConnectionsDialog) -> None:
    assert dialog.money == ""
    dialog.form.set_value("environment", "live")
    assert "trades none until live_trading = true" in dialog.money
    dialog.form.set_value("environment", "testnet")
    dialog.form.set_value("base_url_http", "https://fapi.binance.com")
    assert "does not say it is a trial's" in dialog.money


def test_a_profile_is_deleted_with_its_keys_only_when_asked_twice(
    qtbot: QtBot, profiles: Profiles, keyring: FakeKeyring
) -> None:
    keyring.entries[SERVICE, "desk"] = json.dumps({"api_key": KEY, "api_secret": "x"})
    dialog = opened(qtbot, profiles, Secrets(keyring))
    button(dialog, "Delete").click()
    assert profiles.names() == ["desk", "ib"]
    button(dialog, "Delete it and its keys for good?").click()
    assert profiles.names() == ["ib"]
    qtbot.waitUntil(lambda: keyring.entries == {})


def test_a_connection_is_tested_at_the_venue_without_holding_the_window_up(
    qtbot: QtBot, profiles: Profiles, keyring: FakeKeyring
) -> None:
    with ThreadVenue(Setup()) as venue:
        dialog = ConnectionsDialog(profiles, Secrets(keyring))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(dialog)
        looked(qtbot, dialog)
        dialog.form.set_value("base_url_http", venue.at.http)
        dialog.test()
        qtbot.waitUntil(lambda: "lacks its keys" in dialog.told)
        dialog.keys.type_key("api_key", venue.setup.key)
        dialog.keys.type_key("api_secret", KEY)
        dialog.test()
        assert dialog.told == "Asking Binance futures…"
        qtbot.waitUntil(lambda: "refuses the key" in dialog.told)
        assert KEY not in dialog.told
        dialog.keys.type_key("api_secret", venue.setup.secret)
        dialog.test()
        qtbot.waitUntil(lambda: dialog.told.startswith("Binance futures testnet answers in "))
        assert button(dialog, "Test connection").isEnabled()
    assert keyring.entries == {}


def test_a_file_of_keys_fills_the_fields_and_is_left(dialog: ConnectionsDialog, tmp_path: Path) -> None:
    file = tmp_path / "keys.env"
    file.write_text(f"BINANCE_API_KEY={KEY}\nBINANCE_API_SECRET=secret\n")
    dialog.keys.take_file(file)
    assert dialog.keys.typed() == {"api_key": KEY, "api_secret": "secret"}
    assert f"{file} still holds the key" in dialog.keys.fault
    assert file.exists()


def test_a_vault_is_made_and_opened(
    qtbot: QtBot, profiles: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.secrets, "get_all_keyring", list)
    monkeypatch.setattr(passphrase, "_remembered", [])
    dialog = opened(qtbot, profiles, Secrets())
    assert dialog.keys.is_locked
    assert dialog.keys.told == f"Would be kept in: encrypted vault at {vault_path()}."
    words, again = (
        editor
        for editor in dialog.keys.findChildren(QLineEdit)
        if editor.placeholderText() in {"passphrase of the vault", "the same again"}
    )
    words.setText(WORDS)
    again.setText("correct horse bettery")
    button(dialog, "Make the vault").click()
    assert dialog.keys.fault == "The two passphrases differ; type the same twice."
    again.setText(WORDS)
    button(dialog, "Make the vault").click()
    qtbot.waitUntil(lambda: not dialog.keys.is_locked)
    for name in ("api_key", "api_secret"):
        dialog.keys.type_key(name, KEY)
    with qtbot.waitSignal(dialog.keys.changed):
        dialog.save()
    assert dialog.keys.told == f"Kept in: encrypted vault at {vault_path()}."
    passphrase.forget()

    other = opened(qtbot, profiles, Secrets())
    assert other.keys.is_locked
    assert other.keys.shown["api_key"] == "locked"
    assert (
        other.keys.told
        == f"Locked: encrypted vault at {vault_path()}. Type its passphrase to see what is kept."
    )
    words = next(
        editor
        for editor in other.keys.findChildren(QLineEdit)
        if editor.placeholderText() == "passphrase of the vault"
    )
    words.setText("wrong horse battery")
    button(other, "Unlock").click()
    qtbot.waitUntil(lambda: other.keys.fault.startswith("The passphrase does not open the vault"))
    words.setText(WORDS)
    QTest.keyClick(words, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not other.keys.is_locked)
    assert other.keys.shown["api_key"] == "••••WXYZ kept"


def test_the_window_opens_it(desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.secrets, "system_keyring", FakeKeyring)
    desk.window.actions_["connections"].trigger()
    (found,) = desk.window.findChildren(ConnectionsDialog)
    looked(qtbot, found)
    assert found.list.count() == 0
    found.close()
