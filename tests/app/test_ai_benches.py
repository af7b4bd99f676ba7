import json
from typing import Any

import pytest

from ai.runtime.bench_rows import Measured, Row
from app.__main__ import main


def test_bench_inference_tells_what_the_runtimes_bench_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("lstm", "torch-cpu", "", 4096, 8.0, 9.0, 512e6, 64.0)
    measured = Measured("CPU", "3.13.0", None, "No CUDA device was found.", [row])

    def measure(report: Any) -> Measured:
        return measured

    monkeypatch.setattr("app.commands.bench_inference.measure", measure)
    assert main(["bench", "inference", "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["gpu_told"] == "No CUDA device was found."
    assert answer["rows"][0]["rows_per_s"] == 512e6
    assert answer["models"]["lstm"]["parameters"] == 19_139
    assert main(["bench", "inference"]) == 0
    assert "512,000,000" in capsys.readouterr().out
