import getpass
import io
import json
import os
import sys
from pathlib import Path

import pytest

import app.secrets
from app import passphrase
from app.__main__ import main
from app.profiles import Profiles
from app.secrets import SERVICE
from engine.messages.connection import Connection
from tests.app.keyrings import FakeKeyring
from tests.venue import Setup, ThreadVenue

KEY = "db-PlantedKey0123456789abcdefWXYZ"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> FakeKeyring:
    fake = FakeKeyring()
    monkeypatch.setattr(app.secrets, "system_keyring", lambda: fake)
    return fake


def test_a_key_is_sent_by_standard_input_and_listed_masked(
    keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # As a shell on Windows sends it.
    monkeypatch.setattr("sys.stdin", io.StringIO("\ufeff" + json.dumps({"key": KEY})))
    assert main(["keys", "set", "databento", "--stdin", "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"profile": "databento", "kept": True, "kept_in": "FakeKeyring"}
    assert json.loads(keyring.entries[SERVICE, "databento"]) == {"key": KEY}

    assert main(["keys", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["tardis      not set", "databento   key ••••WXYZ"]
    assert lines[-1] == "Kept in: FakeKeyring."
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
        (["set", "databento", "--stdin"], f'{{"key": "{KEY}\udcff"}}', "is not one JSON object of texts"),
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


# Connections


@pytest.fixture
def _bybit() -> None:
    Profiles().save(Connection(name="desk", adapter="bybit"))


@pytest.mark.usefixtures("_bybit")
@pytest.mark.parametrize("gone", [True, False])
def test_the_key_of_a_connection_that_is_gone_or_broken_can_be_removed(
    keyring: FakeKeyring, capsys: pytest.CaptureFixture[str], gone: bool
) -> None:
    keyring.entries[SERVICE, "desk"] = json.dumps({"api_key": KEY, "api_secret": KEY})
    file = Profiles().folder / "desk.toml"
    file.unlink() if gone else file.write_text("adapter =")
    assert main(["keys", "delete", "desk"]) == 0
    assert keyring.entries == {}
    assert main(["keys", "delete", "desk"]) == 2
    assert (
        "Unknown profile 'desk'" if gone else "is not the TOML of a connection"
    ) in capsys.readouterr().err


@pytest.mark.usefixtures("_bybit")
def test_the_keys_of_a_connection_are_kept_under_its_name(
    keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"api_key": KEY, "api_secret": f"{KEY}-secret-abcd"}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(fields)))
    assert main(["keys", "set", "desk", "--stdin"]) == 0
    assert json.loads(keyring.entries[SERVICE, "desk"]) == fields
    assert main(["keys", "list"]) == 0
    out = capsys.readouterr().out
    assert "desk        api_key ••••WXYZ, api_secret ••••abcd" in out.splitlines()
    assert KEY not in out


def test_a_profile_that_cannot_be_read_is_listed_with_its_sentence(
    keyring: FakeKeyring, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_home / "connections").mkdir()
    (own_home / "connections" / "odd.toml").write_text(f'adapter = "bybit"\napi_key = "{KEY}"\n')
    assert main(["keys", "list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("odd")]
    assert "holds api_key, and keys never stand in a file; remove that line" in line
    assert KEY not in line


@pytest.mark.usefixtures("_bybit")
def test_an_import_from_the_environment_leaves_it_and_warns(
    keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BYBIT_TESTNET_API_KEY", KEY)
    assert main(["keys", "set", "desk", "--from-env", "BYBIT_TESTNET"]) == 2
    assert "The environment has no BYBIT_TESTNET_API_SECRET" in capsys.readouterr().err
    monkeypatch.setenv("BYBIT_TESTNET_API_SECRET", "secret-of-the-account")
    assert main(["keys", "set", "desk", "--from-env", "BYBIT_TESTNET"]) == 0
    out = "".join(capsys.readouterr())
    assert "Warning: The environment still holds BYBIT_TESTNET_API_KEY and BYBIT_TESTNET_API_SECRET" in out
    assert KEY not in out
    assert os.environ["BYBIT_TESTNET_API_KEY"] == KEY
    assert json.loads(keyring.entries[SERVICE, "desk"]).popitem() == ("api_secret", "secret-of-the-account")


@pytest.mark.usefixtures("_bybit")
@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"api_key": KEY, "api_secret": "secret-of-the-account"}),
        f"\ufeffexport BYBIT_API_KEY='{KEY}'\n# and\nBYBIT_API_SECRET = \"secret-of-the-account\"\n",
    ],
)
def test_an_import_from_a_file_leaves_it_and_warns(
    text: str, keyring: FakeKeyring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys.txt"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    assert main(["keys", "set", "desk", "--from-file", str(file), "--json", "-"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["warning"].startswith(f"{file} still holds the key")
    if sys.platform != "win32":
        assert "which others on this machine can read too" in answer["warning"]
    assert json.loads(keyring.entries[SERVICE, "desk"]) == {
        "api_key": KEY,
        "api_secret": "secret-of-the-account",
    }
    assert file.read_text() == text


@pytest.mark.usefixtures("_bybit")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no api_key, neither in JSON nor as a line API_KEY=…"),
        (f"A_API_KEY={KEY}\nB_API_KEY={KEY}\nAPI_SECRET=x", "has A_API_KEY and B_API_KEY; leave only"),
    ],
)
def test_a_file_without_the_key_is_told_without_being_shown(
    text: str, said: str, keyring: FakeKeyring, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys.txt").write_text(text)
    assert main(["keys", "set", "desk", "--from-file", str(tmp_path / "keys.txt")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert KEY not in line


def test_a_pem_file_is_kept_with_its_lines(keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    Profiles().save(Connection(name="cb", adapter="coinbase"))
    pem = "-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----"
    for sent in (pem, pem.replace("\n", "\\n"), pem.replace("\n", " ")):
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"api_key": KEY, "api_secret": sent})))
        assert main(["keys", "set", "cb", "--stdin"]) == 0
        assert json.loads(keyring.entries[SERVICE, "cb"])["api_secret"] == pem


def test_where_nothing_is_kept_nothing_is_set(
    keyring: FakeKeyring, capsys: pytest.CaptureFixture[str]
) -> None:
    Profiles().save(Connection(name="ib", adapter="interactive_brokers"))
    assert main(["keys", "set", "ib", "--stdin"]) == 2
    assert "needs no key, as you log in elsewhere" in capsys.readouterr().err
    assert main(["keys", "list"]) == 0
    assert "ib          needs no key" in capsys.readouterr().out.splitlines()


def test_a_key_is_tested_at_the_venue(
    keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadVenue(Setup()) as venue:
        profile = Connection(
            name="local", adapter="binance_futures", parameters={"base_url_http": venue.at.http}
        )
        Profiles().save(profile)
        assert main(["keys", "test", "local"]) == 2
        assert "No key is kept for local" in capsys.readouterr().err
        fields = {"api_key": venue.setup.key, "api_secret": venue.setup.secret}
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(fields)))
        assert main(["keys", "set", "local", "--stdin"]) == 0
        capsys.readouterr()
        assert main(["keys", "test", "local", "--json", "-"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["ok"], answer["permissions"], answer["withdraws"]) == (True, ["trade"], None)
        assert answer["balances"][0]["asset"] == "USDT"
        keyring.entries[SERVICE, "local"] = json.dumps({**fields, "api_secret": KEY})
        assert main(["keys", "test", "local"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "Binance futures refuses the key" in line
        assert KEY not in line


def test_the_vault_is_opened_by_the_environment_and_named(
    monkeypatch: pytest.MonkeyPatch, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app.secrets, "get_all_keyring", list)
    monkeypatch.setattr(passphrase, "_remembered", [])
    monkeypatch.setenv(passphrase.VARIABLE, "correct horse battery")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"key": KEY})))
    assert main(["keys", "set", "databento", "--stdin"]) == 0
    place = f"encrypted vault at {own_home / 'vault' / 'keys.vault'}"
    assert capsys.readouterr().out == f"The key of Databento is kept: {place}.\n"
    assert passphrase.VARIABLE not in os.environ
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.endswith(f"Kept in: {place}.\n")
    monkeypatch.setenv(passphrase.VARIABLE, "wrong horse battery")
    assert main(["keys", "list"]) == 2
    assert "The passphrase does not open the vault" in capsys.readouterr().err
