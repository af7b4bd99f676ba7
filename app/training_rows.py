"""Stored or generated market data as the rows that a model is trained on."""

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ai.features import FeatureSet
from ai.features.sources import NEWS
from ai.training.stretches import Stretch
from app.feature_tables import market, tables_of
from engine.columns import Columns
from engine.errors import UserError
from engine.messages.run import Run
from engine.session.source import SimulatedSource
from engine.store import Store

_PRICES: Final = {
    "quotes": (pl.col("bid") + pl.col("ask")) / 2,
    "trades": pl.col("price"),
    "book": (pl.col("bid_price_1") + pl.col("ask_price_1")) / 2,
    "bars": pl.col("close"),
}
"""What labels look at, by the clock."""

_KINDS: Final = {
    "quotes": ("quotes",),
    "trades": ("trades",),
    "book": ("deltas",),
    "bars": ("quotes", "trades"),
}
"""Kinds of columns that a stream is made of."""


def stored_rows(
    store: Store,
    features: FeatureSet,
    instruments: Mapping[str, str],
    start_ns: int | None = None,
    end_ns: int | None = None,
    series: Collection[str] | None = None,
) -> Stretch:
    """Rows of a feature set between two times, both inclusive; what lies before them warms the features up.

    News are those of `series`, or without them of all series.

    Raises
    ------
    UserError
        An instrument or a stream that the set reads is not stored.
    """
    tables = tables_of(store, features, instruments, series=series)
    markets = {role: market(store.instrument(instrument)) for role, instrument in instruments.items()}
    prices = tables[features.clock].select("ts", price=_PRICES[features.clock]).collect()
    frame = features.batch(tables, markets).collect()
    ts = frame["ts"].to_numpy()
    first = 0 if start_ns is None else int(ts.searchsorted(start_ns))
    last = len(ts) if end_ns is None else int(ts.searchsorted(end_ns, side="right"))
    part = frame.slice(first, max(last - first, 0))
    return Stretch(
        ts=part["ts"].to_numpy(),
        x=part.select(pl.col(features.outputs).cast(pl.Float32)).to_numpy(order="c"),
        price=prices["price"].slice(first, part.height).to_numpy(),
    )


def simulated_rows(run: Run, features: FeatureSet) -> tuple[str, Stretch]:
    """Instrument and rows of a generated market, by way of a store of its own.

    Raises
    ------
    UserError
        No such market, or it does not give what the set reads.
    """
    if any(line.stream == NEWS for line in features.lines):
        raise UserError(
            f"Feature set {features.name!r} reads news, and a generated market has none; train on stored "
            "data, or choose another set."
        )
    source = SimulatedSource(run)
    wanted = {kind for line in features.lines for kind in _KINDS[line.stream]}
    parts: dict[str, list[Columns]] = {kind: [] for kind in wanted}
    for chunk in source.chunks():
        for kind in wanted & set(chunk.columns):
            parts[kind].append(chunk.columns[kind])
    with tempfile.TemporaryDirectory(prefix="nexttick-") as folder:
        store = Store(Path(folder))
        columns = {kind: type(each[0]).concat(each) for kind, each in parts.items() if each}
        store.add(source.instrument, columns)
        return source.instrument.id, stored_rows(store, features, {"": source.instrument.id})
