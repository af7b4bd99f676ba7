"""A short soak: the real engine trades through every kind of trouble, and all agree at the end."""

import argparse

import pytest

from app.commands import bench_soak
from tests.venue.faults import KINDS

_MINUTES = 0.35
_FAULT_EVERY_S = 0.8


@pytest.mark.timeout(300)  # it may settle for a minute and a half
def test_all_agree_after_a_short_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_soak, "_FAULT_EVERY_S", _FAULT_EVERY_S)
    said: list[str] = []
    result = bench_soak.run_bench_soak(argparse.Namespace(minutes=_MINUTES, faults=7), said.append)
    figures = result.json
    assert figures["disagree"] == []
    assert (figures["disagreements"], figures["events_lost"], result.exit_code) == (0, 0, 0)
    # How many get through is up to how long bans and outages fall together.
    assert figures["orders"] > 5
    assert figures["fills"] > 0
    assert len(figures["faults"]) >= len(KINDS) // 2
    assert {kind: each["count"] for kind, each in figures["recovery_ms"].items()} == figures["faults"]
