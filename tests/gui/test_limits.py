"""Limits put in force in the window hold in the session at once, and in every one that is opened later."""

from decimal import Decimal

import msgspec
import pytest
from PySide6.QtWidgets import QLabel

from app.policies import Policies, under_limits
from app.windows.limits_dialog import LimitsDialog
from engine.errors import UserError
from engine.messages.commands import SetPolicy
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.run import Run
from tests.gui.conftest import RUN, Desk
from widgets.risk import RiskPanel


def test_limits_edited_in_paper_are_kept_and_sent(desk: Desk) -> None:
    desk.station.open_run(msgspec.structs.replace(RUN, mode="paper"))
    desk.window.deeds.edit_limits()
    (dialog,) = desk.window.findChildren(LimitsDialog)
    before = Policies().current().policy
    dialog.form.set_value("gross_exposure", "250000")
    dialog.apply.click()
    kept = Policies().current().policy
    assert kept.account == msgspec.structs.replace(before.account, gross_exposure=Decimal(250_000))
    assert kept.version == Policies().versions()[-1].policy.version
    assert SetPolicy(kept) in desk.sent
    assert said_in(dialog, f"Version {kept.version} is in force.")
    dialog.close()


def said_in(dialog: LimitsDialog, sentence: str) -> bool:
    return any(sentence in label.text() for label in dialog.findChildren(QLabel))


def test_limits_that_could_not_be_kept_are_not_said_to_be_in_force(desk: Desk) -> None:
    before = [Policies().save(RiskPolicy(account=Limits(open_orders=Decimal(each)))) for each in (3, 4)][-1]
    desk.station.open_run(msgspec.structs.replace(RUN, mode="paper"))
    desk.window.deeds.edit_limits()
    (dialog,) = desk.window.findChildren(LimitsDialog)
    kept = Policies().path.parent / "risk"
    kept.rename(kept.with_name("away"))
    kept.write_text("in the way")
    dialog.form.set_value("open_orders", "9")
    dialog.apply.click()
    assert "could not be written" in desk.window.top.banner.text
    assert said_in(dialog, f"Version {before.version} is in force.")
    assert not [command for command in desk.sent if isinstance(command, SetPolicy)]
    dialog.close()


def test_limits_of_one_session_are_not_put_in_force_in_the_next(desk: Desk) -> None:
    kept = Policies().save(RiskPolicy(account=Limits(drawdown=Decimal(25))))
    desk.play()
    desk.window.deeds.edit_limits()
    (dialog,) = desk.window.findChildren(LimitsDialog)
    desk.station.open_run(msgspec.structs.replace(RUN, mode="paper"))
    assert not dialog.isVisible()
    assert Policies().current().policy == kept


def test_limits_edited_in_a_replay_are_its_own_and_leave_those_of_paper_and_live(desk: Desk) -> None:
    kept = Policies().save(RiskPolicy(account=Limits(drawdown=Decimal(25))))
    desk.play()
    desk.window.deeds.edit_limits()
    (dialog,) = desk.window.findChildren(LimitsDialog)
    dialog.form.set_value("order_quantity", "5")
    dialog.apply.click()
    (sent,) = [command for command in desk.sent if isinstance(command, SetPolicy)]
    assert sent.policy.account == Limits(order_quantity=Decimal(5))
    assert Policies().current().policy == kept
    assert said_in(dialog, "in this replay alone; paper and live keep their own")
    dialog.close()


def test_the_risk_panel_asks_for_its_limits(desk: Desk) -> None:
    desk.play()
    desk.panel("risk", RiskPanel).limits_asked.emit()
    assert desk.window.findChildren(LimitsDialog)


def test_paper_and_live_start_under_the_persons_limits_and_a_replay_under_its_own() -> None:
    kept = Policies().save(RiskPolicy(account=Limits(open_orders=Decimal(3))))
    assert under_limits(Run(instrument="A.B", mode="paper")).policy == kept
    assert under_limits(Run(instrument="A.B")).policy == RiskPolicy()
    own = RiskPolicy(account=Limits(open_orders=Decimal(9)))
    assert under_limits(Run(instrument="A.B", mode="paper", policy=own)).policy == own


def test_limits_that_cannot_be_read_open_nothing() -> None:
    Policies().path.parent.mkdir(parents=True, exist_ok=True)
    Policies().path.write_text("account = 3")
    with pytest.raises(UserError, match="correct it or remove it"):
        under_limits(Run(instrument="A.B", mode="live"))
