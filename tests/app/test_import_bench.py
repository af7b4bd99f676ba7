import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.commands import bench_import
from app.commands.import_ import known_instruments
from app.commands.measuring import in_child
from engine.feeds.reader import Reader, Source


def test_importer_and_peer_read_the_same_rows_of_every_format(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only = ("dukascopy", "binance-raw", "tardis book")
    seen: dict[str, set[float]] = {}

    def counting(measure: Callable[..., Any], task: str, name: str, *rest: object) -> dict[str, float]:
        figures = in_child(measure, task, name, *rest)
        seen.setdefault(name, set()).add(figures["rows"])
        return figures

    monkeypatch.setattr(bench_import, "in_child", counting)
    assert (
        main(
            [
                "bench",
                "import",
                "--quotes",
                "3000",
                "--rounds",
                "1",
                "--formats",
                ",".join(only),
                "--json",
                "-",
            ]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)

    assert set(found) == set(only)
    assert all(figures["ratio"] > 0 and figures["peak_mb"] > 0 for figures in found.values())
    # A snapshot's CLEAR row is the only one that the peer does not have.
    assert all(max(rows) - min(rows) <= 1 for rows in seen.values())


def test_a_bench_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "import", "--quotes", "5"]) == 2
    assert "at least 1,000 rows" in capsys.readouterr().err


@pytest.mark.parametrize("name", bench_import._CASES)
def test_every_generated_file_is_read_whole(name: str, tmp_path: Path) -> None:
    case = bench_import._CASES[name]
    reader = Reader(
        known_instruments().find(case.instrument).instrument, Source(crossed="keep"), lambda _: False
    )
    parts = [part.decoded for path in case.write(tmp_path, 2_000) for part in reader.read(path)]
    assert sum(len(rows) for part in parts for rows in part.columns.values()) > 900
    assert not any(part.rejected for part in parts)


def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "import", "--formats", "csv,parkett"]) == 2
    assert "choose parquet" in capsys.readouterr().err
