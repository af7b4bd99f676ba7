"""Headlines and releases of the economic calendar: CSV, JSON, RSS and Atom to one table of timed rows.

Columns beside the times: `title`, `source`, `subjects` (currencies or symbols, in capitals, parted by
blanks), `importance` (0 unknown, 1 low, 2 medium, 3 high), `sentiment` (-1 bad to 1 good, null where the
source gives none), `actual`, `forecast`, `previous` (as the source writes them), `link`, and `is_scheduled`.

`ts_event` is the time that a row tells. `ts_init`, from when it is shown and computed with, is the
publication where a source tells one that is later, else the same: a row that was announced earlier still
tells figures of its release, so it waits for that.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import feedparser
import msgspec
import numpy as np
import polars as pl
import pyarrow as pa

from engine.feeds.decoded import Decoded, Rejected, Undecodable
from engine.feeds.tables import normalised, text_table
from engine.feeds.timestamps import times
from engine.feeds.unpacking import contents
from engine.store.merging import Mask

SCHEMA: Final = pa.schema(
    {
        "ts_event": pa.int64(),
        "ts_init": pa.int64(),
        "title": pa.string(),
        "source": pa.string(),
        "subjects": pa.string(),
        "importance": pa.uint8(),
        "sentiment": pa.float64(),
        "actual": pa.string(),
        "forecast": pa.string(),
        "previous": pa.string(),
        "link": pa.string(),
        "is_scheduled": pa.bool_(),
    }
)

_NAMES: Final = {
    "time": "time date datetime timestamp release_time scheduled ts_event time_utc",
    "published": "published published_at publishedat pubdate publication_date time_published ts_init",
    "title": "title headline event name text summary_line",
    "source": "source publisher provider author",
    "subjects": "subjects subject currency country symbol symbols ticker tickers related",
    "importance": "importance impact volatility priority",
    "sentiment": "sentiment sentiment_score overall_sentiment_score polarity compound score",
    "actual": "actual",
    "forecast": "forecast consensus estimate expected",
    "previous": "previous prior",
    "link": "link url guid id",
}
_ROLE_OF: Final = {name: role for role, names in _NAMES.items() for name in names.split()}
_CALENDAR: Final = frozenset({"actual", "forecast", "previous", "importance"})
"""Columns that only an economic calendar has."""

_IMPORTANCE: Final = {
    **dict.fromkeys(("", "0", "none", "holiday", "non-economic"), 0),
    **dict.fromkeys(("1", "low", "l"), 1),
    **dict.fromkeys(("2", "medium", "moderate", "med", "m"), 2),
    **dict.fromkeys(("3", "high", "h"), 3),
}
_LISTS: Final = ("articles", "news", "events", "data", "feed", "items", "results")
_NAMING: Final = ("name", "ticker", "symbol", "title", "id")
"""What a JSON object is called by, the first that it has."""

_COMPACT_TIME: Final = r"^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?$"
_WORD: Final = re.compile(r"[A-Z0-9][A-Z0-9.:_-]*")


def decode_news(data: bytes, file_name: str, series: str) -> Decoded:
    """Rows of one file as the series `series`.

    Raises
    ------
    Undecodable
        Damaged, empty, of no known form, or without times or titles.
    """
    _, text = contents(file_name, data)[0]
    if not text.strip():
        raise Undecodable("it is empty")
    start = text.lstrip()[:1]
    if start == b"<":
        columns, lines, rejected = _from_feed(text)
    elif start in {b"{", b"["}:
        columns, lines, rejected = _from_json(text)
    else:
        columns, lines, rejected = _from_table(text)
    return _decoded(_Columns(columns, lines, list(rejected)), series)


type _Found = tuple[dict[str, pl.Series], np.ndarray[tuple[int], np.dtype[np.int64]], Sequence[Rejected]]


def _from_table(text: bytes) -> _Found:
    table = text_table(text, frozenset(_ROLE_OF))
    if table.names is None:
        raise Undecodable(
            "it has no header line; name its columns (time, title, sentiment, …) in the first line"
        )
    return _by_role(dict(zip(table.names, table.columns, strict=True))), table.lines, table.rejected


def _by_role(named: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    found: dict[str, pl.Series] = {}
    for name, column in named.items():
        role = _ROLE_OF.get(normalised(name))
        if role is not None:
            found.setdefault(role, column.cast(pl.String))
    return found


def _from_json(text: bytes) -> _Found:
    try:
        whole = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable("its JSON is damaged or cut off; fetch it again") from error
    items = whole
    if isinstance(whole, dict):
        items = next((whole[name] for name in _LISTS if isinstance(whole.get(name), list)), None)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Undecodable("its JSON is no list of news; a list of objects with time and title is read")
    if not items:
        raise Undecodable("it has no rows")
    names = dict.fromkeys(name for item in items for name in item)
    named = {name: pl.Series([_plain(item.get(name)) for item in items], dtype=pl.String) for name in names}
    return _by_role(named), np.arange(1, len(items) + 1), ()


def _plain(value: Any) -> str | None:
    """Text of a JSON value; lists are joined, and an object stands for its name, symbol or title."""
    match value:
        case None:
            return None
        case list():
            return " ".join(filter(None, map(_plain, value)))
        case dict():
            return next((_plain(value[key]) for key in _NAMING if key in value), None)
        case _:
            return str(value)


def _from_feed(text: bytes) -> _Found:
    # Sanitised summaries are not used, and a damaged feed is refused rather than half read.
    feed = feedparser.parse(BytesIO(text), sanitize_html=False, resolve_relative_uris=False)
    told_by_server = isinstance(feed.get("bozo_exception"), feedparser.CharacterEncodingOverride)
    if (feed.bozo and not told_by_server) or not feed.version:
        raise Undecodable("it is no whole RSS or Atom feed; fetch it again")
    if not feed.entries:
        raise Undecodable("it has no rows")
    source = feed.feed.get("title")
    rows = [
        {
            "published": _moment(entry),
            "title": entry.get("title"),
            "source": source,
            "subjects": " ".join(str(tag.get("term") or "") for tag in entry.get("tags", [])),
            "link": entry.get("link"),
        }
        for entry in feed.entries
    ]
    columns = {name: pl.Series([row[name] for row in rows], dtype=pl.String) for name in rows[0]}
    return columns, np.arange(1, len(rows) + 1), ()


def _moment(entry: dict[str, Any]) -> str | None:
    """When an entry was published (else last changed), in UTC; None where the feed does not say."""
    # Not by `get`, which answers one for the other with a warning.
    given = (entry[key] for key in ("published_parsed", "updated_parsed") if dict.__contains__(entry, key))
    parsed = next(filter(None, given), None)
    return None if parsed is None else "{:04}-{:02}-{:02} {:02}:{:02}:{:02}+00:00".format(*parsed[:6])


class _Columns:
    """Columns by role, and why rows cannot be taken."""

    def __init__(
        self,
        by_role: Mapping[str, pl.Series],
        lines: np.ndarray[tuple[int], np.dtype[np.int64]],
        rejected: list[Rejected],
    ) -> None:
        self.by_role, self.lines, self.rejected = by_role, lines, rejected
        self.good: Mask = np.ones(len(lines), np.bool_)

    def text(self, role: str) -> pl.Series:
        """Text without blanks around it; empty where there is none."""
        column = self.by_role.get(role)
        if column is None:
            return pl.Series([""] * len(self.lines), dtype=pl.String)
        return column.fill_null("").str.strip_chars()

    def reject(self, bad: Mask, reason: str) -> None:
        """Leave rows out that were good so far."""
        rows = np.flatnonzero(bad & self.good)
        if len(rows):
            self.rejected.append(Rejected(reason, len(rows), int(self.lines[rows[0]])))
            self.good[rows] = False

    def times(self, role: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], str]:
        """Times of a column, and how they were read."""
        text = self.by_role[role].str.strip_chars().str.replace(_COMPACT_TIME, "$1-$2-$3 $4:$5:${6}")
        text = text.str.replace(r"^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}):$", "$1:00")
        found = times(text, None)
        self.reject(~found.valid, "the time is missing, malformed or outside 1980 to 2199")
        return found.ns, found.said

    def mapped(self, role: str, read: Callable[[str], float | None], reason: str) -> list[float | None]:
        """Numbers of a column; `read` raises ValueError for what is none."""
        values: list[float | None] = []
        bad = np.zeros(len(self.lines), np.bool_)
        for row, text in enumerate(self.text(role).to_list()):
            try:
                values.append(read(text))
            except ValueError:
                values.append(None)
                bad[row] = True
        self.reject(bad, reason)
        return values


def _decoded(columns: _Columns, series: str) -> Decoded:
    role = next((each for each in ("time", "published") if each in columns.by_role), None)
    if role is None or "title" not in columns.by_role:
        raise Undecodable("it has no column that is a time, or none that is a title (headline, event)")
    event, said = columns.times(role)
    published = columns.times("published")[0] if "published" in columns.by_role else event
    title = columns.text("title")
    columns.reject((title == "").to_numpy(), "the title is missing")
    importance = columns.mapped("importance", _importance, "the importance is none of low, medium and high")
    sentiment = columns.mapped("sentiment", _sentiment, "the sentiment is no number from -1 to 1")
    scheduled = bool(_CALENDAR & columns.by_role.keys())
    table = pa.table(
        {
            "ts_event": event,
            "ts_init": np.maximum(event, published),
            "title": title.to_arrow().cast(pa.string()),
            "source": columns.text("source").to_arrow().cast(pa.string()),
            "subjects": pa.array(
                [_subjects(each) for each in columns.text("subjects").to_list()], pa.string()
            ),
            "importance": pa.array([int(each or 0) for each in importance], pa.uint8()),
            "sentiment": pa.array(sentiment, pa.float64()),
            **{
                each: columns.text(each).to_arrow().cast(pa.string())
                for each in ("actual", "forecast", "previous", "link")
            },
            "is_scheduled": pa.array([scheduled] * len(event), pa.bool_()),
        },
        schema=SCHEMA,
    ).filter(pa.array(columns.good))
    if not len(table):
        worst = max(columns.rejected, key=lambda each: each.count)
        raise Undecodable(f"no row can be taken, because {worst.reason} (first in line {worst.first_line})")
    return Decoded(columns={}, timestamps=said, rejected=tuple(columns.rejected), series={series: table})


def _importance(text: str) -> float:
    found = _IMPORTANCE.get(text.lower())
    if found is None:
        raise ValueError(text)
    return found


def _sentiment(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if not -1 <= value <= 1:
        raise ValueError(text)
    return value


def _subjects(text: str) -> str:
    return " ".join(dict.fromkeys(_WORD.findall(text.upper())))
