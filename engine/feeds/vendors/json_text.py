"""JSON with every number as the text that stands in the file, so that none passes through a float."""

import json
import re
from collections.abc import Iterable

import polars as pl

from engine.feeds.decoded import Damaged, Undecodable

_WRAPPED = re.compile(r"^[A-Za-z_$][\w$.]*\s*\((.*)\)\s*;?$", re.DOTALL)
"""jsonp: a call with the document as its argument."""


def loaded(data: bytes) -> object:
    """Document of a JSON (or jsonp) file; numbers are strings as they stand there.

    Raises
    ------
    Undecodable
        Not UTF-8, cut off, or no JSON; the sentence names the line.
    """
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise Damaged("its JSON is not UTF-8 text") from error
    wrapped = _WRAPPED.match(text)
    try:
        document: object = json.loads(
            wrapped[1] if wrapped else text, parse_float=str, parse_int=str, parse_constant=str
        )
    except json.JSONDecodeError as error:
        raise Damaged(
            f"its JSON is damaged or cut off in line {error.lineno} ({error.msg.lower()})"
        ) from error
    except RecursionError as error:
        raise Undecodable("its JSON is nested too deeply to be data") from error
    return document


def text_column(values: Iterable[object]) -> pl.Series:
    """Values as a column of text; what is neither number nor string is missing."""
    return pl.Series([each if isinstance(each, str) else None for each in values], dtype=pl.String)
