"""`nexttick bench recorder` compares like with like and loses nothing."""

import json

import pytest

from app.__main__ import main
from app.commands import bench_recorder


def test_the_recorder_s_bench_compares_with_its_peers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_recorder, "in_child", lambda measure, quotes: measure(quotes))
    monkeypatch.setattr(bench_recorder, "_EVENTS", 2_000)
    assert main(["bench", "recorder", "--quotes", "20000", "--rounds", "1", "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["rows_lost"] == 0
    assert figures["events_per_s"] > 0
    assert figures["bytes_per_row"] < figures["csv_bytes_per_row"]
    assert 0 < figures["thread_share"] < 1
