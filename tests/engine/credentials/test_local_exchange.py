"""A key at the local exchange, over real HTTP."""

from collections.abc import Iterator

import pytest

from engine.credentials.checks import check_connection
from engine.errors import UserError
from engine.messages.connection import Connection
from tests.venue import Setup, ThreadVenue


@pytest.fixture
def venue() -> Iterator[ThreadVenue]:
    with ThreadVenue(Setup()) as made:
        yield made


def connection(venue: ThreadVenue) -> Connection:
    return Connection(name="local", adapter="binance_futures", parameters={"base_url_http": venue.at.http})


def test_the_right_key_is_told_what_it_holds(venue: ThreadVenue) -> None:
    keys = {"api_key": venue.setup.key, "api_secret": venue.setup.secret}
    standing = check_connection(connection(venue), keys)
    assert standing.sentence.startswith("Binance futures testnet answers in ")
    assert "USDT; may trade." in standing.sentence
    assert 0 < standing.latency_ms < 5_000


def test_reading_changes_nothing(venue: ThreadVenue) -> None:
    before = venue.truth()
    check_connection(connection(venue), {"api_key": venue.setup.key, "api_secret": venue.setup.secret})
    after = venue.truth()
    assert (after.orders, after.fills, after.wallet) == (before.orders, before.fills, before.wallet)


@pytest.mark.parametrize("wrong", ["api_key", "api_secret"])
def test_a_wrong_key_is_refused_without_being_shown(venue: ThreadVenue, wrong: str) -> None:
    keys = {"api_key": venue.setup.key, "api_secret": venue.setup.secret, wrong: "PlantedWrongKey0123456789"}
    with pytest.raises(UserError, match="Binance futures refuses the key") as error:
        check_connection(connection(venue), keys)
    assert not any(key in str(error.value) for key in keys.values())
