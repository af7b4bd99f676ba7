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
        ("AAPL.NASDAQ", "equity", "AAPL", "USD", "0.01"),
        ("BRK-B.NYSE", "equity", "BRK-B", "USD", "0.01"),
        ("SAP.XETR", "equity", "SAP", "EUR", "0.01"),
        ("VOD.LSE", "equity", "VOD", "GBX", "0.01"),
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


@pytest.mark.parametrize(
    ("name", "kind", "base", "quote", "multiplier", "inverse"),
    [
        ("SOLUSDT-PERP.BINANCE", "perpetual", "SOL", "USDT", "1", False),
        ("BTCUSD-PERP.BINANCE", "perpetual", "BTC", "USD", "100", True),
        ("ETHUSD_PERP.BINANCE-COINM", "perpetual", "ETH", "USD", "10", True),
        ("BTCUSD-PERP.BYBIT", "perpetual", "BTC", "USD", "1", True),
        ("BTCUSDT.BYBIT", "spot", "BTC", "USDT", "1", False),
        ("BTC-USDT.OKX", "spot", "BTC", "USDT", "1", False),
        ("BTC-USDT-SWAP.OKX", "perpetual", "BTC", "USDT", "0.01", False),
        ("BTC-USD-SWAP.OKX", "perpetual", "BTC", "USD", "100", True),
        ("BTC-PERPETUAL.DERIBIT", "perpetual", "BTC", "USD", "1", True),
        ("SOL_USDC-PERPETUAL.DERIBIT", "perpetual", "SOL", "USDC", "1", False),
        ("BTC-USD.COINBASE", "spot", "BTC", "USD", "1", False),
        ("BTC-USD-PERP.HYPERLIQUID", "perpetual", "BTC", "USD", "1", False),
        ("XBTUSD.BITMEX", "perpetual", "XBT", "USD", "1", True),
    ],
)
def test_crypto_contracts_are_of_the_size_that_their_venue_says(
    name: str, kind: str, base: str, quote: str, multiplier: str, inverse: bool
) -> None:
    found = known().find(name).instrument
    assert (found.id, found.kind, found.base, found.quote) == (name, kind, base, quote)
    assert (found.multiplier, found.inverse) == (Decimal(multiplier), inverse)


@pytest.mark.parametrize(
    "name",
    [
        "SOL-USDT-SWAP.OKX",
        "BTCUSD.BINANCE",
        "ETHUSD.BITMEX",
        "PI_XBTUSD.KRAKEN",
        "BTC-USD.YAHOO",
        "ES.GLBX",
        "AAPL.NOWHERE",
    ],
)
def test_nothing_is_guessed_where_a_name_does_not_tell(name: str) -> None:
    with pytest.raises(UserError, match="Nothing is known of"):
        known().find(name)


def test_of_a_future_only_its_name_is_known() -> None:
    found = known().find("ESH5.GLBX")
    assert (found.instrument.kind, found.instrument.base) == ("future", "ES")
    assert found.needs_definition


def test_a_listed_future_has_its_multiplier(tmp_path: Path) -> None:
    own = tmp_path / "instruments.toml"
    own.write_text(
        '[[instrument]]\nid = "ESH5.GLBX"\nkind = "future"\nbase = "ES"\nquote = "USD"\n'
        'tick_size = "0.25"\nlot_size = 1\nmultiplier = 50\n'
    )
    assert KnownInstruments.load(CONFIG, own).find("ESH5.GLBX").instrument.multiplier == 50
    own.write_text(own.read_text().replace("= 50", "= 0"))
    with pytest.raises(UserError, match="multiplier that is not above 0"):
        KnownInstruments.load(CONFIG, own)


def test_an_unknown_instrument_is_told_where_to_be_defined(tmp_path: Path) -> None:
    own = tmp_path / "instruments.toml"
    with pytest.raises(UserError, match=r"ACME\.MOON.*instruments\.toml"):
        KnownInstruments.load(CONFIG, own).find("ACME.MOON")
    own.write_text(
        '[[instrument]]\nid = "ACME.MOON"\nkind = "spot"\nbase = "ACME"\nquote = "USD"\n'
        'tick_size = "0.01"\nlot_size = 1\n'
    )
    found = KnownInstruments.load(CONFIG, own).find("ACME.MOON").instrument
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
