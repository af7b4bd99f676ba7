"""Databento's historical API: a range of one schema as DBN, compressed with Zstandard, with the person's key.

`POST BASE/v0/timeseries.get_range`, the key as the user of basic authentication. Answers are streamed, so
they cannot be gone on with, and every one is charged (databento.com, API reference, historical).
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import quote

from urllib3.util import make_headers

from engine.downloads.http import HttpTransport
from engine.downloads.plan import ZSTANDARD, Order, RemoteFile, check_over, days, end_of
from engine.downloads.source import Source
from engine.errors import UserError

_TITLE: Final = "Databento"
_SCHEMAS: Final = (
    *("trades", "mbp-1", "mbp-10", "mbo"),
    *("ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d"),
    "definition",
)
_DATASETS: Final = {
    "GLBX": "GLBX.MDP3",
    "CME": "GLBX.MDP3",
    "NASDAQ": "XNAS.ITCH",
    "XNAS": "XNAS.ITCH",
    "NYSE": "XNYS.PILLAR",
    "XNYS": "XNYS.PILLAR",
    "ARCX": "ARCX.PILLAR",
    "XASE": "XASE.PILLAR",
    "BATS": "BATS.PITCH",
    "MEMX": "MEMX.MEMOIR",
    "IEXG": "IEXG.TOPS",
    "XEUR": "XEUR.EOBI",
    "IFEU": "IFEU.IMPACT",
    "IFUS": "IFUS.IMPACT",
}
_SETTLED: Final = timedelta(days=1)


def _plan(order: Order, base: str, now: datetime) -> list[RemoteFile]:
    symbol, _, venue = order.instrument.rpartition(".")
    dataset = order.dataset or _DATASETS.get(venue)
    if dataset is None:
        raise UserError(
            f"{order.instrument} does not tell Databento's dataset; add it with --dataset, for example "
            "--dataset GLBX.MDP3."
        )
    check_over(order, now, _TITLE)
    return [
        _file(f"{base}/v0/timeseries.get_range", dataset, order.symbol or symbol, order.kind, months)
        for months in _by_month(days(order))
    ]


def _file(url: str, dataset: str, symbol: str, schema: str, part: tuple[date, date]) -> RemoteFile:
    first, last = part
    return RemoteFile(
        url=url,
        name=f"{dataset}/{schema}/{quote(symbol, safe='')}/{first}_{last}.dbn.zst",
        final_at=end_of(last) + _SETTLED,
        begins=ZSTANDARD,
        form=(
            ("dataset", dataset),
            ("symbols", symbol),
            ("schema", schema),
            ("start", first.isoformat()),
            ("end", end_of(last).date().isoformat()),
            ("stype_in", "raw_symbol"),
            ("stype_out", "instrument_id"),
            ("encoding", "dbn"),
            ("compression", "zstd"),
        ),
        paid=True,
    )


def _by_month(wanted: list[date]) -> Iterator[tuple[date, date]]:
    """First and last day of each month's part: one that breaks off costs no more than that again."""
    while wanted:
        part = [day for day in wanted if (day.year, day.month) == (wanted[0].year, wanted[0].month)]
        yield part[0], part[-1]
        wanted = wanted[len(part) :]


SOURCE: Final = Source(
    name="databento",
    title=_TITLE,
    kinds=_SCHEMAS,
    plan=_plan,
    new_transport=HttpTransport,
    authorization=lambda key: make_headers(basic_auth=f"{key}:"),
)
