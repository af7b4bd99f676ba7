import json
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest

from app.__main__ import main
from app.commands.data.check import next_step
from app.commands.import_ import stamp
from engine.messages.data import Check, Finding
from engine.quality import stored_days
from engine.store import Store
from tests.engine.quality.markets import DAY_NS, FX, MONDAY, market, shifted, walk, with_values


@pytest.fixture
def store(tmp_path: Path) -> Path:
    quotes = walk(20_000)
    rows = [500, 502]
    Store(tmp_path / "my store").add(FX, {"quotes": with_values(quotes, rows, ask=quotes.bid[rows] - 3)})
    Store(tmp_path / "my store").add(FX, {"quotes": shifted(walk(20_000), DAY_NS)})
    return tmp_path / "my store"


def told(capsys: pytest.CaptureFixture[str], store: Path, *arguments: str) -> str:
    assert main(["data", "check", FX.id, "--store", str(store), *arguments]) == 0
    return capsys.readouterr().out


def test_a_check_tells_its_worst_examples_the_score_and_the_next_step(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [" ".join(line.split()) for line in told(capsys, store, "--to", "2019-02-04").splitlines()]
    assert lines == [
        "EURUSD.SIM: 20,000 quotes; the market is open by the calendar 'currencies'",
        f"crossed quotes 1 worst {stamp(int(walk(501).ts_event[500]))}, rows 500 to 502 of 2019-02-04",
        "2 rows have the bid above the ask, by up to 0.00003.",
        "score 99.9 of 100",
        "quotes 99.9",
        "-0.06 crossed: 1 finding in 0.01 % of the rows",
        f"next: nexttick data repair EURUSD.SIM --kind quotes --drop crossed --dry-run --store '{store}'",
    ]


def test_every_kind_has_its_score_with_its_reasons_below_the_worst_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = market(20)
    rows = [500, 502]
    crossed = with_values(made.quotes, rows, ask=made.quotes.bid[rows] - 3)
    Store(tmp_path).add(made.instrument, {"trades": made.trades, "quotes": crossed})
    assert main(["data", "check", made.instrument.id, "--store", str(tmp_path)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith("score"))
    score, quotes, reason, trades, *_ = lines[start:]
    assert score == quotes.replace("quotes", "score") + " of 100"
    assert reason.endswith("crossed: 1 finding in 0.1 % of the rows")
    assert trades == "trades 100.0"


def test_the_next_step_is_a_command_that_runs(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = shlex.split(
        told(capsys, store, "--to", "2019-02-04").splitlines()[-1].partition("nexttick ")[2]
    )
    assert main(command) == 0
    assert "2" in capsys.readouterr().out
    command.remove("--dry-run")
    assert main(command) == 0
    capsys.readouterr()
    out = told(capsys, store, "--to", "2019-02-04")
    assert "nothing doubtful was found" in out
    assert "score 100.0 of 100" in out
    assert "next" not in out


@pytest.mark.parametrize("check", get_args(Check.__value__))
@pytest.mark.parametrize("kind", ["quotes", "trades", "deltas"])
def test_only_what_is_surely_wrong_is_advised_to_go(check: Check, kind: str) -> None:
    finding = Finding(
        instrument=FX.id,
        kind=kind,
        check=check,
        severity="error",
        start_ns=MONDAY,
        end_ns=MONDAY,
        day="2019-02-04",
        first_row=0,
        rows=1,
        text="",
    )
    said = next_step(finding)
    goes = check in {"crossed", "locked", "spike"} and kind != "deltas"
    assert (said == f"nexttick data repair {FX.id} --kind {kind} --drop {check} --dry-run") == goes
    assert goes or ("--drop" not in said and said.startswith(stamp(MONDAY)))


def test_rows_that_may_be_right_are_not_advised_to_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The quotes stop, the trades go on: they are outside a book that is old."""
    made = market()
    middle = len(made.quotes) // 2
    stopped = with_values(
        made.quotes, slice(middle, None), bid=made.quotes.bid[middle], ask=made.quotes.ask[middle]
    )
    away = with_values(made.trades, slice(len(made.trades) // 2, None), price=made.trades.price.max() + 500)
    store = tmp_path / "store"
    Store(store).add(made.instrument, {"quotes": stopped, "trades": away})
    words = ["data", "check", made.instrument.id, "--kind", "trades", "--store", str(store)]
    assert main(words) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "The quotes may be old and the trades right; look at both" in last


def test_the_answer_as_json_addresses_every_finding(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer: dict[str, Any] = json.loads(told(capsys, store, "--json", "-"))
    assert answer["instrument"] == FX.id
    assert answer["calendar"] == "currencies"
    assert answer["rows"] == 40_000
    assert [day["day"] for day in answer["days"]] == ["2019-02-04", "2019-02-05"]
    assert answer["found"] == sum(sum(each.values()) for each in answer["counts"].values())
    crossed = next(each for each in answer["findings"] if each["check"] == "crossed")
    assert {name: crossed[name] for name in ("kind", "day", "first_row", "rows", "severity")} == {
        "kind": "quotes",
        "day": "2019-02-04",
        "first_row": 500,
        "rows": 3,
        "severity": "error",
    }
    assert answer["kinds"][0]["reasons"][0]["points"] > 0
    assert [day.score for day in stored_days(Store(store))] == [day["score"] for day in answer["days"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["EURUSD.SIN"], "choose EURUSD.SIM"),
        ([FX.id, "--kind", "quotes,trade"], "'trade'; choose quotes"),
        ([FX.id, "--from", "2020-01-01"], "Nothing of EURUSD.SIM is stored in that time"),
        ([FX.id, "--from", "2019-02-05", "--to", "2019-02-04"], "--to lies before --from"),
        ([FX.id, "--from", "soon"], "is no date or time"),
    ],
)
def test_mistakes_are_one_sentence(
    store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["data", "check", *arguments, "--store", str(store)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
