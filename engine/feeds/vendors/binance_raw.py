"""Recorded Binance websocket lines: the receive time in ns, a space, and the message as it came.

Read are `trade`, `bookTicker` and `depthUpdate` messages of the spot and USD-M markets, in a stream envelope
or bare, and REST depth snapshots between them. Which market it is shows in the messages: only futures diffs
name their predecessor (`pu`), only their tickers have a time (`E`, `T`) and only their trades an order type
(`X`), where those of spot have a flag `M`.

Spot book tickers carry no event time, so theirs is the receive time; a diff's and a trade's is the venue's.
"""

import re
from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
import polars as pl

from engine.columns import Aggressor, Columns, Int64, Quotes, Trades
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.unpacking import gunzipped
from engine.feeds.vendors.binance_archive import INVERSE_SYMBOL
from engine.feeds.vendors.binance_book import follow
from engine.feeds.vendors.binance_lines import Group, Lines, Message, Rejections, Ticker, Trade, split
from engine.feeds.vendors.markets import (
    FUTURES,
    SPOT,
    Evidence,
    Market,
    check_market,
    folder_evidence,
    symbol_evidence,
)

_LINE = re.compile(rb"^\d{16,19} \{")
_PERPETUAL_SUFFIX = re.compile(r"[-_]?(PERP|SWAP)$")
_OTHERS_NAMED = 3
_FOLDERS: Final = {
    "spot": Market.SPOT,
    **dict.fromkeys(("um", "usdm"), Market.LINEAR),
    **dict.fromkeys(("cm", "coinm"), Market.INVERSE),
}


def matches(head: Head) -> bool:
    """Whether its first line is a receive time and JSON."""
    return bool(_LINE.match(head.data))


def decode(file: SourceFile) -> Decoded:
    """Quotes, trades and book deltas of one recording, gzip-compressed or not.

    The recording must be of the instrument's symbol (`-PERP` at its end is left aside); where the book up to
    an update number is known from before, diffs go on from it without a snapshot.

    Raises
    ------
    Undecodable
        Damaged, cut off, empty, of another symbol or market or of several, or a number with more than 18
        digits.
    """
    text = gunzipped(file.data)
    if not text.strip():
        raise Undecodable("it is empty")
    lines = split(text)
    _check_symbol(lines.symbols, _PERPETUAL_SUFFIX.sub("", file.instrument.symbol))
    market_notes = check_market(
        file.instrument, (*folder_evidence(file.path, _FOLDERS), *_message_evidence(lines))
    )
    book = follow(lines.updates, file.book_continues)
    for reason, line, count in book.left_out:
        lines.rejections.add(reason, line, count)
    columns: dict[str, Columns | None] = {
        "quotes": _quotes(lines.tickers, lines.rejections),
        "trades": _trades(lines.trades, lines.rejections),
        "deltas": book.deltas,
    }
    notes = [*market_notes, *book.notes, *_clock_note(columns["trades"])]
    return Decoded(
        columns={kind: part for kind, part in columns.items() if part is not None and len(part)},
        timestamps="receive times as recorded; event times from the messages in ms, UTC",
        rejected=lines.rejections.all(),
        gaps=book.gaps,
        notes=tuple(notes),
    )


def _check_symbol(found: set[str], symbol: str) -> None:
    if len(found) > 1:
        some = ", ".join(sorted(found)[:_OTHERS_NAMED])
        raise Undecodable(f"it holds several symbols ({some}); split it by symbol")
    if found and symbol not in found:
        raise Undecodable(f"it holds {next(iter(found))}, not {symbol}; import it as that instrument")


def _message_evidence(lines: Lines) -> tuple[Evidence, ...]:
    """What the symbol tells, and the fields that only messages of one market have."""
    diffs = [each for each in lines.updates if not each.snapshot]
    tickers, trades = lines.tickers.messages, lines.trades.messages
    signs = (
        ("the field pu of its book updates", FUTURES, any(each.previous is not None for each in diffs)),
        ("the lack of pu in its book updates", SPOT, any(each.previous is None for each in diffs)),
        ("the time in its book tickers", FUTURES, any(each.E for each in tickers)),
        ("the lack of a time in its book tickers", SPOT, any(not each.E for each in tickers)),
        ("the field X of its trades", FUTURES, any(each.X is not None for each in trades)),
        ("the field M of its trades", SPOT, any(each.M is not None for each in trades)),
    )
    return (
        *(symbol_evidence(symbol, INVERSE_SYMBOL) for symbol in lines.symbols),
        *(Evidence(sign, markets) for sign, markets, is_there in signs if is_there),
    )


def _numbers(texts: Sequence[str]) -> Scaled:
    return scaled(pl.Series(texts, dtype=pl.String))


def _together(
    texts: Sequence[Sequence[str]],
) -> tuple[list[Int64], np.ndarray[tuple[int], np.dtype[np.bool_]], int]:
    """Several text columns at one precision: their integers, rows in which all are above 0, the precision."""
    parsed = _numbers(list(chain.from_iterable(texts)))
    columns = np.split(parsed.integers, len(texts))
    positive = np.logical_and.reduce([column > 0 for column in columns])
    return columns, positive & np.logical_and.reduce(np.split(parsed.valid, len(texts))), parsed.precision


def _keep[C: Columns](
    columns: C, good: np.ndarray[tuple[int], np.dtype[np.bool_]], numbers: list[int], rejections: Rejections
) -> C:
    if good.all():
        return columns
    bad = np.flatnonzero(~good)
    rejections.add("a price or size is not above 0", numbers[int(bad[0])], len(bad))
    return columns.take(good)


def _quotes(tickers: Group[Ticker | Message], rejections: Rejections) -> Quotes | None:
    messages = tickers.messages
    if not messages:
        return None
    (bid, ask), priced, price_precision = _together(
        [[str(m.b) for m in messages], [str(m.a) for m in messages]]
    )
    (bid_size, ask_size), sized, size_precision = _together(
        [[m.B for m in messages], [m.A for m in messages]]
    )
    received, event = tickers.times()
    quotes = Quotes(
        ts_event=np.where(event == 0, received, event),
        ts_init=received,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        sequence=np.array([m.u for m in messages], np.int64),
        price_precision=price_precision,
        size_precision=size_precision,
    )
    return _keep(quotes, priced & sized, tickers.numbers, rejections)


def _trades(lines: Group[Trade | Message], rejections: Rejections) -> Trades | None:
    messages = lines.messages
    if not messages:
        return None
    (price,), priced, price_precision = _together([[m.p for m in messages]])
    (size,), sized, size_precision = _together([[m.q for m in messages]])
    received, event = lines.times()
    trades = Trades(
        ts_event=np.where(event == 0, received, event),
        ts_init=received,
        price=price,
        size=size,
        aggressor=np.where([m.m for m in messages], Aggressor.SELLER, Aggressor.BUYER).astype(np.uint8),
        trade_id=np.array([m.t for m in messages], np.int64),
        price_precision=price_precision,
        size_precision=size_precision,
    )
    return _keep(trades, priced & sized, lines.numbers, rejections)


def _clock_note(trades: Columns | None) -> list[str]:
    """A trade cannot be received before it happens: if one was, the recorder's clock was behind."""
    if trades is None or not len(trades):
        return []
    behind_ns = int(np.median(trades.ts_event - trades.ts_init))
    if behind_ns <= 0:
        return []
    return [
        f"The recorder's clock was behind the venue's: receive times lie {behind_ns / 1e6:,.0f} ms (median) "
        "before event times; both are stored as recorded."
    ]
