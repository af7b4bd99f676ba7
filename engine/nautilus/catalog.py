"""Stored rows as a catalog that NautilusTrader's own loader reads.

A catalog is ordered by `ts_init`, so rows are streamed in that order, and each of its files holds the next
stretch of time. Prices and sizes are exact; a size that the source did not tell stays 0. A vendor's bar has
the time of its close in both of its times, as NautilusTrader's own bars do. Not written, because a catalog
cannot hold them, are whole books, corporate actions and the numbers of quotes.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from nautilus_trader.persistence import ParquetDataCatalog

from engine.columns import ADJUSTED, Columns, VendorBars, is_bars
from engine.errors import UserError
from engine.nautilus.data import to_nautilus, to_nautilus_bars
from engine.nautilus.instrument import to_nautilus_instrument
from engine.progress import Progress, silent
from engine.store import Store

_TICKS: Final = ("quotes", "trades", "deltas")
_CHUNK_ROWS: Final = 100_000
"""Rows in a file of the catalog: as NautilusTrader's values they take about 80 MB."""


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """A catalog that was written: rows by kind, and stored kinds that it does not hold."""

    instrument: str
    path: str
    rows: dict[str, int]
    left_out: list[str]
    size_bytes: int


def exportable(kinds: Sequence[str]) -> list[str]:
    """Those of the kinds that a catalog can hold; of bars the raw ones, because it cannot tell both apart."""
    return [kind for kind in kinds if kind in _TICKS or (is_bars(kind) and not kind.endswith(ADJUSTED))]


def write_catalog(
    store: Store,
    instrument: str,
    folder: Path,
    kinds: Sequence[str] | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    progress: Progress = silent,
) -> Catalog:
    """Write rows with `start_ns <= ts_init < end_ns` as a catalog in `folder`, which appears when complete.

    Parameters
    ----------
    kinds : sequence of str or None
        Kinds to write; None is all that a catalog can hold, of adjusted and raw bars the raw ones.

    Raises
    ------
    UserError
        Nothing that a catalog can hold is stored, or `folder` is there already or cannot be written.
    """
    stored = [kind for kind in store.kinds(instrument) if store.files(instrument, kind)]
    chosen = exportable(stored) if kinds is None else list(kinds)
    unfit = [kind for kind in chosen if kind not in stored or not (kind in _TICKS or is_bars(kind))]
    if unfit or not chosen:
        what = ", ".join(unfit) or "nothing"
        raise UserError(
            f"Of {instrument} there is {what} for a catalog; it holds quotes, trades, deltas and bars."
        )
    if folder.exists():
        raise UserError(f"{folder} is there already; name a new folder for the catalog.")
    beside = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        rows = _fill(store, instrument, beside, chosen, (start_ns, end_ns), progress)
        beside.rename(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{folder} cannot be written ({reason}); choose another place.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Catalog(
        instrument=instrument,
        path=str(folder),
        rows=rows,
        left_out=[kind for kind in stored if kind not in chosen],
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _fill(
    store: Store,
    instrument: str,
    folder: Path,
    kinds: Sequence[str],
    span: tuple[int | None, int | None],
    progress: Progress,
) -> dict[str, int]:
    catalog = ParquetDataCatalog(str(folder))
    catalog.write_instruments([to_nautilus_instrument(store.instrument(instrument))])
    total = sum(info.rows for kind, info in store.info(instrument).items() if kind in kinds) or 1
    rows = dict.fromkeys(kinds, 0)
    for kind in kinds:
        for chunk in store.chunks(instrument, [kind], *span, rows=_CHUNK_ROWS):
            progress(sum(rows.values()) / total, f"Exporting {kind} of {instrument}")
            columns = chunk.columns[kind]
            _write(catalog, instrument, kind, columns)
            rows[kind] += len(columns)
    return rows


def _write(catalog: ParquetDataCatalog, instrument: str, kind: str, columns: Columns) -> None:
    if isinstance(columns, VendorBars):
        catalog.write_bars(to_nautilus_bars(instrument, kind, columns))
        return
    values: Sequence[Any] = to_nautilus(instrument, columns, untold_size=0)
    if kind == "quotes":
        catalog.write_quote_ticks(values)
    elif kind == "trades":
        catalog.write_trade_ticks(values)
    else:
        catalog.write_order_book_deltas([delta for update in values for delta in update.deltas])
