"""Bybit's public trade archives: SYMBOLDATE.csv.gz of the derivatives, SYMBOL_DATE.csv.gz of the spot market.

Derivatives have times in seconds with decimals and ids that are no numbers; spot trades have milliseconds and
are numbered from 1 in every file, which is no number of the venue's either.
"""

import re
from typing import Final

import numpy as np

from engine.columns import Aggressor, Int64, Trades
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import Rows, bare_symbol
from engine.feeds.tables import header_line, normalised, text_table
from engine.feeds.vendors.archives import archived_text
from engine.feeds.vendors.bybit_book import INVERSE_SYMBOL
from engine.feeds.vendors.markets import FUTURES, SPOT, Evidence, check_market, symbol_evidence
from engine.messages.instrument import Instrument

_DERIVATIVES: Final = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
)
_SPOT: Final = "id,timestamp,price,volume,side"
_HEADER: Final = re.compile(
    rf"(\xef\xbb\xbf)?({_DERIVATIVES}(,RPI)?|{_SPOT}(,rpi)?)\s*(\n|$)".encode("latin-1")
)
_HEADER_WORDS: Final = frozenset({"timestamp"})
_NAME: Final = re.compile(r"^(?P<symbol>[A-Z0-9]+)[-_]\d{4}-\d{2}", re.IGNORECASE)
_SIDES: Final = {"buy": Aggressor.BUYER, "sell": Aggressor.SELLER}
_UNNUMBERED: Final = "Bybit's archives have no numbers of trades that can be kept; they are stored without."
_TURNED: Final = "The file has the latest trade first; its rows were turned round."


def matches(head: Head) -> bool:
    """Whether its header is one of Bybit's two."""
    return bool(_HEADER.match(head.data))


def header(head: Head) -> bytes:
    """Line that pieces of the file begin with."""
    return header_line(head.data, _HEADER_WORDS)


def decode(file: SourceFile) -> Decoded:
    """Trades of one archive, gzip-compressed or not.

    Raises
    ------
    Undecodable
        Damaged, cut off, empty, of another symbol or market than the instrument, or without Bybit's header.
    """
    text = archived_text(file)
    table = text_table(text.data, _HEADER_WORDS)
    if not _HEADER.match(text.data):
        raise Undecodable(f"its header is neither {_DERIVATIVES} nor {_SPOT}")
    if table.names is None:
        raise Undecodable("its header has not as many fields as its lines; fetch it again")
    names = [normalised(name) for name in table.names]
    if not len(table.lines):
        raise Undecodable("it has a header but no rows")
    rows = Rows(table, dict(zip(names, table.columns, strict=True)))
    rows.rejected += text.rejected
    if "volume" in rows.columns:
        _check_spot(text.name, file.instrument)
        rows.columns["size"] = rows.columns["volume"]
    else:
        _check_derivatives(rows, file.instrument)
    price, size = rows.number("price", positive=True), rows.number("size", positive=True)
    aggressor, time = rows.words("side", _SIDES), rows.time("timestamp")
    rows.notes.append(_UNNUMBERED)
    trades = Trades(
        ts_event=time.ns,
        ts_init=time.ns,
        price=price.integers,
        size=size.integers,
        aggressor=aggressor,
        trade_id=np.zeros(len(time.ns), np.int64),
        price_precision=price.precision,
        size_precision=size.precision,
    )
    if _is_backward(time.ns[rows.good]):
        rows.notes.append(_TURNED)
        trades, rows.good = trades.take(slice(None, None, -1)), rows.good[::-1]
    return rows.decoded("trades", trades, time.said)


def _check_spot(name: str, instrument: Instrument) -> None:
    """Refuse another market, or another symbol, which only the name of the file tells."""
    check_market(instrument, (Evidence("its header, that of spot trades,", SPOT),))
    named = _NAME.match(name)
    if named is not None and bare_symbol(named["symbol"]) != bare_symbol(instrument.symbol):
        raise _of_another(named["symbol"], instrument)


def _check_derivatives(rows: Rows, instrument: Instrument) -> None:
    """Refuse another market, and reject rows of another symbol than the instrument's."""
    check_market(instrument, (Evidence("its header, that of derivatives,", FUTURES),))
    symbols = rows.text("symbol")
    found = symbols.drop_nulls().unique(maintain_order=True).to_list()
    mine = [each for each in found if bare_symbol(each) == bare_symbol(instrument.symbol)]
    if not mine:
        raise _of_another(found[0] if found else "no symbol", instrument)
    check_market(instrument, tuple(symbol_evidence(each, INVERSE_SYMBOL) for each in mine))
    is_mine = symbols.is_in(mine).fill_null(value=False).to_numpy()
    rows.reject(~is_mine, f"the symbol is not {instrument.symbol}")


def _of_another(symbol: str, instrument: Instrument) -> Undecodable:
    return Undecodable(f"it is of {symbol}, not {instrument.symbol}; import it as that instrument")


def _is_backward(times: Int64) -> bool:
    """Whether the latest time stands first and none is later than the one before it."""
    return len(times) > 1 and bool(times[0] > times[-1]) and bool((np.diff(times) <= 0).all())
