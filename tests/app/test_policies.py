"""The limits survive as they were set, every version of them, and a broken file is told in one sentence."""

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from app.policies import Policies
from engine.errors import UserError
from engine.messages.limits import KillRules, Limits, Protection, RiskPolicy

D = Decimal
NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def full() -> RiskPolicy:
    return RiskPolicy(
        account=Limits(order_notional=D("100000.50"), trading_hours="Mon-Fri 07:00-21:00"),
        strategies={"ema-cross-001": Limits(position=D(2))},
        instruments={"BTCUSDT.BINANCE": Limits(position=D("0.00001"))},
        protection=Protection(scale_at=D("2.5"), scale_to=D(50), flatten_at=D(8)),
        kill=KillRules(flatten_by="limit", orders_per_second=None, stale_feed_s=None, memory_mb=D(4_000)),
    )


def same(policy: RiskPolicy, other: RiskPolicy) -> bool:
    unnumbered = (msgspec.structs.replace(each, version=0) for each in (policy, other))
    return next(unnumbered) == next(unnumbered)


def test_what_was_saved_is_in_force_to_the_last_digit_and_what_was_off_stays_off(tmp_path: Path) -> None:
    saved = Policies(tmp_path).save(full(), NOW)
    found = Policies(tmp_path).current()
    assert found.policy == saved
    assert same(saved, full())
    assert found.time == "2026-11-21T12:30:00Z"


def test_before_any_was_set_those_that_the_station_came_with_are_in_force(tmp_path: Path) -> None:
    found = Policies(tmp_path).current()
    assert found.policy.account.price_band_bps is not None
    assert found.time == ""
    assert list(tmp_path.iterdir()) == []


def test_every_version_is_kept_with_its_time(tmp_path: Path) -> None:
    policies = Policies(tmp_path)
    first = policies.save(full(), NOW)
    (tmp_path / "risk" / "my notes.toml").write_text("of a person, not of the station")
    second = policies.save(RiskPolicy(version=77), NOW.replace(hour=13))
    assert (first.version, second.version) == (1, 2)
    assert policies.versions()[0].policy == first
    assert [(each.policy.version, each.time) for each in policies.versions()] == [
        (1, "2026-11-21T12:30:00Z"),
        (2, "2026-11-21T13:30:00Z"),
    ]


def test_what_was_edited_by_hand_is_kept_before_it_is_replaced(tmp_path: Path) -> None:
    policies = Policies(tmp_path)
    policies.save(full(), NOW)
    policies.path.write_text(policies.path.read_text().replace("100000.50", "5"))
    assert policies.current().policy.account.order_notional == 5
    saved = policies.save(RiskPolicy(), NOW)
    assert [each.policy.account.order_notional for each in policies.versions()] == [D("100000.50"), 5, None]
    assert saved.version == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[account", "risk.toml cannot be used"),
        ("[account]\nposition = 'much'", "risk.toml cannot be used"),
        ("[account]\npositions = '1'", "account.positions is nothing that belongs there"),
        ("[account]\nposition = '-1'", "position=-1 must be 0 or more"),
        ("[kill]\nmemory_mb = '-1'", "kill rule memory_mb"),
        ("[account]\ntrading_hours = 'always'", "Trading hours 'always' cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_left(tmp_path: Path, text: str, said: str) -> None:
    policies = Policies(tmp_path)
    policies.path.write_text(text)
    with pytest.raises(UserError) as error:
        policies.current()
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert policies.path.read_text() == text


def test_a_policy_that_cannot_be_held_is_not_saved(tmp_path: Path) -> None:
    policies = Policies(tmp_path)
    with pytest.raises(UserError):
        policies.save(RiskPolicy(account=Limits(trading_hours="noon")))
    assert not policies.path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="could not be written"):
        Policies(tmp_path).save(full())
