import json

import pytest
from keyring.backend import KeyringBackend

import app.secrets
from app.secrets import SERVICE, Secrets, masked, profile_named, system_keyring
from engine.errors import UserError
from tests.app.keyrings import FakeKeyring

KEY = "TD.planted-Key_0123456789abcd"
TARDIS = profile_named("tardis")


def test_fields_come_back_as_they_were_kept() -> None:
    keyring = FakeKeyring()
    Secrets(keyring).set(TARDIS, {"key": f" {KEY}\n"})
    assert dict(Secrets(keyring).get(TARDIS) or {}) == {"key": KEY}
    assert Secrets(keyring).get(profile_named("databento")) is None
    assert json.loads(keyring.entries[SERVICE, "tardis"]) == {"key": KEY}
    Secrets(keyring).delete(TARDIS)
    assert keyring.entries == {}
    with pytest.raises(UserError, match="No key is kept for tardis"):
        Secrets(keyring).delete(TARDIS)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "needs exactly the fields key"),
        ({"key": KEY, "more": KEY}, "needs exactly the fields key"),
        ({"key": " "}, "is empty"),
        ({"key": f"{KEY}\nX-Evil: 1"}, "signs that no key has"),
        ({"key": f"{KEY} {KEY}"}, "has blanks"),
        ({"key": f"{KEY}ü"}, "signs that no key has"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(fields: dict[str, str], said: str) -> None:
    keyring = FakeKeyring()
    with pytest.raises(UserError, match=said) as error:
        Secrets(keyring).set(TARDIS, fields)
    assert KEY not in str(error.value)
    assert keyring.entries == {}


def test_an_entry_that_is_not_the_stations_is_told_without_being_shown() -> None:
    keyring = FakeKeyring()
    keyring.entries[SERVICE, "tardis"] = f'{{"key": ["{KEY}"]}}'
    with pytest.raises(UserError, match="cannot be read; set it again") as error:
        Secrets(keyring).get(TARDIS)
    assert KEY not in str(error.value)
    assert error.value.__cause__ is None


def test_a_locked_keyring_is_told() -> None:
    keyring = FakeKeyring()
    keyring.locked = True
    for act in (lambda: Secrets(keyring).get(TARDIS), lambda: Secrets(keyring).set(TARDIS, {"key": KEY})):
        with pytest.raises(UserError, match=r"cannot be used \(Failed to unlock the collection!\); unlock"):
            act()  # type: ignore[no-untyped-call]


def test_keyrings_of_other_makers_are_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[KeyringBackend] = [FakeKeyring()]
    monkeypatch.setattr(app.secrets, "get_all_keyring", lambda: found)
    with pytest.raises(UserError, match="offers no keyring"):
        system_keyring()

    class Ours(FakeKeyring):
        priority = 5.0
        __module__ = "keyring.backends.SecretService"

    ours = Ours()
    found.append(ours)
    assert system_keyring() is ours


@pytest.mark.parametrize(
    ("value", "shown"), [(KEY, "••••abcd"), ("short", "••••"), ("elevensigns", "••••"), ("", "••••")]
)
def test_a_mask_shows_four_characters_of_what_is_long(value: str, shown: str) -> None:
    assert masked(value) == shown


def test_a_profile_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="choose tardis"):
        profile_named("tardiss")
