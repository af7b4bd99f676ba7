import json

import pytest

from app.__main__ import main


def test_every_length_is_stored_and_read_whole_and_sizes_stand_beside_peers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bench", "store", "--rows", "2000", "--largest", "5000", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["rows"] for each in found["lengths"]] == [2_000, 5_000]
    assert all(each["scan_rows_per_s"] > 0 and each["import_peak_mb"] > 0 for each in found["lengths"])
    assert found["flatness"].keys() == {"import", "import_cpu", "scan", "scan_cpu"}
    assert all(size > 0 for size in found["mb_per_million_rows"].values())


def test_a_history_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "store", "--rows", "5"]) == 2
    assert "at least 1,000 rows" in capsys.readouterr().err
