import getpass
import hashlib
import os
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import passphrase, vault
from app.secrets import Secrets, profile_named, quiet_vault, vault_path
from app.vault import Cost, Vault
from engine.errors import UserError

KEY = "db-PlantedKey0123456789abcdefWXYZ"
WORDS = "correct horse battery"
CHEAP = Cost(memory_kib=32, passes=1, lanes=1)
DATABENTO = profile_named("databento")


def opened(path: Path, words: str | None = WORDS, cost: Cost = CHEAP) -> Vault:
    return Vault(path, lambda _: words, cost)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault" / "keys.vault"


@pytest.fixture
def filled(path: Path) -> bytes:
    """Bytes of a vault with two entries."""
    opened(path).set_password("station", "a", KEY)
    opened(path).set_password("station", "b", "other")
    return path.read_bytes()


@given(entries=st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_kept_comes_back_and_stands_nowhere(entries: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "vault" / "keys.vault"
    path.unlink(missing_ok=True)
    for name, text in entries.items():
        opened(path).set_password("station", name, text)
    assert {name: opened(path).get_password("station", name) for name in entries} == entries
    assert opened(path).get_password("station", "never kept") is None or "never kept" in entries


def test_it_is_for_its_owner_and_holds_nothing_that_can_be_read(path: Path, filled: bytes) -> None:
    assert KEY.encode() not in filled
    assert WORDS.encode() not in filled
    assert b"station" not in filled
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir() if each.name != ".lock"] == ["keys.vault"]


def test_every_write_has_a_nonce_of_its_own(path: Path, filled: bytes) -> None:
    same = opened(path)
    written = {filled}
    for _ in range(3):
        same.set_password("station", "b", "other")
        written.add(path.read_bytes())
    assert len(written) == 4


def test_an_entry_is_removed_and_the_others_stay(path: Path, filled: bytes) -> None:
    opened(path).delete_password("station", "a")
    assert opened(path).get_password("station", "a") is None
    assert opened(path).get_password("station", "b") == "other"


def test_any_changed_byte_is_noticed(path: Path, filled: bytes) -> None:
    for place in range(len(filled)):
        changed = bytearray(filled)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(UserError, match="is damaged, so no key in it can be read"):
            opened(path).get_password("station", "a")


@pytest.mark.parametrize("length", [0, 1, 40, -1])
def test_a_file_that_was_cut_off_is_damaged(path: Path, filled: bytes, length: int) -> None:
    path.write_bytes(filled[:length])
    with pytest.raises(UserError, match="is damaged"):
        opened(path).get_password("station", "a")


def test_a_change_on_purpose_is_noticed_with_a_mended_checksum(path: Path, filled: bytes) -> None:
    """Every byte behind the lengths: the header is authenticated, and so are the entries."""
    body = filled[: -vault._CHECKSUM_BYTES]
    for place in range(len(body)):
        changed = bytearray(body)
        changed[place] ^= 1
        path.write_bytes(bytes(changed) + hashlib.sha256(changed).digest())
        with pytest.raises(UserError, match=r"is damaged|does not open|is of a newer station"):
            opened(path).get_password("station", "a")


def test_a_header_that_asks_for_all_memory_is_refused_before_it_is_spent(path: Path, filled: bytes) -> None:
    costly = filled[: -vault._CHECKSUM_BYTES].replace(b'"memory_kib":32', b'"memory_kib":2000000000')
    start = len(vault._MAGIC)
    grown = len(costly) - (len(filled) - vault._CHECKSUM_BYTES)
    length = vault._LENGTH.unpack(costly[start : start + 4])[0] + grown
    body = costly[:start] + vault._LENGTH.pack(length) + costly[start + 4 :]
    path.write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(UserError, match="is damaged"):
        opened(path).get_password("station", "a")


def test_a_wrong_passphrase_is_told_from_damage(path: Path, filled: bytes) -> None:
    for act in (
        lambda: opened(path, "wrong horse battery").get_password("station", "a"),
        lambda: opened(path, "wrong horse battery").set_password("station", "a", "new"),
        lambda: opened(path, "wrong horse battery").unlock(),
    ):
        with pytest.raises(UserError, match="The passphrase does not open the vault") as error:
            act()  # type: ignore[no-untyped-call]
        assert "wrong horse" not in str(error.value)
    assert path.read_bytes() == filled


def test_the_right_one_opens_it_after_a_wrong_one(path: Path, filled: bytes) -> None:
    words = ["wrong horse battery", WORDS]
    asked = Vault(path, lambda _: words.pop(0), CHEAP)
    with pytest.raises(UserError, match="does not open"):
        asked.unlock()
    assert asked.get_password("station", "a") == KEY


def test_nobody_is_asked_where_nothing_was_kept(path: Path) -> None:
    assert opened(path, None).get_password("station", "a") is None
    with pytest.raises(UserError, match=r"whose passphrase is missing; .* NEXTTICK_VAULT_PASSPHRASE"):
        opened(path, None).set_password("station", "a", KEY)
    assert not path.exists()


def test_a_new_vault_asks_for_more_than_a_few_signs(path: Path) -> None:
    with pytest.raises(UserError, match="shorter than 8 signs"):
        opened(path, "short").set_password("station", "a", KEY)
    assert not path.exists()


def test_the_cost_of_old_files_is_theirs_until_they_are_written(path: Path, filled: bytes) -> None:
    dearer = Cost(memory_kib=64, passes=2, lanes=1)
    assert opened(path, cost=dearer).get_password("station", "a") == KEY
    opened(path, cost=dearer).set_password("station", "b", "new")
    assert b'"memory_kib":64,"passes":2' in path.read_bytes()
    assert opened(path).get_password("station", "a") == KEY


def test_the_usual_cost_is_dear() -> None:
    assert msgspec.to_builtins(Cost()) == {"memory_kib": 65_536, "passes": 3, "lanes": 4}


def test_a_write_that_fails_leaves_the_file_as_it_was(
    path: Path, filled: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot be written \(No space left on device\), and is as it was"):
        opened(path).set_password("station", "a", "new")
    assert path.read_bytes() == filled
    assert not list(path.parent.glob("*.draft"))


def test_two_writers_lose_nothing(path: Path, filled: bytes) -> None:
    names = [f"entry {number}" for number in range(8)]
    failed: list[BaseException] = []

    def keep(name: str) -> None:
        try:
            opened(path).set_password("station", name, name)
        except UserError as error:
            failed.append(error)

    writers = [threading.Thread(target=keep, args=(name,)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failed
    assert [opened(path).get_password("station", name) for name in names] == names


@pytest.mark.parametrize("shown", [repr, str, "{}".format])
def test_what_holds_secrets_shows_none(path: Path, filled: bytes, shown: Callable[[object], str]) -> None:
    holder = opened(path)
    secrets = Secrets(holder)
    secrets.set(DATABENTO, {"key": KEY})
    for each in (holder, secrets, secrets.get(DATABENTO)):
        text = shown(each)
        assert KEY not in text
        assert WORDS not in text


# In the program


@pytest.fixture
def _no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "_remembered", [])


@pytest.mark.usefixtures("_no_passphrase")
def test_the_passphrase_leaves_the_environment_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(passphrase.VARIABLE, WORDS)
    assert passphrase.known() == WORDS
    assert passphrase.VARIABLE not in os.environ
    assert passphrase.known() == WORDS
    passphrase.forget()
    assert passphrase.known() is None


@pytest.mark.usefixtures("_no_passphrase")
def test_a_machine_without_a_keyring_keeps_keys_in_the_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.secrets.get_all_keyring", list)
    passphrase.remember(WORDS)
    Secrets().set(DATABENTO, {"key": KEY})
    assert dict(Secrets().get(DATABENTO) or {}) == {"key": KEY}
    assert Secrets().place == f"encrypted vault at {vault_path()}"
    assert quiet_vault().get_password("NextTick Station", "databento") == f'{{"key": "{KEY}"}}'
    passphrase.forget()
    with pytest.raises(UserError, match="whose passphrase is missing"):
        Secrets().get(DATABENTO)


@pytest.mark.usefixtures("_no_passphrase")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([WORDS, WORDS], ""),
        ([WORDS, "correct horse bettery"], "The two passphrases differ"),
        (["short", "short"], "shorter than 8 signs"),
    ],
)
def test_a_new_passphrase_is_typed_twice(
    typed: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.secrets.get_all_keyring", list)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda _: typed.pop(0))
    if not said:
        Secrets(asks=True).set(DATABENTO, {"key": KEY})
        assert dict(Secrets(asks=True).get(DATABENTO) or {}) == {"key": KEY}
        return
    with pytest.raises(UserError, match=said):
        Secrets(asks=True).set(DATABENTO, {"key": KEY})
    assert not vault_path().exists()


def test_a_passphrase_that_is_no_text_opens_what_it_shut(path: Path) -> None:
    words = f"{WORDS}\udcff"  # as the environment gives a byte that no text has
    opened(path, words).set_password("station", "a", KEY)
    assert opened(path, words).get_password("station", "a") == KEY
    with pytest.raises(UserError, match="does not open the vault"):
        opened(path).get_password("station", "a")


def test_a_folder_that_cannot_be_made_is_told(path: Path) -> None:
    path.parent.write_text("a file stands there")
    with pytest.raises(UserError, match=r"cannot be written \(.+\), and is as it was"):
        opened(path).set_password("station", "a", KEY)
