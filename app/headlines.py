"""News of the store as the stream that features read: which headlines, and in which order."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import polars as pl

from ai.features.pieces import Piece
from ai.features.sources import NEWS_FIELDS
from ai.inference.news import NO_NEWS
from engine.messages.instrument import Instrument
from engine.messages.run import Run
from engine.session.publishing import news_in, news_rows
from engine.store.series import SeriesStore

_READ: Final = ("ts_init", "subjects", "sentiment", "importance")
_SCHEMA: Final = {"ts": pl.Int64, "sentiment": pl.Float64, "importance": pl.Float64}


def headlines(
    store: Path, instrument: Instrument, names: Collection[str] | None = None, end_ns: int | None = None
) -> pl.DataFrame:
    """Headlines that concern an instrument, as the stream `news` of `ai.features.sources`.

    Those whose subjects name its base, its quote or its symbol, and those without subjects, which concern
    everything. Rows are in the order of `ts`; equal ones in the order of their series' names, then as stored.

    Parameters
    ----------
    names : collection of str, optional
        Series; without them all that hold news.
    end_ns : int, optional
        Last time, inclusive.

    Raises
    ------
    UserError
        See `news_rows`.
    """
    series = SeriesStore(store)
    end = None if end_ns is None else end_ns + 1
    parts = [
        pl.DataFrame(news_rows(series, name, end_ns=end).select(list(_READ)))
        for name in sorted(news_in(store) if names is None else set(names))
    ]
    if not parts:
        return pl.DataFrame(schema=_SCHEMA)
    concerned = [each.upper() for each in (instrument.base, instrument.quote, instrument.symbol)]
    named = pl.col("subjects").str.split(" ").list.eval(pl.element().is_in(concerned)).list.any()
    return (
        pl.concat(parts)
        .filter((pl.col("subjects") == "") | named)
        .select(
            ts="ts_init",
            sentiment=pl.col("sentiment").fill_null(0.0),
            importance=pl.col("importance").cast(pl.Float64),
        )
        .sort("ts", maintain_order=True)
    )


def news_of(run: Run, instrument: Instrument) -> Piece:
    """Headlines of a run's series up to its end, as the pieces that models are given.

    Raises
    ------
    UserError
        As `headlines`.
    """
    if not (run.series and run.store):  # the session refuses series without a store
        return NO_NEWS
    found = headlines(Path(run.store), instrument, run.series, run.end_ns)
    return found["ts"].to_numpy(), {name: found[name].to_numpy() for name in NEWS_FIELDS}
