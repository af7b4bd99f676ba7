from decimal import Decimal
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.feeds.instruments import KnownInstruments
from tests.engine.feeds.files import CONFIG, known


@pytest.mark.parametrize(
    ("name", "kind", "base", "quote", "tick"),
    [
        ("EURUSD.DUKASCOPY", "fx", "EUR", "USD", "0.00001"),
        ("USDJPY.TRUEFX", "fx", "USD", "JPY", "0.001"),
        ("XAUUSD.OANDA", "fx", "XAU", "USD", "0.001"),
        ("ETHUSDT.BINANCE", "spot", "ETH", "USDT", "0.01"),
        ("ETHUSDT-PERP.BINANCE", "perpetual", "ETH", "USDT", "0.01"),
        ("ETHUSDT.BINANCE-PERP", "perpetual", "ETH", "USDT", "0.01"),
    ],
)
def test_instruments_are_known_by_list_or_rule(
    name: str, kind: str, base: str, quote: str, tick: str
) -> None:
    found = known().find(name)
    assert found.instrument.id == name
    assert (found.instrument.kind, found.instrument.base, found.instrument.quote) == (kind, base, quote)
    assert found.instrument.tick_size == Decimal(tick)
    assert not found.steps_from_data


def test_steps_of_an_unlisted_binance_market_come_from_its_data() -> None:
    found = known().find("SOLUSDC.BINANCE")
    assert (found.instrument.base, found.instrument.quote) == ("SOL", "USDC")
    assert found.steps_from_data


def test_an_unknown_instrument_is_told_where_to_be_defined(tmp_path: Path) -> None:
    own = tmp_path / "instruments.toml"
    with pytest.raises(UserError, match=r"ACME\.NYSE.*instruments\.toml"):
        KnownInstruments.load(CONFIG, own).find("ACME.NYSE")
    own.write_text(
        '[[instrument]]\nid = "ACME.NYSE"\nkind = "spot"\nbase = "ACME"\nquote = "USD"\n'
        'tick_size = "0.01"\nlot_size = 1\n'
    )
    found = KnownInstruments.load(CONFIG, own).find("ACME.NYSE").instrument
    assert (found.tick_size, found.price_precision, found.size_precision) == (Decimal("0.01"), 2, 0)
    assert KnownInstruments.load(CONFIG, own).find("EURUSD.X").instrument.kind == "fx"


@pytest.mark.parametrize("name", ["EURUSD", "eurusd.dukascopy", "../X.Y", "EUR/USD.OANDA", ""])
def test_a_malformed_name_is_answered_with_an_example(name: str) -> None:
    with pytest.raises(UserError, match="SYMBOL.VENUE in capitals"):  # noqa: RUF043
        known().find(name)


@pytest.mark.parametrize(
    "text", ["[[instrument", '[[instrument]]\nid = "A.B"\n', "[fx]\nspread = 3\n", '[fx]\ntick_size = "x"\n']
)
def test_a_broken_list_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "instruments.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"instruments\.toml cannot be used"):
        KnownInstruments.load(path)
