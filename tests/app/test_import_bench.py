import json
from collections.abc import Callable
from typing import Any

import pytest

from app.__main__ import main
from app.commands import bench_import
from app.commands.measuring import in_child


def test_importer_and_peer_read_the_same_rows_of_every_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only = {name: bench_import._CASES[name] for name in ("dukascopy", "binance-raw")}
    monkeypatch.setattr(bench_import, "_CASES", only)
    seen: dict[str, set[float]] = {}

    def counting(measure: Callable[..., Any], task: str, name: str, *rest: object) -> dict[str, float]:
        figures = in_child(measure, task, name, *rest)
        seen.setdefault(name, set()).add(figures["rows"])
        return figures

    monkeypatch.setattr(bench_import, "in_child", counting)
    assert main(["bench", "import", "--quotes", "3000", "--rounds", "1", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert set(found) == set(only)
    assert all(figures["ratio"] > 0 and figures["peak_mb"] > 0 for figures in found.values())
    # A snapshot's CLEAR row is the only one that the peer does not have.
    assert all(max(rows) - min(rows) <= 1 for rows in seen.values())


def test_a_bench_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "import", "--quotes", "5"]) == 2
    assert "at least 1,000 rows" in capsys.readouterr().err
