"""Limits put in force in the window hold in the session at once, and in every one that is opened later."""

from decimal import Decimal

import msgspec
import pytest

from app.policies import Policies, under_limits
from app.windows.limits_dialog import LimitsDialog
from engine.errors import UserError
from engine.messages.commands import SetPolicy
from engine.messages.limits import Limits, RiskPolicy
from engine.messages.run import Run
from tests.gui.conftest import Desk
from widgets.risk import RiskPanel


def test_limits_edited_from_the_risk_panel_are_kept_and_sent(desk: Desk) -> None:
    desk.play()
    desk.window.deeds.edit_limits()
    (dialog,) = desk.window.findChildren(LimitsDialog)
    before = Policies().current().policy
    dialog.form.set_value("gross_exposure", "250000")
    dialog.apply.click()
    kept = Policies().current().policy
    assert kept.account == msgspec.structs.replace(before.account, gross_exposure=Decimal(250_000))
    assert kept.version == Policies().versions()[-1].policy.version
    assert SetPolicy(kept) in desk.sent
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
