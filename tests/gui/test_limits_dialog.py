"""Limits are typed by a trader and are in force at once; what is no limit is refused beside its field."""

from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.windows.limits_dialog import LimitsDialog
from engine.messages.limits import KillRules, Limits, Protection, RiskPolicy

POLICY = RiskPolicy(
    version=4,
    account=Limits(order_notional=Decimal(50_000)),
    instruments={"BTCUSDT.SIM": Limits(position=Decimal("1.5"))},
)


def dialog_of(qtbot: QtBot, policy: RiskPolicy = POLICY) -> tuple[LimitsDialog, list[RiskPolicy]]:
    dialog = LimitsDialog(policy, "USDT", ["HAND-001"], ["BTCUSDT.SIM", "ETHUSDT.SIM"])
    qtbot.addWidget(dialog)
    applied: list[RiskPolicy] = []
    dialog.applied.connect(applied.append)
    dialog.applied.connect(dialog.show_policy)
    return dialog, applied


def choose(dialog: LimitsDialog, words: str) -> None:
    titles = [dialog.scope.itemText(i) for i in range(dialog.scope.count())]
    dialog.scope.setCurrentIndex(next(i for i, title in enumerate(titles) if words in title))


def test_a_limit_of_the_account_is_put_in_force_with_a_version_of_its_own(qtbot: QtBot) -> None:
    dialog, applied = dialog_of(qtbot)
    dialog.form.set_value("day_loss", "1500.50")
    dialog.apply.click()
    assert applied[0].version == 5
    assert applied[0].account == Limits(order_notional=Decimal(50_000), day_loss=Decimal("1500.50"))
    assert applied[0].instruments == POLICY.instruments


def test_an_emptied_field_is_no_limit(qtbot: QtBot) -> None:
    dialog, applied = dialog_of(qtbot)
    choose(dialog, "BTCUSDT")
    dialog.form.set_value("position", "")
    dialog.apply.click()
    assert applied[0].instruments == {}
    choose(dialog, "Kill switch")
    dialog.form.set_value("orders_per_second", "")
    dialog.apply.click()
    assert applied[1].kill == KillRules(orders_per_second=None)
    assert applied[1].version == 6


def test_enter_in_a_field_puts_the_limits_in_force_and_loses_nothing(qtbot: QtBot) -> None:
    dialog, applied = dialog_of(qtbot)
    dialog.show()
    dialog.form.set_value("day_loss", "1500")
    field = next(each for each in dialog.form.findChildren(QLineEdit) if each.text() == "1500")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert [policy.account.day_loss for policy in applied] == [Decimal(1_500)]
    assert dialog.isVisible()


def test_one_strategy_can_have_limits_of_its_own(qtbot: QtBot) -> None:
    dialog, applied = dialog_of(qtbot)
    choose(dialog, "HAND-001")
    dialog.form.set_value("open_orders", "3")
    dialog.apply.click()
    assert applied[0].strategies == {"HAND-001": Limits(open_orders=Decimal(3))}


def test_what_is_no_limit_cannot_be_put_in_force(qtbot: QtBot) -> None:
    dialog, applied = dialog_of(qtbot)
    dialog.form.set_value("position", "-1")
    assert "position=-1 must be 0 or more" in dialog.form.error
    assert not dialog.apply.isEnabled()
    dialog.form.set_value("position", "one")
    assert not dialog.apply.isEnabled()
    dialog.form.set_value("position", "1")
    assert dialog.apply.isEnabled()
    assert not applied


def test_money_is_in_the_accounts_currency(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QLabel

    dialog, _ = dialog_of(qtbot)
    labels = [label.text() for label in dialog.form.findChildren(QLabel)]
    assert "Order value (USDT)" in labels
    assert "Order size" in labels


def test_protection_from_a_drawdown_has_a_page_of_its_own(qtbot: QtBot) -> None:
    dialog, applied = dialog_of(qtbot)
    choose(dialog, "Protection")
    dialog.form.set_value("pause_at", "8")
    dialog.form.set_value("flatten_at", "6")
    assert not dialog.apply.isEnabled()
    assert "grow from stage to stage" in dialog.form.error
    dialog.form.set_value("flatten_at", "12")
    dialog.apply.click()
    assert applied[0].protection == Protection(pause_at=Decimal(8), flatten_at=Decimal(12))
