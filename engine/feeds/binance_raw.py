"""Recorded Binance websocket lines: the receive time in ns, a space, and the message as it came.

Read are `trade`, `bookTicker` and `depthUpdate` messages of the spot and USD-M markets, in a stream envelope
or bare, and REST depth snapshots between them. Which market it is shows in the messages: only futures diffs
name their predecessor (`pu`).

Spot book tickers carry no event time, so theirs is the receive time; a diff's and a trade's is the venue's.
"""

import re
from collections.abc import Callable, Sequence
from itertools import chain

import msgspec
import numpy as np
import polars as pl

from engine.columns import Aggressor, Columns, Int64, Quotes, Trades
from engine.feeds.binance_book import BookUpdate, follow
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.decoded import Decoded, Rejected, Undecodable
from engine.feeds.unpacking import gunzipped

type _Levels = list[tuple[str, str]]

_PERPETUAL_SUFFIX = re.compile(r"[-_]?(PERP|SWAP)$")
_ENVELOPE = b'{"stream"'
_OTHERS_NAMED = 3


class _Message(msgspec.Struct, gc=False):
    """Union of the messages that are read, by the wire's names; what a message lacks keeps its default."""

    e: str = ""
    E: int = 0
    T: int = 0
    s: str = ""
    U: int = 0
    u: int = 0
    pu: int | None = None
    b: str | _Levels = ""
    a: str | _Levels = ""
    B: str = ""
    A: str = ""
    p: str = ""
    q: str = ""
    t: int = 0
    m: bool = False
    lastUpdateId: int | None = None  # noqa: N815 - the wire's name
    bids: _Levels = []
    asks: _Levels = []


class _Envelope(msgspec.Struct, gc=False):
    data: _Message


class _Rejections:
    """Counts lines by reason, remembering the first of each."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._count: dict[str, int] = {}

    def add(self, reason: str, line: int, count: int = 1) -> None:
        self._first.setdefault(reason, line)
        self._count[reason] = self._count.get(reason, 0) + count

    def all(self) -> tuple[Rejected, ...]:
        return tuple(Rejected(reason, self._count[reason], line) for reason, line in self._first.items())


class _Lines:
    """Messages of one file by type, with receive time and line number."""

    def __init__(self) -> None:
        self.tickers: list[tuple[int, int, _Message]] = []
        self.trades: list[tuple[int, int, _Message]] = []
        self.updates: list[BookUpdate] = []
        self.symbols: set[str] = set()
        self.rejections = _Rejections()


def decode(data: bytes, symbol: str, continues: Callable[[int], bool]) -> Decoded:
    """Quotes, trades and book deltas of one recording, gzip-compressed or not.

    Parameters
    ----------
    symbol : str
        What the instrument is called; the recording must be of it (`-PERP` at its end is left aside).
    continues : callable
        Tells whether the book up to an update number is known from before, so that diffs may go on from it
        without a snapshot.

    Raises
    ------
    Undecodable
        Damaged, cut off, empty, of another symbol or of several, or a number with more than 18 digits.
    """
    text = gunzipped(data)
    if not text.strip():
        raise Undecodable("it is empty")
    lines = _split(text)
    _check_symbol(lines.symbols, _PERPETUAL_SUFFIX.sub("", symbol))
    book = follow(lines.updates, continues)
    for reason, line, count in book.left_out:
        lines.rejections.add(reason, line, count)
    columns: dict[str, Columns | None] = {
        "quotes": _quotes(lines.tickers, lines.rejections),
        "trades": _trades(lines.trades, lines.rejections),
        "deltas": book.deltas,
    }
    notes = [*book.notes, *_clock_note(columns["trades"])]
    return Decoded(
        columns={kind: part for kind, part in columns.items() if part is not None and len(part)},
        timestamps="receive times as recorded; event times from the messages in ms, UTC",
        rejected=lines.rejections.all(),
        gaps=book.gaps,
        notes=tuple(notes),
    )


def _split(text: bytes) -> _Lines:
    lines = _Lines()
    bare, enveloped = msgspec.json.Decoder(_Message).decode, msgspec.json.Decoder(_Envelope).decode
    for number, line in enumerate(text.split(b"\n"), start=1):
        stamp, _, body = line.partition(b" ")
        if not line.strip():
            continue
        try:
            received = _ns(int(stamp))
            message = enveloped(body).data if body.startswith(_ENVELOPE) else bare(body)
        except (ValueError, msgspec.MsgspecError):
            lines.rejections.add("the line is no receive time and whole JSON message", number)
            continue
        _sort_in(lines, number, received, message)
    return lines


def _sort_in(lines: _Lines, number: int, received: int, message: _Message) -> None:
    if message.s:
        lines.symbols.add(message.s)
    if message.lastUpdateId is not None:
        lines.updates.append(
            BookUpdate(
                line=number,
                received_ns=received,
                event_ns=_ns(message.T or message.E),
                first=0,
                last=message.lastUpdateId,
                previous=None,
                bids=message.bids,
                asks=message.asks,
                snapshot=True,
            )
        )
    elif message.e == "depthUpdate" and isinstance(message.b, list) and isinstance(message.a, list):
        lines.updates.append(
            BookUpdate(
                line=number,
                received_ns=received,
                event_ns=_ns(message.T or message.E),
                first=message.U,
                last=message.u,
                previous=message.pu,
                bids=message.b,
                asks=message.a,
            )
        )
    elif message.B and message.A and message.e in {"", "bookTicker"}:
        lines.tickers.append((number, received, message))
    elif message.e == "trade":
        lines.trades.append((number, received, message))
    else:
        lines.rejections.add(f"messages of type {message.e or 'unknown'} are not read", number)


def _ns(time: int) -> int:
    """Nanoseconds of a time in ms, µs or ns, which its size tells; 0 stays 0."""
    if time >= 10**17:
        return time
    return time * (1_000 if time >= 10**14 else 1_000_000)


def _check_symbol(found: set[str], symbol: str) -> None:
    if len(found) > 1:
        some = ", ".join(sorted(found)[:_OTHERS_NAMED])
        raise Undecodable(f"it holds several symbols ({some}); split it by symbol")
    if found and symbol not in found:
        raise Undecodable(f"it holds {next(iter(found))}, not {symbol}; give that as --instrument")


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
    columns: C, good: np.ndarray[tuple[int], np.dtype[np.bool_]], numbers: list[int], rejections: _Rejections
) -> C:
    if good.all():
        return columns
    bad = np.flatnonzero(~good)
    rejections.add("a price or size is not above 0", numbers[int(bad[0])], len(bad))
    return columns.take(good)


def _quotes(tickers: list[tuple[int, int, _Message]], rejections: _Rejections) -> Quotes | None:
    if not tickers:
        return None
    numbers = [number for number, _, _ in tickers]
    messages = [message for _, _, message in tickers]
    (bid, ask), priced, price_precision = _together(
        [[str(m.b) for m in messages], [str(m.a) for m in messages]]
    )
    (bid_size, ask_size), sized, size_precision = _together(
        [[m.B for m in messages], [m.A for m in messages]]
    )
    received = np.array([time for _, time, _ in tickers], np.int64)
    event = np.array([_ns(m.T or m.E) for m in messages], np.int64)
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
    return _keep(quotes, priced & sized, numbers, rejections)


def _trades(lines: list[tuple[int, int, _Message]], rejections: _Rejections) -> Trades | None:
    if not lines:
        return None
    messages = [message for _, _, message in lines]
    (price,), priced, price_precision = _together([[m.p for m in messages]])
    (size,), sized, size_precision = _together([[m.q for m in messages]])
    trades = Trades(
        ts_event=np.array([_ns(m.T or m.E) for m in messages], np.int64),
        ts_init=np.array([time for _, time, _ in lines], np.int64),
        price=price,
        size=size,
        aggressor=np.where([m.m for m in messages], Aggressor.SELLER, Aggressor.BUYER).astype(np.uint8),
        trade_id=np.array([m.t for m in messages], np.int64),
        price_precision=price_precision,
        size_precision=size_precision,
    )
    return _keep(trades, priced & sized, [number for number, _, _ in lines], rejections)


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
