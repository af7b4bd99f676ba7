"""Files as vendors write them, made here: for tests that must run without recordings."""

import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.feeds.formats import SourceFile
from engine.feeds.instruments import KnownInstruments

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "instruments.toml"

TICK = np.dtype([("ms", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_size", ">f4"), ("bid_size", ">f4")])
CANDLE = np.dtype(
    [("s", ">u4"), ("open", ">u4"), ("close", ">u4"), ("low", ">u4"), ("high", ">u4"), ("volume", ">f4")]
)


def known() -> KnownInstruments:
    """The station's own list of instruments."""
    return KnownInstruments.load(CONFIG)


def bi5(rows: Sequence[tuple[float, ...]], layout: np.dtype[np.void] = TICK) -> bytes:
    """One Dukascopy file; ticks are (ms, ask, bid, ask volume, bid volume)."""
    return lzma.compress(np.array(list(rows), layout).tobytes(), format=lzma.FORMAT_ALONE)


def hour(root: Path, data: bytes, *, day: str = "2019/01/04", number: int = 0) -> Path:
    """Write an hour file under its vendor's path (the month counts from 00)."""
    path = root / "EURUSD" / day / f"{number:02}h_ticks.bi5"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def recording(lines: Sequence[tuple[int, Mapping[str, object] | str]], *, zipped: bool = True) -> bytes:
    """Binance lines: receive time in ns and a message (a text stands as it is)."""
    texts = [f"{ns} {body if isinstance(body, str) else json.dumps(body)}" for ns, body in lines]
    data = "".join(f"{text}\n" for text in texts).encode()
    return gzip.compress(data, mtime=0) if zipped else data


def zipped(files: Mapping[str, str]) -> bytes:
    """Zip archive of text files, the same whenever it is made: it may name a test."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def source_file(
    data: bytes | str,
    name: str = "x.csv",
    *,
    instrument: str = "EURUSD.DUKASCOPY",
    format_name: str = "",
    **said: Any,
) -> SourceFile:
    """File of an instrument that is known, at a path that need not exist."""
    raw = data.encode() if isinstance(data, str) else data
    facts = known().find(instrument).instrument
    return SourceFile(path=Path(name), data=raw, instrument=facts, format=format_name, **said)
