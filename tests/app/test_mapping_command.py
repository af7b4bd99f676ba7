import json
from pathlib import Path

import pytest

from app.__main__ import main
from engine.store import Store

TEXT = "Trade Date;Clock;B;A\n02/13/2019;10:00:00;1.1;1.2\n02/13/2019;10:00:01;1.1;1.25\n"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTTICK_HOME", str(tmp_path / "home"))
    path = tmp_path / "ticks.csv"
    path.write_text(TEXT)
    return path


def run(path: Path, *arguments: str) -> int:
    return main(["import", str(path), "--instrument", "AAPL.NASDAQ", *arguments])


def test_a_proposal_is_saved_used_unasked_and_by_name(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table) != 0
    assert "--propose" in capsys.readouterr().err
    assert run(table, "--propose", "--zone", "America/New_York", "--save", "broker") == 0
    out = capsys.readouterr().out
    saved = tmp_path / "home" / "mappings" / "broker.toml"
    assert 'date = "Trade Date"' in out
    assert f"Saved as {saved}" in out
    assert saved.read_text().startswith("# sure:  The header names bid, ask.\n")
    for arguments in ((), ("--mapping", "broker"), ("--mapping", str(saved))):
        assert run(table, "--json", "-", *arguments) == 0
        report = json.loads(capsys.readouterr().out)
        assert "Its columns were read by the mapping broker." in report["notes"]
    stored = Store(tmp_path / "home" / "store").info("AAPL.NASDAQ")["quotes"]
    assert (stored.rows, stored.first_ts_ns) == (2, 1_550_070_000_000_000_000)


def test_a_proposal_is_json_too_and_stores_nothing(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(table, "--propose", "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["mapping"]["columns"]["bid"] == "B"
    assert found["missing"] == []
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--mapping", "brokr"), "Unknown mapping 'brokr'; choose broker"),
        (("--mapping", "no/such.toml"), "no/such.toml does not exist"),
        (("--zone", "America/New_Yrok"), "Unknown time zone 'America/New_Yrok'; choose America/New_York"),
        (("--save", "x"), "add --propose"),
        (("--propose", "--save", "../x"), "cannot name a mapping"),
    ],
)
def test_wrong_words_are_answered_in_a_sentence(
    table: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert run(table, "--propose", "--save", "broker") == 0
    assert run(table, *arguments) != 0
    assert told in capsys.readouterr().err


def test_a_saved_mapping_that_cannot_be_used_is_named(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "home" / "mappings"
    folder.mkdir(parents=True)
    (folder / "old.toml").write_text("kind = ")
    assert run(table) != 0
    assert "old.toml cannot be used as a mapping" in capsys.readouterr().err


def test_a_proposal_that_lacks_a_column_is_not_saved(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("a,b\nx,y\n")
    assert run(table, "--propose") == 0
    assert "Which column is time" in capsys.readouterr().out
    assert run(table, "--propose", "--save", "x") != 0
    assert "must be named by hand, because nothing tells which is time" in capsys.readouterr().err


def test_a_table_of_a_price_for_each_ticker_is_to_be_named_by_hand(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write_text("date,AAPL,GE\n2019-02-04,1.1,1.2\n2019-02-05,1.1,1.2\n")
    assert run(table, "--propose") == 0
    out = capsys.readouterr().out
    assert "AAPL" not in out.rpartition("[columns]")[2]
    assert 'time = "date"\nbid = "…"\nask = "…"' in out
    assert "its columns must be named by hand" in out
    assert run(table, "--propose", "--save", "spy") != 0
    assert "must be named by hand, because nothing tells which is bid or ask" in capsys.readouterr().err
