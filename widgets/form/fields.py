"""What a form asks for, read from a struct's JSON schema: names, types, ranges, descriptions, defaults."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

_ZERO_IS: Final = re.compile(r"\b0 is [^.;]*(?:\.\d[^.;]*)*")

type Value = int | float | str | bool


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One value to give.

    Attributes
    ----------
    kind : str
        `integer`, `number`, `decimal` (a number kept as its text), `boolean`, `text` or `choice`.
    low, high : float or None
        Range; `exclusive_low` and `exclusive_high` say that the end itself is outside.
    choices : list of str
        Of a choice.
    unit : str
        What a number counts, where its struct says so.
    optional : bool
        It may be left empty, which is None.
    """

    name: str
    kind: str
    title: str
    description: str = ""
    default: Value | None = None
    low: float | None = None
    high: float | None = None
    exclusive_low: bool = False
    exclusive_high: bool = False
    choices: list[str] = []
    unit: str = ""
    optional: bool = False

    @property
    def range_text(self) -> str:
        """Range in words: `1 to 200`, `above 0`, or nothing."""
        low = None if self.low is None else f"{self.low:g}"
        high = None if self.high is None else f"{self.high:g}"
        if low is not None and high is not None and not (self.exclusive_low or self.exclusive_high):
            return f"{low} to {high}"
        below = f"{'below' if self.exclusive_high else 'at most'} {high}" if high is not None else ""
        above = f"{'above' if self.exclusive_low else 'at least'} {low}" if low is not None else ""
        return " and ".join(part for part in (above, below) if part)

    @property
    def zero_note(self) -> str:
        """What a zero means, where the description says so (`0 is …`); nothing otherwise."""
        found = _ZERO_IS.search(self.description)
        return found[0] if found else ""

    def fault(self, value: Value) -> str:
        """What is wrong with a value, in one sentence; empty where nothing is."""
        if isinstance(value, str) or not self.range_text:
            return ""
        too_low = self.low is not None and (value <= self.low if self.exclusive_low else value < self.low)
        too_high = self.high is not None and (
            value >= self.high if self.exclusive_high else value > self.high
        )
        if too_low or too_high:
            return f"{self.title} must be {self.range_text}, not {value:g}."
        return ""


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """Fields of a struct from `msgspec.json.schema(struct)`, in the struct's order.

    Raises
    ------
    ValueError
        A property is neither number, text, yes/no nor a choice of texts.
    """
    definitions = schema.get("$defs", {})
    table = _resolve(schema, definitions)
    return [_field(name, _resolve(entry, definitions)) for name, entry in table.get("properties", {}).items()]


def _resolve(entry: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    if (reference := entry.get("$ref")) is None:
        return dict(entry)
    target = definitions[reference.rpartition("/")[2]]
    return {**target, **{key: value for key, value in entry.items() if key != "$ref"}}


def _field(name: str, entry: Mapping[str, Any]) -> Field:
    exclusive_low, exclusive_high = "exclusiveMinimum" in entry, "exclusiveMaximum" in entry
    return Field(
        name=name,
        kind=_kind(name, entry),
        title=entry.get("title", name.replace("_", " ")),
        description=entry.get("description", ""),
        default=entry.get("default"),
        low=entry.get("exclusiveMinimum", entry.get("minimum")),
        high=entry.get("exclusiveMaximum", entry.get("maximum")),
        exclusive_low=exclusive_low,
        exclusive_high=exclusive_high,
        choices=[str(choice) for choice in entry.get("enum", [])],
        unit=entry.get("unit", ""),
        optional=any(part.get("type") == "null" for part in entry.get("anyOf", [])),
    )


def _kind(name: str, entry: Mapping[str, Any]) -> str:
    if "enum" in entry:
        return "choice"
    parts = [part for part in (entry.get("anyOf") or [entry]) if part.get("type") != "null"]
    if all(part.get("format") == "decimal" for part in parts):
        return "decimal"
    types = {part.get("type") for part in parts}
    if types <= {"integer", "number"} and types:
        return "number" if "number" in types else "integer"
    for schema_type, kind in (("boolean", "boolean"), ("string", "text")):
        if types == {schema_type}:
            return kind
    raise ValueError(f"{name} has no form: its type is {sorted(map(str, types))}")
