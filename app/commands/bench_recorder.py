"""`nexttick bench recorder`: what recording takes and what it costs a session, beside the obvious way.

Events and quotes are handed to the recorder as a session does, until all are on disk; the peers write the
same to a file as they come, one `json.dumps` or one row of `csv.writer` each. Then the same session runs with
and without a recorder, in turns, each in a process of its own.
"""

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from app.commands import Report, Result
from app.commands.measuring import in_child, peak_mb
from engine.columns import Quotes
from engine.feeds.simulated import PROFILES, random_quotes
from engine.messages.events import AnyEvent, OrderChanged
from engine.messages.run import Run
from engine.recording.recorder import SessionRecorder
from engine.recording.writing import Keeping
from engine.session.backtest import backtest
from engine.session.source import ColumnsSource

_SEED: Final = 1
_EVENTS: Final = 200_000
_EVENTS_AT_ONCE: Final = 50
_ROWS_AT_ONCE: Final = 1_000
_PEER_ROWS: Final = 100_000
_STRATEGY: Final = "ema_cross"


def run_bench_recorder(args: argparse.Namespace, report: Report) -> Result:
    """Measure in child processes and compare medians."""
    measures: dict[str, Callable[..., dict[str, float]]] = {
        "events": _events,
        "events, json.dumps": _events_by_json,
        "rows": _rows,
        "rows, csv.writer": _rows_by_csv,
        "session": _session_alone,
        "session, recorded": _session_recorded,
    }
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in measures}
    for number in range(args.rounds):
        names = list(measures) if number % 2 == 0 else list(reversed(measures))
        for name in names:
            figures = in_child(measures[name], args.quotes)
            measured[name].append(figures)
            report(f"{name:<20}{figures['per_s']:>12,.0f}/s  peak {figures['peak_mb']:,.0f} MB")
    result = _compared(measured, args.quotes)
    return Result(result, _text(result))


def _compared(measured: dict[str, list[dict[str, float]]], quotes: int) -> dict[str, Any]:
    def of(name: str, figure: str = "per_s") -> float:
        return float(median(figures[figure] for figures in measured[name]))

    return {
        "events_per_s": of("events"),
        "events_ratio": of("events") / of("events, json.dumps"),
        "rows_per_s": of("rows"),
        "rows_ratio": of("rows") / of("rows, csv.writer"),
        "bytes_per_row": of("rows", "bytes_per_row"),
        "csv_bytes_per_row": of("rows, csv.writer", "bytes_per_row"),
        "session_ticks_per_s": of("session"),
        "recorded_ticks_per_s": of("session, recorded"),
        "session_ratio": of("session, recorded") / of("session"),
        "processor_ratio": of("session", "processor_s") / of("session, recorded", "processor_s"),
        "thread_share": of("session, recorded", "thread_share"),
        "rows_lost": max(figures["rows_lost"] for figures in measured["session, recorded"]),
        "peak_mb": of("session, recorded", "peak_mb"),
        "bare_peak_mb": of("session", "peak_mb"),
        "quotes": quotes,
    }


def _text(result: dict[str, Any]) -> str:
    return (
        f"Events {result['events_per_s']:,.0f}/s, {result['events_ratio']:.1f} times json.dumps per line\n"
        f"Rows {result['rows_per_s']:,.0f}/s, {result['rows_ratio']:.1f} times csv.writer per row; "
        f"{result['bytes_per_row']:.1f} bytes a row, CSV {result['csv_bytes_per_row']:.1f}\n"
        f"Session {result['recorded_ticks_per_s']:,.0f} ticks/s recorded, "
        f"{result['session_ticks_per_s']:,.0f} without: ratio {result['session_ratio']:.2f} "
        f"({result['processor_ratio']:.2f} by processor time); the recorder's "
        f"thread takes {result['thread_share']:.1%} of a core, {result['rows_lost']:,.0f} rows lost\n"
        f"Peak memory {result['peak_mb']:,.0f} MB recorded, {result['bare_peak_mb']:,.0f} MB without"
    )


# In the child processes ------------------------------------------------------------------------------------


def _recorded(hand_over: Callable[[SessionRecorder], None]) -> tuple[float, SessionRecorder, int]:
    """Seconds until all is on disk, the recorder, and the size of what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        # Handed over faster than any session could, so the queue may hold it all: nothing is to be lost here.
        recorder = SessionRecorder(Keeping(root=folder, cap_bytes=0, total_cap_bytes=0), queue_bytes=2**40)
        started = time.perf_counter()
        recorder.begin(Run(instrument="EURUSD.SIM"), PROFILES["fx"].instrument, frozenset({"quotes"}))
        hand_over(recorder)
        recorder.close()
        seconds = time.perf_counter() - started
        return seconds, recorder, recorder.status().bytes_written


def _made_events() -> list[AnyEvent]:
    return [
        OrderChanged(
            ts=number,
            order_id=f"O-{number}",
            instrument="EURUSD.SIM",
            strategy=_STRATEGY,
            side="BUY",
            type="LIMIT",
            quantity=Decimal(100_000),
            filled=Decimal(0),
            price=Decimal("1.10001"),
            trigger=None,
            average_price=None,
            status="ACCEPTED",
        )
        for number in range(_EVENTS)
    ]


def _events(_quotes: int) -> dict[str, float]:
    events = _made_events()

    def hand_over(recorder: SessionRecorder) -> None:
        for start in range(0, len(events), _EVENTS_AT_ONCE):
            recorder.events(events[start : start + _EVENTS_AT_ONCE])

    seconds, _, _ = _recorded(hand_over)
    return {"per_s": _EVENTS / seconds, "peak_mb": peak_mb()}


def _events_by_json(_quotes: int) -> dict[str, float]:
    events = _made_events()
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "events.jsonl").open("w") as file:
        started = time.perf_counter()
        for number, event in enumerate(events, start=1):
            line = {"number": number, "at_ns": time.time_ns(), "event": msgspec.structs.asdict(event)}
            file.write(json.dumps(line, default=str) + "\n")
        file.flush()
        seconds = time.perf_counter() - started
    return {"per_s": _EVENTS / seconds, "peak_mb": peak_mb()}


def _parts(quotes: Quotes) -> Sequence[Quotes]:
    return [
        quotes.take(slice(start, start + _ROWS_AT_ONCE)) for start in range(0, len(quotes), _ROWS_AT_ONCE)
    ]


def _rows(count: int) -> dict[str, float]:
    parts = _parts(random_quotes(count, _SEED, PROFILES["fx"].instrument))

    def hand_over(recorder: SessionRecorder) -> None:
        for part in parts:
            recorder.rows({"quotes": part})

    seconds, _, size = _recorded(hand_over)
    return {"per_s": count / seconds, "peak_mb": peak_mb(), "bytes_per_row": size / count}


def _rows_by_csv(count: int) -> dict[str, float]:
    count = min(count, _PEER_ROWS)
    quotes = random_quotes(count, _SEED, PROFILES["fx"].instrument)
    columns = [array.tolist() for array in quotes.arrays().values()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quotes.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            started = time.perf_counter()
            for row in zip(*columns, strict=True):
                writer.writerow(row)
            file.flush()
            seconds = time.perf_counter() - started
        size = path.stat().st_size
    return {"per_s": count / seconds, "peak_mb": peak_mb(), "bytes_per_row": size / count}


def _session_alone(count: int) -> dict[str, float]:
    return _session(count, None)


def _session_recorded(count: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return _session(count, SessionRecorder(Keeping(root=folder)))


def _session(count: int, recorder: SessionRecorder | None) -> dict[str, float]:
    instrument = PROFILES["fx"].instrument
    source = ColumnsSource(instrument, random_quotes(count, _SEED, instrument))
    run = Run(instrument=instrument.id, strategy=_STRATEGY)
    started, processor = time.perf_counter(), time.process_time()
    outcome = backtest(run, source, recorder=recorder)
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    share = 0.0 if recorder is None else recorder.thread_s / seconds
    lost = 0 if recorder is None else recorder.status().rows_lost
    return {
        "per_s": outcome.results.ticks / seconds,
        "processor_s": processor,
        "thread_share": share,
        "rows_lost": lost,
        "peak_mb": peak_mb(),
    }
