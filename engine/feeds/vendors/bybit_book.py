"""Bybit's order-book archives: one websocket message a line, snapshots of 200 or 500 levels and their deltas.

A file is named DATE_SYMBOL_ob500.data.zip. `u` numbers the messages one by one; a 1 is a snapshot after a
restart of the service. `cts` is the matching engine's time, `ts` when the message was made (ms, UTC).

A day unpacks to gigabytes, so levels never become Python objects: msgspec leaves them as text, which is cut
into columns for thousands of messages at once.

Messages: https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
import polars as pl

from engine.columns import Int64, Side, UInt8
from engine.feeds.decimals import Scaled, scaled
from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import Head, SourceFile
from engine.feeds.rows import bare_symbol
from engine.feeds.vendors.archives import only_member
from engine.feeds.vendors.binance_lines import Rejections
from engine.feeds.vendors.book_updates import (
    AFTER_GAP,
    NO_SNAPSHOT,
    BookUpdates,
    follow_updates,
    held_back_note,
)
from engine.feeds.vendors.markets import Market, check_market, folder_evidence, symbol_evidence
from engine.store.merging import Mask

_TOPIC: Final = re.compile(rb'\s*\{\s*"topic"\s*:\s*"orderbook\.\d+\.')
_BLOCK_BYTES: Final = 8 << 20
_MS: Final = 1_000_000
_NO_MESSAGE: Final = "the line is no whole order-book message"
_NO_LEVEL: Final = "a level of it is no price above 0 and size of at least 0"
_SPACED: Final = re.compile(rb"\s*([\[\],])\s*")
INVERSE_SYMBOL: Final = re.compile(r"USD([FGHJKMNQUVXZ]\d{2})?$")
"""BTCUSD is an inverse perpetual, BTCUSDH24 the future of March 2024."""

_FOLDERS: Final = {"spot": Market.SPOT, "linear": Market.LINEAR, "inverse": Market.INVERSE}

type _Number = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
type _Time = Annotated[int, msgspec.Meta(ge=315_532_800_000, lt=7_258_118_400_000)]
"""Milliseconds of 1980 to 2199."""


class _Book(msgspec.Struct, gc=False):
    s: str
    u: _Number
    b: msgspec.Raw = msgspec.Raw(b"[]")
    a: msgspec.Raw = msgspec.Raw(b"[]")


class _Message(msgspec.Struct, gc=False):
    type: Literal["snapshot", "delta"]
    ts: _Time
    data: _Book
    cts: _Time | None = None


_LINES = msgspec.json.Decoder(_Message)
_LEVELS = msgspec.json.Decoder(list[tuple[msgspec.Raw, msgspec.Raw]])
_PLAIN: Final = re.compile(rb"[^\[\],{}]*")
"""What one part of a pair may be, if its number is to be found by brackets and commas."""


def matches(head: Head) -> bool:
    """Whether its first line is an order-book message."""
    return bool(_TOPIC.match(head.data))


def header(_head: Head) -> bytes:
    """Nothing: a piece goes on with the book of the one before it, by the number of its first message."""
    return b""


def decode(file: SourceFile) -> Decoded:
    """Book deltas of one archive; where the numbers break, the book is cleared until the next snapshot.

    Raises
    ------
    Undecodable
        Damaged, cut off, empty, of another symbol or market than the instrument, or of several symbols.
    """
    _, text = only_member(file)
    rejections = Rejections()
    blocks = [block for block in _blocks(text, rejections) if len(block.lines)]
    if not blocks:
        raise Undecodable("no line of it is a whole order-book message")
    notes = _market_notes(set(chain.from_iterable(block.symbols for block in blocks)), file)
    lines = np.concatenate([block.lines for block in blocks])
    damaged = np.concatenate([block.damaged for block in blocks])
    updates = _updates(blocks, damaged)
    first = int(updates.sequence[0])
    followed = follow_updates(
        updates, known_before=not updates.snapshot[0] and file.book_continues(first - 1)
    )
    for left_out, reason in (
        (damaged, _NO_LEVEL),
        (followed.without_snapshot & ~damaged, NO_SNAPSHOT),
        (followed.after_gap & ~damaged, AFTER_GAP),
    ):
        if left_out.any():
            rejections.add(reason, int(lines[left_out.argmax()]), int(left_out.sum()))
    return Decoded(
        columns={} if followed.deltas is None else {"deltas": followed.deltas},
        timestamps="milliseconds since 1970, UTC: the matching engine's, and of sending as receive times",
        rejected=rejections.all(),
        gaps=followed.gaps,
        notes=(*notes, *held_back_note(followed.held_back)),
    )


def _market_notes(symbols: set[str], file: SourceFile) -> list[str]:
    """Check symbol and market against the instrument, and say what the file does not tell."""
    if len(symbols) > 1:
        raise Undecodable(f"it holds several symbols ({', '.join(sorted(symbols)[:3])}); split it by symbol")
    symbol = next(iter(symbols))
    if bare_symbol(symbol) != bare_symbol(file.instrument.symbol):
        raise Undecodable(f"it holds {symbol}, not {file.instrument.symbol}; import it as that instrument")
    evidence = (*folder_evidence(file.path, _FOLDERS), symbol_evidence(symbol, INVERSE_SYMBOL))
    return check_market(file.instrument, evidence)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some thousand messages as arrays, and their levels: of each message first the bids, then the asks."""

    symbols: set[str]
    lines: Int64
    event_ms: Int64
    sent_ms: Int64
    number: Int64
    snapshot: Mask
    damaged: Mask
    rows: Int64
    side: UInt8
    price: Scaled
    size: Scaled


def _updates(blocks: list[_Block], damaged: Mask) -> BookUpdates:
    """All blocks as one run of updates, at the finest precision among them."""
    prices, sizes = [block.price for block in blocks], [block.size for block in blocks]
    price_precision = max(each.precision for each in prices)
    size_precision = max(each.precision for each in sizes)
    number = np.concatenate([block.number for block in blocks])
    event = np.concatenate([block.event_ms for block in blocks]) * _MS
    sent = np.concatenate([block.sent_ms for block in blocks]) * _MS
    snapshot = np.concatenate([block.snapshot for block in blocks]) | (number == 1)
    follows = np.concatenate([[True], number[1:] == number[:-1] + 1])
    return BookUpdates(
        event_ns=event,
        received_ns=np.maximum(event, sent),
        sequence=number,
        snapshot=snapshot,
        begins=snapshot,
        broken=damaged | ~(snapshot | follows),
        rows=np.concatenate([block.rows for block in blocks]),
        side=np.concatenate([block.side for block in blocks]),
        price=np.concatenate([each.at(price_precision) for each in prices]),
        size=np.concatenate([each.at(size_precision) for each in sizes]),
        price_precision=price_precision,
        size_precision=size_precision,
    )


def _blocks(text: bytes, rejections: Rejections) -> Iterator[_Block]:
    """Stretches of whole lines, decoded."""
    start, line = 0, 1
    while start < len(text):
        end = text.find(b"\n", min(start + _BLOCK_BYTES, len(text)))
        end = len(text) if end < 0 else end + 1
        block = text[start:end]
        numbers, messages = _messages(block, line, rejections)
        yield _block(numbers, messages)
        start, line = end, line + block.count(b"\n")


def _messages(block: bytes, line: int, rejections: Rejections) -> tuple[Int64, list[_Message]]:
    """Messages and their lines; decoded in one go or, where one is malformed, each by itself."""
    try:
        messages = _LINES.decode_lines(block)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        messages = []
    if len(messages) == block.count(b"\n") + (not block.endswith(b"\n")):
        return np.arange(line, line + len(messages)), messages
    numbers, messages = [], []
    for number, each in enumerate(block.split(b"\n"), line):
        if not each.strip():
            continue
        try:
            messages.append(_LINES.decode(each))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            rejections.add(_NO_MESSAGE, number)
        else:
            numbers.append(number)
    return np.array(numbers, np.int64), messages


def _block(lines: Int64, messages: list[_Message]) -> _Block:
    texts = [bytes(side) for each in messages for side in (each.data.b, each.data.a)]
    counts, price, size = _levels(texts)
    whole = counts >= 0
    counts = np.maximum(counts, 0)
    bad = ~(price.valid & size.valid) | (price.integers <= 0) | (size.integers < 0)
    message = np.repeat(np.arange(len(counts)) // 2, counts)
    damaged = ~(whole[0::2] & whole[1::2])
    damaged[message[bad]] = True
    sent = np.array([each.ts for each in messages], np.int64)
    event = np.array([each.cts or each.ts for each in messages], np.int64)
    return _Block(
        symbols={each.data.s for each in messages},
        lines=lines,
        event_ms=event,
        sent_ms=sent,
        number=np.array([each.data.u for each in messages], np.int64),
        snapshot=np.array([each.type == "snapshot" for each in messages], np.bool_),
        damaged=damaged,
        rows=counts[0::2] + counts[1::2],
        side=np.repeat(np.tile(np.array([Side.BUY, Side.SELL], np.uint8), len(messages)), counts),
        price=price,
        size=size,
    )


def _levels(texts: list[bytes]) -> tuple[Int64, Scaled, Scaled]:
    """Levels of JSON lists of pairs: how many each list has (-1: it is none), and all prices and sizes."""
    for clean in (bytes, _compact, _checked):
        texts = [clean(text) for text in texts]
        counts = [_pairs_in(text) for text in texts]
        frame = _table(texts, counts)
        if frame is not None and (-1 not in counts or clean is _checked):
            return np.array(counts, np.int64), scaled(frame.to_series(0)), scaled(frame.to_series(1))
    raise Undecodable("the levels of its books are no pairs of price and size")


def _pairs_in(text: bytes) -> int:
    """How many pairs a text like [["1.5","2"],["1.4","1"]] has at least; -1 if it is no such text."""
    if text == b"[]":
        return 0
    return text.count(b"],[") + 1 if text.startswith(b"[[") and text.endswith(b"]]") else -1


def _table(texts: list[bytes], counts: list[int]) -> pl.DataFrame | None:
    """Pairs of all texts as two columns of text; None if one of these is more than a list of pairs."""
    some = [text for text, count in zip(texts, counts, strict=True) if count > 0]
    if not some:
        return pl.DataFrame(schema={"price": pl.String, "size": pl.String})
    joined, pairs = b",".join(some), sum(count for count in counts if count > 0)
    if joined.count(b"[") != pairs + len(some):  # there are brackets within a pair
        return None
    lines = joined.replace(b"],[", b"\n").translate(None, b'[]"')
    try:
        frame = pl.read_csv(lines, has_header=False, infer_schema=False, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.width == 2 and len(frame) == pairs else None


def _compact(text: bytes) -> bytes:
    """`text` without blanks beside brackets and commas."""
    return _SPACED.sub(rb"\1", text)


def _checked(text: bytes) -> bytes:
    """`text` itself if it is a list of plain pairs, else an empty text."""
    try:
        pairs = _LEVELS.decode(text)
    except msgspec.MsgspecError:
        return b""
    plain = all(_PLAIN.fullmatch(bytes(part)) for pair in pairs for part in pair)
    return text if plain else b""
