"""`nexttick risk`: limits are shown as they are, and an order gets the gate's own verdict."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.policies import Policies
from engine.messages.limits import Limits, RiskPolicy

ORDER: dict[str, Any] = {
    "instrument": "BTCUSDT.BINANCE",
    "side": "BUY",
    "type": "MARKET",
    "quantity": "3",
    "touch": {"bid": "64999.99", "ask": "65000"},
}


def asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], order: dict[str, Any], expected: int = 0
) -> dict[str, Any]:
    file = tmp_path / "order.json"
    file.write_text(json.dumps(order))
    assert main(["risk", "check", str(file), "--json", "-"]) == expected
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def limit(**limits: Any) -> None:
    Policies().save(RiskPolicy(account=Limits(**limits)))


def test_an_order_within_the_limits_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = asked(tmp_path, capsys, ORDER)
    assert answer["verdict"] == "passes"
    assert answer["rule"] is None


def test_a_no_names_rule_value_limit_and_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limit(order_notional=Decimal(100_000))
    answer = asked(tmp_path, capsys, ORDER, expected=1)
    assert answer == {
        "verdict": "denied",
        "rule": "order_notional",
        "value": "195000",
        "limit": "100000",
        "unit": "USDT",
        "text": "Order of 3 BTC (about 195,000 USDT) is above the limit of 100,000 USDT an order; "
        "order at most 1.53846 BTC.",
        "policy_version": 1,
    }
    assert main(["risk", "check", str(tmp_path / "order.json")]) == 1
    assert capsys.readouterr().out.startswith("Denied (order_notional): Order of 3 BTC")


def test_the_account_of_the_file_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limit(position=Decimal(5), leverage=Decimal(2))
    account: dict[str, Any] = {"equity": "400000", "positions": {"BTCUSDT.BINANCE": "2"}}
    assert asked(tmp_path, capsys, {**ORDER, "account": account})["verdict"] == "passes"
    account["orders"] = [
        {**{key: ORDER[key] for key in ("instrument", "side", "type")}, "quantity": "0.5", "strategy": "A"}
    ]
    assert asked(tmp_path, capsys, {**ORDER, **account}, 1)["rule"] == "position"
    # 32,500 dollars' worth is half a coin, and not 32,500 of them.
    account["orders"][0] |= {"quantity": "32500", "quote_quantity": True}
    told = asked(tmp_path, capsys, {**ORDER, **account}, 1)
    assert (told["rule"], told["value"]) == ("position", "5.5")
    account = {"equity": "100000", "positions": {"BTCUSDT.BINANCE": "1"}}
    assert (
        asked(
            tmp_path,
            capsys,
            {
                "intent": {k: v for k, v in ORDER.items() if k != "touch"},
                "account": {**account, "touch": {"BTCUSDT.BINANCE": ORDER["touch"]}},
            },
            1,
        )["rule"]
        == "leverage"
    )
    sale = {**ORDER, "side": "SELL", "quantity": "1", "account": account}
    assert asked(tmp_path, capsys, sale)["verdict"] == "passes"


def test_the_time_and_the_age_of_the_file_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limit(trading_hours="Mon-Fri 07:00-21:00", feed_age_s=Decimal(5))
    monday = {**ORDER, "time": "2023-11-13T12:00:00Z"}
    assert asked(tmp_path, capsys, monday)["verdict"] == "passes"
    assert asked(tmp_path, capsys, {**ORDER, "time": "2023-11-12T12:00:00Z"}, 1)["rule"] == "trading_hours"
    late = {**monday, "touch": {**ORDER["touch"], "age_s": "5.1"}}
    assert asked(tmp_path, capsys, late, 1)["rule"] == "feed_age_s"


def test_without_a_price_the_limits_that_need_one_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limit(order_notional=Decimal(100_000))
    order = {key: value for key, value in ORDER.items() if key != "touch"}
    assert "no price" in asked(tmp_path, capsys, order, 1)["text"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([], "one JSON object"),
        ({**ORDER, "quantity": "many"}, "quantity"),
        ({**ORDER, "instrument": "NOTHING"}, "NOTHING"),
        ({**ORDER, "colour": "red"}, "colour"),
        ({"side": "BUY"}, "instrument"),
        ({**ORDER, "account": {"cash": 1}}, "cash"),
        ({**ORDER, "quantity": "NaN"}, "quantity is NaN"),
        ({**ORDER, "quantity": "Infinity"}, "quantity is Infinity"),
        ({**ORDER, "quantity": "1e99999"}, "quantity is 1E+99999"),
        ({**ORDER, "equity": "NaN"}, "equity is NaN"),
        ({**ORDER, "leverage": "sNaN"}, "leverage is sNaN"),
        ({**ORDER, "leverage": 0}, "leverage of 0 is not above 0"),
        ({**ORDER, "positions": {"BTCUSDT.BINANCE": "-Infinity"}}, "BTCUSDT.BINANCE is -Infinity"),
        ({**ORDER, "touch": {"bid": "NaN", "ask": "65000"}}, "bid is NaN"),
        ({**ORDER, "touch": {"bid": "65001", "ask": "65000"}}, "bid 65001 and ask 65000, is no market"),
        ({**ORDER, "touch": {"bid": "0", "ask": "65000"}}, "is no market"),
    ],
)
def test_a_file_that_is_no_order_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], order: object, said: str
) -> None:
    file = tmp_path / "order.json"
    file.write_text(json.dumps(order))
    assert main(["risk", "check", str(file)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["risk", "check", str(tmp_path / "none.json")]) == 2
    assert "check the path" in capsys.readouterr().err
    (tmp_path / "broken.json").write_text("{")
    assert main(["risk", "check", str(tmp_path / "broken.json")]) == 2
    assert "not JSON" in capsys.readouterr().err


def test_the_limits_and_all_versions_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    limit(position=Decimal(3))
    Policies().save(RiskPolicy(strategies={"A-001": Limits(order_quantity=Decimal("0.5"))}))
    assert main(["risk", "show"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Version 2, in force since ")
    assert "strategy A-001" in text
    assert "order_quantity        0.5" in text
    assert main(["risk", "show", "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == 2
    assert answer["policy"]["strategies"]["A-001"]["order_quantity"] == "0.5"
    assert [each["version"] for each in answer["versions"]] == [1, 2]


def test_limits_written_by_hand_are_not_taken_for_the_stations_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Policies().path.write_text("[account]\nposition = 3\n", encoding="utf-8")
    assert main(["risk", "show"]) == 0
    assert capsys.readouterr().out.startswith("Version 1, in force as written by hand; edit ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[account]\ndrawdown = -1\n",
            "drawdown=-1 must be 0 or more; leave it out for no limit; correct it",
        ),
        ("[strategies.ema_cross]\nposition = 1\n", "such as ema-cross-002, or HAND-001"),
        ('[instruments."btc"]\nposition = 1\n', "the limits of 'btc' hold none"),
    ],
)
def test_limits_that_hold_nothing_are_refused_in_one_sentence(
    text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Policies().path.write_text(text, encoding="utf-8")
    assert main(["risk", "show"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_an_account_without_equity_is_told_no_number_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = asked(tmp_path, capsys, {**ORDER, "equity": "-5"}, 1)["text"]
    assert "of which none is left" in text
    assert "999" not in text
