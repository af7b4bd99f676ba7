"""Lines of a Binance recording to typed messages: fast where lines are whole, exact about those that are not.

Most lines are tickers and trades. They are decoded all at once, in the hope that all are whole; where one is
not, its like are decoded one by one, so that it can be named.
"""

from typing import Any

import msgspec
import numpy as np

from engine.columns import Int64
from engine.feeds.decoded import Rejected
from engine.feeds.vendors.binance_book import BookUpdate

type _Levels = list[tuple[str, str]]

_ENVELOPE = b'{"stream"'
_TICKER_MARK, _TRADE_MARK = b'@bookTicker"', b'@trade"'
_STAMP_BYTES = 19
_NO_LINE = "the line is no receive time and whole JSON message"


class Message(msgspec.Struct, gc=False):
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
    X: str | None = None
    M: bool | None = None
    lastUpdateId: int | None = None  # noqa: N815 - the wire's name
    bids: _Levels = []
    asks: _Levels = []


class _Envelope(msgspec.Struct, gc=False):
    data: Message


class Ticker(msgspec.Struct, gc=False):
    """A `bookTicker` message; with `Trade` most of a recording, and so read by the thousand."""

    u: int
    s: str
    b: str
    B: str
    a: str
    A: str
    E: int = 0
    T: int = 0


class Trade(msgspec.Struct, gc=False):
    """A `trade` message."""

    s: str
    t: int
    p: str
    q: str
    m: bool
    E: int = 0
    T: int = 0
    X: str | None = None
    M: bool | None = None


class _TickerEnvelope(msgspec.Struct, gc=False):
    data: Ticker


class _TradeEnvelope(msgspec.Struct, gc=False):
    data: Trade


_BARE, _ONE = msgspec.json.Decoder(Message), msgspec.json.Decoder(_Envelope)
_TICKERS, _TRADES = msgspec.json.Decoder(list[_TickerEnvelope]), msgspec.json.Decoder(list[_TradeEnvelope])


class Rejections:
    """Counts lines by reason, remembering the first of each."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._count: dict[str, int] = {}

    def add(self, reason: str, line: int, count: int = 1) -> None:
        """Count `count` lines, of which `line` is the first."""
        self._first.setdefault(reason, line)
        self._count[reason] = self._count.get(reason, 0) + count

    def all(self) -> tuple[Rejected, ...]:
        """All reasons, in the order in which they first came."""
        return tuple(Rejected(reason, self._count[reason], line) for reason, line in self._first.items())


class Group[M]:
    """Messages of one type with the number of their line and their receive time, in parallel lists."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.received: list[int] = []
        self.messages: list[M] = []

    def append(self, number: int, received: int, message: M) -> None:
        """Add one message."""
        self.numbers.append(number)
        self.received.append(received)
        self.messages.append(message)

    def times(self) -> tuple[Int64, Int64]:
        """Receive and event times in ns; an event time of 0 is one that the message does not have."""
        event = np.array([m.T or m.E for m in self.messages], np.int64)  # type: ignore[attr-defined]
        return np.array(self.received, np.int64), _column_in_ns(event)


class Lines:
    """Messages of one file by type."""

    def __init__(self) -> None:
        self.tickers: Group[Ticker | Message] = Group()
        self.trades: Group[Trade | Message] = Group()
        self.updates: list[BookUpdate] = []
        self.symbols: set[str] = set()
        self.rejections = Rejections()


def split(text: bytes) -> Lines:
    """Sort lines by type, in the order of the file."""
    lines = Lines()
    texts = text.split(b"\n")
    tickers, trades = [], []
    for place, line in enumerate(texts):
        if _TICKER_MARK in line:
            tickers.append(place)
        elif _TRADE_MARK in line:
            trades.append(place)
        elif line.strip():
            _take_one(lines, place + 1, line)
    _take_all(lines, lines.tickers, texts, tickers, _TICKERS)
    _take_all(lines, lines.trades, texts, trades, _TRADES)
    return lines


def _take_all(
    lines: Lines, into: Group[Any], texts: list[bytes], places: list[int], decoder: msgspec.json.Decoder[Any]
) -> None:
    """Decode like lines in one go, or where one of them is malformed, each by itself."""
    if not places:
        return
    bare = len(into.messages)
    try:
        stamps = np.array([texts[place][:_STAMP_BYTES] for place in places]).astype(np.int64)
        bodies = b",".join([texts[place][_STAMP_BYTES + 1 :] for place in places])
        messages = [each.data for each in decoder.decode(b"[" + bodies + b"]")]
    except (ValueError, msgspec.MsgspecError):
        stamps, messages = np.zeros(0, np.int64), []
    # A line with two messages, or a time in another unit, only looks whole.
    if len(messages) == len(places) and (stamps >= 10 ** (_STAMP_BYTES - 1)).all():
        into.numbers += [place + 1 for place in places]
        into.received += stamps.tolist()
        into.messages += messages
        lines.symbols.update({message.s for message in messages})
    else:
        for place in places:
            _take_one(lines, place + 1, texts[place])
    if bare:  # messages without an envelope came first: back into the order of the file
        order = np.argsort(into.numbers, kind="stable").tolist()
        for each in (into.numbers, into.received, into.messages):
            each[:] = [each[place] for place in order]


def _take_one(lines: Lines, number: int, line: bytes) -> None:
    stamp, _, body = line.partition(b" ")
    try:
        received = in_ns(int(stamp))
        message = _ONE.decode(body).data if body.startswith(_ENVELOPE) else _BARE.decode(body)
    except (ValueError, msgspec.MsgspecError):
        lines.rejections.add(_NO_LINE, number)
        return
    _sort_in(lines, number, received, message)


def _sort_in(lines: Lines, number: int, received: int, message: Message) -> None:
    if message.s:
        lines.symbols.add(message.s)
    if message.lastUpdateId is not None:
        lines.updates.append(
            BookUpdate(
                line=number,
                received_ns=received,
                event_ns=in_ns(message.T or message.E),
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
                event_ns=in_ns(message.T or message.E),
                first=message.U,
                last=message.u,
                previous=message.pu,
                bids=message.b,
                asks=message.a,
            )
        )
    elif message.B and message.A and message.e in {"", "bookTicker"}:
        lines.tickers.append(number, received, message)
    elif message.e == "trade":
        lines.trades.append(number, received, message)
    else:
        lines.rejections.add(f"messages of type {message.e or 'unknown'} are not read", number)


def in_ns(time: int) -> int:
    """Nanoseconds of a time in ms, µs or ns, which its size tells; 0 stays 0."""
    if time >= 10**17:
        return time
    return time * (1_000 if time >= 10**14 else 1_000_000)


def _column_in_ns(times: Int64) -> Int64:
    """`in_ns` of a whole column."""
    factors = np.where(times >= 10**17, 1, np.where(times >= 10**14, 1_000, 1_000_000))
    ns: Int64 = times * factors
    return ns
