"""Feature sets: named lists of features with parameters, read from TOML, that a model is trained on.

::

    title = "Ticks of a currency pair"
    clock = "quotes"            # the stream whose rows the set is evaluated on

    [[feature]]
    name = "realised_volatility"
    window = "60s"
    on = "quotes"               # the stream that feeds it; without it the clock's, where that can
    of = "leader"               # another instrument, by its role; without it the set's own
    as = "leader_volatility"    # another name for its column
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl

from ai.features.batch import evaluate
from ai.features.catalogue import FEATURES
from ai.features.code_hash import code_hash
from ai.features.feature import Feature, Market
from ai.features.graph import in_order
from ai.features.sources import DAY_NS, STREAMS, columns_of, source_of
from ai.features.streaming import FeatureStream, LinePlan
from ai.features.values import NAN, Floats, Value
from engine.errors import UserError, unknown_name

OWN = ""
"""Role of the instrument that the set is evaluated for."""


@dataclass(frozen=True)
class Line:
    """One stream of one instrument."""

    role: str
    stream: str

    def __str__(self) -> str:
        return f"{self.role}.{self.stream}" if self.role else self.stream


@dataclass(frozen=True)
class Entry:
    """One feature of a set: what it is, what feeds it, and what its columns are called."""

    feature: Feature
    line: Line
    outputs: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """What a passport records of it."""
        warm_up = self.feature.warm_up
        return {
            "name": self.feature.name,
            "parameters": self.feature.parameters(),
            "on": self.line.stream,
            "of": self.line.role,
            "outputs": list(self.outputs),
            "lag_rows": self.feature.lag_rows,
            "warm_up": {"rows": warm_up.rows, "ns": warm_up.ns},
            "code": code_hash(type(self.feature)),
        }


@dataclass(frozen=True)
class FeatureSet:
    """A list of features on one clock; column k of its rows is `outputs[k]`.

    Attributes
    ----------
    clock : str
        `quotes`, `trades`, `book` or `bars`: each row of it is a row of the set.
    bars : str
        Specification of the bars that it reads, for example `1-MINUTE-MID`; empty where it reads none.
    """

    name: str
    title: str
    clock: str
    bars: str
    entries: tuple[Entry, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Columns, in order."""
        return tuple(name for entry in self.entries for name in entry.outputs)

    @property
    def lines(self) -> tuple[Line, ...]:
        """Streams that it reads, the clock first."""
        return tuple(dict.fromkeys([Line(OWN, self.clock), *(entry.line for entry in self.entries)]))

    @cached_property
    def levels(self) -> int:
        """Book levels a side that it reads; 0 without a book."""
        if all(line.stream != "book" for line in self.lines):
            return 0
        return max(1, *(entry.feature.levels for entry in self.entries if entry.line.stream == "book"))

    @cached_property
    def sha256(self) -> str:
        """Hash of the clock, and of every feature's code, parameters, source and order."""
        told = {"clock": self.clock, "bars": self.bars, "features": [entry.facts() for entry in self.entries]}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    # -- both forms ---------------------------------------------------------------------------------------

    def batch(
        self, tables: Mapping[str, pl.LazyFrame], markets: Mapping[str, Market] | Market
    ) -> pl.LazyFrame:
        """Batch form, lazy.

        Parameters
        ----------
        tables : mapping
            One table (see `ai.features.sources`) per line: `quotes`, or `leader.quotes` for another role.
        markets : Market or mapping of role to Market
            Facts of the instruments; one alone is that of every role.

        Returns
        -------
        LazyFrame
            `ts` and the outputs as Float64, one row per row of the clock. No nulls; NaN is no value.

        Raises
        ------
        UserError
            A table or one of its columns is missing.
        """
        parts = [self._line_frame(line, tables, markets) for line in self.lines]
        frame = parts[0]
        for part in parts[1:]:
            frame = frame.join_asof(
                part, on="ts", strategy="backward", allow_exact_matches=False, check_sortedness=False
            )
        own = {name for entry in self.entries if entry.line == self.lines[0] for name in entry.outputs}
        return frame.select(
            "ts", *(name if name in own else pl.col(name).fill_null(NAN) for name in self.outputs)
        )

    def _line_frame(
        self, line: Line, tables: Mapping[str, pl.LazyFrame], markets: Mapping[str, Market] | Market
    ) -> pl.LazyFrame:
        if str(line) not in tables:
            raise UserError(f"Feature set {self.name!r} reads {line}, of which nothing was given.")
        table, columns = tables[str(line)], columns_of(line.stream, self.levels)
        present = table.collect_schema().names()
        missing = [name for name in columns if name not in present]
        if missing:
            raise UserError(
                f"The table of {line} lacks the column {missing[0]!r}, which feature set {self.name!r} needs."
            )
        formulas = self.formulas(line, market_of(line.role, markets))
        read = {value.detail for value in in_order([v for _, v in formulas]) if value.operation == "column"}
        return table.select(name for name in columns if name == "ts" or name in read).map_batches(
            partial(_evaluated, [name for name, _ in formulas], [value for _, value in formulas], read),
            schema={"ts": pl.Int64} | {name: pl.Float64 for name, _ in formulas},
            predicate_pushdown=False,
            projection_pushdown=False,
            slice_pushdown=False,
        )

    def formulas(self, line: Line, market: Market) -> list[tuple[str, Value]]:
        """Outputs that a line computes, in order, with their formulas."""
        source = source_of(line.stream)
        return [
            (name, value)
            for entry in self.entries
            if entry.line == line
            for name, value in zip(entry.outputs, entry.feature.formula(source, market), strict=True)
        ]

    def stream(self, markets: Mapping[str, Market] | Market) -> FeatureStream:
        """Streaming form, at its start."""
        places = {name: place for place, name in enumerate(self.outputs)}
        plans = []
        for line in self.lines:
            formulas = self.formulas(line, market_of(line.role, markets))
            warm_ups = [entry.feature.warm_up for entry in self.entries if entry.line == line]
            plans.append(
                LinePlan(
                    role=line.role,
                    source=source_of(line.stream),
                    outputs=[(value, places[name]) for name, value in formulas],
                    warm_up=(
                        max((each.rows for each in warm_ups), default=0),
                        max((each.ns for each in warm_ups), default=0),
                    ),
                )
            )
        return FeatureStream(len(places), plans)

    # -- reading ------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a set from a TOML file, named like the file; raises `UserError` for anything wrong in it."""
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"The feature set {path} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"The feature set {path} is not TOML: {error}.") from error
        return cls.of(path.stem, given)

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any]) -> Self:
        """Make a set from the contents of its file; raises `UserError` for anything wrong in them."""
        for key in given:
            if key not in ("title", "clock", "bars", "feature"):
                raise unknown_name(
                    f"setting in feature set {name}", key, ("title", "clock", "bars", "feature")
                )
        clock, bars = given.get("clock", "quotes"), str(given.get("bars", ""))
        if clock not in STREAMS:
            raise unknown_name(f"clock of feature set {name}", str(clock), STREAMS)
        listed = given.get("feature", [])
        if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
            raise UserError(f"Feature set {name!r} lists no features; add a [[feature]] with its name.")
        entries = tuple(_entry(each, clock) for each in listed)
        made = cls(name, str(given.get("title", name)), clock, bars, entries)
        _check(made)
        return made

    def only(self, entry: Entry) -> "FeatureSet":
        """Set of one of its features, on the same clock."""
        return FeatureSet(self.name, self.title, self.clock, self.bars, (entry,))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)


def _evaluated(
    names: Sequence[str], formulas: Sequence[Value], read: AbstractSet[str], table: pl.DataFrame
) -> pl.DataFrame:
    ts = table["ts"].to_numpy()
    columns = {name: _blocks_of(table[name]) for name in read if name != "ns_of_day"}
    if "ns_of_day" in read:
        columns["ns_of_day"] = _blocks_of(pl.Series((ts % DAY_NS).astype(np.float64)))
    values = evaluate(formulas, ts, lambda name, start, end: columns[name](start, end))
    return pl.DataFrame({"ts": table["ts"]} | dict(zip(names, values, strict=True)))


def _blocks_of(column: pl.Series) -> Callable[[int, int], Floats]:
    """Rows of a column, without a copy of all of it where polars hands it over in pieces."""
    if column.n_chunks() > 1:
        return lambda start, end: column.slice(start, end - start).to_numpy()
    whole = column.to_numpy()
    return lambda start, end: whole[start:end]


def market_of(role: str, markets: Mapping[str, Market] | Market) -> Market:
    """Facts of the instrument in this role."""
    return markets if isinstance(markets, Market) else markets[role]


def _entry(given: Mapping[str, Any], clock: str) -> Entry:
    name = str(given.get("name", ""))
    if name not in FEATURES:
        raise unknown_name("feature", name, FEATURES)
    kind = FEATURES[name]
    feature = kind.of({key: value for key, value in given.items() if key not in ("name", "as", "on", "of")})
    stream, role = _stream(kind, given.get("on"), clock), str(given.get("of", OWN))
    if role and not role.isidentifier():
        raise UserError(f"A role is one word of letters, digits and _; of={role!r} of {name} is not.")
    outputs = feature.outputs
    if "as" in given:
        alias = str(given["as"])
        outputs = (alias,) if len(outputs) == 1 else tuple(f"{alias}_{output}" for output in outputs)
    elif role:
        outputs = tuple(f"{role}_{output}" for output in outputs)
    return Entry(feature, Line(role, stream), outputs)


def _stream(kind: type[Feature], on: object, clock: str) -> str:
    streams = kind.streams
    if on is None:
        return clock if clock in streams else streams[0]
    if on not in streams:
        raise UserError(f"Feature {kind.name!r} reads {' or '.join(streams)}, not {on!r}.")
    return str(on)


def _check(made: FeatureSet) -> None:
    seen: set[str] = {"ts"}
    for output in made.outputs:
        if output in seen:
            raise UserError(
                f"Feature set {made.name!r} has two columns {output!r}; name one differently with as = …."
            )
        seen.add(output)
    reads_bars = any(line.stream == "bars" for line in made.lines)
    if reads_bars and not made.bars:
        raise UserError(
            f'Feature set {made.name!r} reads bars; say which, for example bars = "1-MINUTE-MID".'
        )
