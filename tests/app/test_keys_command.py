import getpass
import io
import json

import pytest

import app.secrets
from app.__main__ import main
from app.secrets import SERVICE
from tests.app.keyrings import FakeKeyring

KEY = "db-PlantedKey0123456789abcdefWXYZ"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    monkeypatch.setattr(app.secrets, "system_keyring", lambda: fake)
    return fake


def test_a_key_is_sent_by_standard_input_and_listed_masked(
    keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"key": KEY})))
    assert main(["keys", "set", "databento", "--stdin", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == {"profile": "databento", "kept": True}
    assert json.loads(keyring.entries[SERVICE, "databento"]) == {"key": KEY}

    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["tardis      not set", "databento   key ••••WXYZ"]
    assert main(["keys", "list", "--json", "-"]) == 0
    listed = json.loads(capsys.readouterr().out)["profiles"]
    assert (listed["tardis"], listed["databento"]) == (None, {"key": "••••WXYZ"})

    assert main(["keys", "delete", "databento"]) == 0
    assert keyring.entries == {}


def test_a_key_is_typed_where_nobody_sees_it(
    keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return KEY

    monkeypatch.setattr(getpass, "getpass", typed)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert main(["keys", "set", "databento"]) == 0
    assert asked == ["Databento key: "]
    assert KEY not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "sent", "said"),
    [
        (["set", "databentu"], "", "choose databento"),
        (["set", "databento"], "", "send it as one JSON object with --stdin"),
        (["set", "databento", "--stdin"], f'{{"key": "{KEY}"', "is not one JSON object of texts"),
        (["set", "databento", "--stdin"], f'["{KEY}"]', "is not one JSON object of texts"),
        (["set", "databento", "--stdin"], f'{{"kee": "{KEY}"}}', "needs exactly the fields key"),
        (["delete", "tardis"], "", "No key is kept for tardis"),
        ([], "", "required"),
    ],
)
def test_mistakes_are_one_sentence_that_shows_no_key(
    arguments: list[str],
    sent: str,
    said: str,
    keyring: FakeKeyring,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(sent))
    assert main(["keys", *arguments]) == 2
    out = capsys.readouterr()
    (line,) = out.err.splitlines()
    assert said in line
    assert KEY not in line
    assert out.out == ""


def test_a_machine_without_a_keyring_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app.secrets, "get_all_keyring", list)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"key": KEY})))
    assert main(["keys", "set", "databento", "--stdin"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "offers no keyring to keep keys in" in line
