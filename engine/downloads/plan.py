"""What a source answers to an order: the files to fetch, and all that must be known to keep them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import msgspec

from engine.errors import UserError

ZIP = b"PK"
GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants of a source.

    Attributes
    ----------
    instrument : str
        SYMBOL.VENUE that the rows are to be stored as.
    kind : str
        One of the source's kinds, in the source's own words; empty means its default.
    first, last : date
        UTC days, both included.
    symbol : str
        The source's own symbol, where the instrument's name does not tell it.
    dataset : str
        Databento's dataset or Tardis' exchange, where the venue does not tell it.
    """

    instrument: str
    kind: str = ""
    first: date
    last: date
    symbol: str = ""
    dataset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file of a source.

    Attributes
    ----------
    url : str
        Without any key.
    name : str
        Path below the source's folder in the cache, with `/`.
    final_at : datetime
        From then on the file no longer changes; one that was fetched before is fetched again.
    absence : str
        What a 404 means: `empty` is a file without rows (kept as an empty file), `missing` one that the
        source does not have, though it may have the others (told, and asked for again), `error` a mistake.
    begins : bytes
        How a file that is not empty begins; anything else is no answer of the source.
    checksum_url : str or None
        Where its SHA-256 is published.
    form : tuple of (name, value)
        Posted instead of a GET, where there are any.
    paid : bool
        Each answer costs money, so one that broke off is not asked for again unasked.
    """

    url: str
    name: str
    final_at: datetime
    absence: Literal["empty", "missing", "error"] = "error"
    begins: bytes = b""
    checksum_url: str | None = None
    form: tuple[tuple[str, str], ...] = ()
    paid: bool = False


def days(order: Order) -> list[date]:
    """Each day of the order."""
    count = (order.last - order.first).days + 1
    return [order.first + timedelta(days=number) for number in range(count)]


def end_of(day: date) -> datetime:
    """First moment after `day`, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def check_over(order: Order, now: datetime, title: str) -> None:
    """Raise UserError where the last day is not over: `title` publishes whole days only."""
    if end_of(order.last) > now:
        yesterday = now.astimezone(UTC).date() - timedelta(days=1)
        raise UserError(
            f"{title} publishes a day after its end (UTC), and {order.last} is not over; "
            f"end at {yesterday} or earlier."
        )
