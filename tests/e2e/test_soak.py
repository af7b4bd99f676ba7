"""A short soak: the real engine trades through every kind of trouble, and all agree at the end."""

import argparse

import pytest

from app.commands import bench_soak
from tests.venue.faults import KINDS

_MINUTES = 0.35
_FAULT_EVERY_S = 0.6


def test_all_agree_after_a_short_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_soak, "_FAULT_EVERY_S", _FAULT_EVERY_S)
    said: list[str] = []
    result = bench_soak.run_bench_soak(argparse.Namespace(minutes=_MINUTES, faults=7), said.append)
    figures = result.json
    assert figures["disagree"] == []
    assert (figures["disagreements"], figures["events_lost"], result.exit_code) == (0, 0, 0)
    assert figures["orders"] > 30
    assert figures["fills"] > 10
    assert len(figures["faults"]) >= len(KINDS) // 2
    assert {kind: each["count"] for kind, each in figures["recovery_ms"].items()} == figures["faults"]
