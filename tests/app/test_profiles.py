from pathlib import Path

import pytest

from app.profiles import Profiles, kept_named
from engine.errors import UserError
from engine.messages.connection import Connection
from engine.nautilus.adapters.clients import parameters_in

KEY = "PlantedKey0123456789abcdefWXYZ"


@pytest.fixture
def profiles(tmp_path: Path) -> Profiles:
    return Profiles(tmp_path / "connections")


def test_a_profile_comes_back_as_it_was_saved(profiles: Profiles) -> None:
    profile = Connection(
        name="desk-1",
        adapter="binance_futures",
        parameters={"environment": "testnet", "account": "mine", "ws_trading": False},
    )
    profiles.save(profile)
    assert profiles.names() == ["desk-1"]
    assert profiles.get("desk-1") == profile
    assert (profiles.folder / "desk-1.toml").read_text() == (
        'adapter = "binance_futures"\nenvironment = "testnet"\naccount = "mine"\nws_trading = false\n'
    )
    assert (profile.account, Connection(name="a", adapter="okx").account) == ("mine", "a")
    profiles.delete("desk-1")
    assert profiles.names() == []


def test_a_file_of_ones_own_needs_no_more_than_the_adapter(profiles: Profiles) -> None:
    profiles.folder.mkdir()
    (profiles.folder / "try.toml").write_text('adapter = "bybit"\n')
    assert parameters_in(profiles.get("try")).environment == "testnet"
    kept = kept_named("try", profiles)
    assert (kept.name, kept.fields, kept.title) == ("try", ("api_key", "api_secret"), "Bybit (try)")


def test_a_connection_holds_what_the_settings_allow(profiles: Profiles) -> None:
    profiles.save(Connection(name="real", adapter="okx", parameters={"environment": "live"}))
    expected = Connection(name="real", adapter="okx", parameters={"environment": "live"})
    assert profiles.get("real") == expected
    with pytest.raises(UserError, match="real is an account with real money, and the station trades none"):
        profiles.tradable("real", live_trading=False)
    assert profiles.tradable("real", live_trading=True).real_money_allowed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('adapter = "bibyt"', "Unknown adapter 'bibyt'; choose bybit"),
        ("", "Unknown adapter ''"),
        ('adapter = "bybit"\nenvironment = "mainnet"', "environment = 'mainnet' is none of the values"),
        ('adapter = "bybit"\nproduc = "spot"', "Unknown parameter of Bybit 'produc'; choose product"),
        ("adapter = bybit", "is not the TOML of a connection"),
        (f'adapter = "bybit"\napi_secret = "{KEY}"', "holds api_secret, and keys never stand in a file"),
        (f'adapter = "bybit"\napi_secret = "{KEY}', "is not the TOML of a connection"),
        (f'adapter = "bybit"\n[api]\nkey = "{KEY}"', "is not the TOML of a connection"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(profiles: Profiles, text: str, said: str) -> None:
    profiles.folder.mkdir()
    (profiles.folder / "odd.toml").write_text(text)
    with pytest.raises(UserError) as error:
        profiles.get("odd")
    assert said in str(error.value)
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["", "With Blank", "../up", "tardis", "-a", "a" * 41])
def test_a_name_that_is_none_is_refused(profiles: Profiles, name: str) -> None:
    with pytest.raises(UserError, match=r"cannot be called|is the name of a vendor"):
        profiles.save(Connection(name=name, adapter="bybit"))
    assert not profiles.folder.exists()


def test_a_profile_that_is_none_is_answered_with_the_nearest(profiles: Profiles) -> None:
    with pytest.raises(UserError, match=r"There is no connection profile yet.*make one in the window"):
        profiles.get("desk")
    profiles.save(Connection(name="desk", adapter="bybit"))
    with pytest.raises(UserError, match="Unknown connection profile 'desc'; choose desk"):
        profiles.get("desc")
    with pytest.raises(UserError, match="Unknown profile 'databent'; choose databento"):
        kept_named("databent", profiles)
