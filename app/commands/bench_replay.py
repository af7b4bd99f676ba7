"""`nexttick bench replay`: what the session and its link cost, beside the bare engine.

Both run the same generated quotes and the same strategy from columns in memory to the end of the run, each in
a process of its own, in turns. The session is watched: a second process reads its frames and acknowledges
them as the window does. Besides the wall clock the processor time of the engine's process is compared, which
other programs on the machine disturb less.
"""

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, Final

from app.commands import Report, Result
from app.commands.measuring import peak_mb
from app.paths import ROOT
from engine.errors import UserError
from engine.feeds.simulated import PROFILES, random_quotes
from engine.link.channel import Channel
from engine.link.protocols import Picture
from engine.link.server import serve
from engine.messages.commands import AnyCommand, Play, SetSpeed, Stop
from engine.messages.events import AnyEvent, Filled, Results
from engine.messages.run import Run, VenueRules
from engine.risk.kill import KillSwitch
from engine.session.replay import ReplaySession
from engine.session.source import ColumnsSource, Source, StoredSource
from engine.store.store import Store
from engine.strategies import parse_parameters

_STRATEGY: Final = "ema_cross"
_SEED: Final = 1
_FRAME_S: Final = 0.016
_STORED_AT_ONCE: Final = 500_000


def run_bench_replay(args: argparse.Namespace, report: Report) -> Result:
    """Measure in child processes and compare medians."""
    if args.quotes < 1_000 or args.rounds < 1:
        raise UserError("The benchmark needs at least 1,000 quotes and one round.")
    measured: dict[str, list[dict[str, Any]]] = {"bare": [], "session": []}
    for number in range(args.rounds):
        order = ("bare", "session") if number % 2 == 0 else ("session", "bare")
        for mode in order:
            figures = _in_child(mode, args.quotes)
            measured[mode].append(figures)
            report(f"{mode:<8} {figures['ticks_per_s']:>10,.0f} ticks/s  peak {figures['peak_mb']:,.0f} MB")
    if len({figures["fills_sha256"] for part in measured.values() for figures in part}) != 1:
        raise RuntimeError("the session and the bare engine made different fills")
    result = _compared(measured, args.quotes)
    if args.long:
        result.update(_long(5 * args.quotes, report))
    return Result(result, _text(result))


def _long(quotes: int, report: Report) -> dict[str, Any]:
    """Replay from a store, where nothing but chunks is in memory."""
    with tempfile.TemporaryDirectory() as folder:
        report(f"storing {quotes:,} quotes …")
        store, instrument = Store(Path(folder)), PROFILES["fx"].instrument
        start_ns = 0
        for number in range(-(-quotes // _STORED_AT_ONCE)):
            count = min(_STORED_AT_ONCE, quotes - number * _STORED_AT_ONCE)
            part = random_quotes(count, _SEED + number, instrument, start_ns)
            store.add(instrument, {"quotes": part})
            start_ns = int(part.ts_init[-1])
        figures = _in_child("stored", quotes, folder)
    report(f"stored   {figures['ticks_per_s']:>10,.0f} ticks/s  peak {figures['peak_mb']:,.0f} MB")
    return {
        "long_quotes": quotes,
        "long_ticks_per_s": figures["ticks_per_s"],
        "long_peak_mb": figures["peak_mb"],
        "long_growth_mb": figures["growth_mb"],
        "long_fills": figures["fills"],
    }


def _compared(measured: dict[str, list[dict[str, Any]]], quotes: int) -> dict[str, Any]:
    def of(mode: str, figure: str) -> float:
        return float(median(figures[figure] for figures in measured[mode]))

    def best(mode: str) -> float:
        return float(max(figures["run_ticks_per_s"] for figures in measured[mode]))

    return {
        "ratio": of("session", "ticks_per_s") / of("bare", "ticks_per_s"),
        "ticks_per_s": of("session", "ticks_per_s"),
        "bare_ticks_per_s": of("bare", "ticks_per_s"),
        "memory_ratio": of("session", "peak_mb") / of("bare", "peak_mb"),
        "run_ratio": of("session", "run_ticks_per_s") / of("bare", "run_ticks_per_s"),
        "best_ratio": best("session") / best("bare"),
        "processor_ratio": of("bare", "processor_s") / of("session", "processor_s"),
        "peak_mb": of("session", "peak_mb"),
        "bare_peak_mb": of("bare", "peak_mb"),
        "quotes": quotes,
        "frames": of("session", "frames"),
        "fills_sha256": measured["bare"][0]["fills_sha256"],
    }


def _text(result: dict[str, Any]) -> str:
    return (
        f"Session {result['ticks_per_s']:,.0f} ticks/s, bare engine {result['bare_ticks_per_s']:,.0f}: "
        f"ratio {result['ratio']:.2f} ({result['run_ratio']:.2f} without loading, "
        f"{result['best_ratio']:.2f} of the best rounds without loading, "
        f"{result['processor_ratio']:.2f} by processor time)\n"
        f"Peak memory {result['peak_mb']:,.0f} MB, bare engine {result['bare_peak_mb']:,.0f} MB: "
        f"ratio {result['memory_ratio']:.2f}"
    ) + (
        f"\n{result['long_quotes']:,} quotes from a store: {result['long_ticks_per_s']:,.0f} ticks/s, "
        f"peak {result['long_peak_mb']:,.0f} MB, {result['long_growth_mb']:+,.0f} MB after its first tenth "
        f"with {result['long_fills']:,} fills"
        if "long_quotes" in result
        else ""
    )


def _in_child(mode: str, quotes: int, store: str = "") -> dict[str, Any]:
    command = [sys.executable, "-m", "app.commands.bench_replay", mode, str(quotes), store]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"the {mode} run of the benchmark failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


# In the child processes ------------------------------------------------------------------------------------


def _bare(quotes: int) -> dict[str, Any]:
    from engine.nautilus.engine import SimulatedVenue  # noqa: PLC0415 - only the child needs it by itself
    from engine.session.fills import fills_sha256  # noqa: PLC0415

    instrument = PROFILES["fx"].instrument
    columns = random_quotes(quotes, _SEED, instrument)
    events: list[AnyEvent] = []
    venue = SimulatedVenue(
        instrument,
        VenueRules(),
        kinds=frozenset({"quotes"}),
        strategy=_STRATEGY,
        parameters=parse_parameters(_STRATEGY, {}),
        emit=events.append,
    )
    started, processor = time.perf_counter(), time.process_time()
    venue.load({"quotes": columns})
    loaded = time.perf_counter()
    venue.run_to(int(columns.ts_init[-1]))
    venue.finish()
    ended, processor = time.perf_counter(), time.process_time() - processor
    venue.dispose()
    return {
        "ticks_per_s": quotes / (ended - started),
        "run_ticks_per_s": quotes / (ended - loaded),
        "processor_s": processor,
        "fills_sha256": fills_sha256(event for event in events if isinstance(event, Filled)),
        "frames": 0,
    }


class _Watched:
    """A session with a stop-watch from its first `Play` to its results."""

    def __init__(self, session: ReplaySession, quotes: int) -> None:
        self._session = session
        self._early = quotes // 10
        self.early_peak_mb = 0.0
        self.started = self.ended = self.processor_s = self.load_s = 0.0
        self.results: Results | None = None

    @property
    def kill_switch(self) -> KillSwitch:
        return self._session.kill_switch

    def handle(self, command: AnyCommand) -> None:
        if isinstance(command, Play):
            self.started, self.processor_s = time.perf_counter(), -time.process_time()
        self._session.handle(command)

    def advance(self, seconds: float) -> bool:
        busy = self._session.advance(seconds)
        if not self.early_peak_mb and self._session.course.playhead.ticks > self._early:
            self.early_peak_mb = peak_mb()
        return busy

    def take_events(self) -> list[AnyEvent]:
        events = self._session.take_events()
        for event in events:
            if isinstance(event, Results):
                self.ended, self.results = time.perf_counter(), event
                self.processor_s += time.process_time()
        return events

    def take_picture(self) -> Picture:
        return self._session.take_picture()

    def rewatch(self) -> None:
        self._session.rewatch()

    def close(self) -> None:
        self.load_s = self._session.course.playhead.load_s
        self._session.close()


def _session(quotes: int) -> dict[str, Any]:
    instrument = PROFILES["fx"].instrument
    return _watched(ColumnsSource(instrument, random_quotes(quotes, _SEED, instrument)), quotes)


def _stored(quotes: int, folder: str) -> dict[str, Any]:
    return _watched(StoredSource(Run(instrument=PROFILES["fx"].instrument.id, store=folder)), quotes)


def _watched(source: Source, quotes: int) -> dict[str, Any]:
    instrument = source.instrument
    session = _Watched(ReplaySession(Run(instrument=instrument.id, strategy=_STRATEGY), source), quotes)
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    counted, tell = spawning.Pipe(duplex=False)
    watcher = spawning.Process(target=_watch, args=(theirs, tell))
    watcher.start()
    theirs.close()
    serve(ours, session)
    frames, events_lost = counted.recv()
    watcher.join()
    if session.results is None or events_lost:
        raise RuntimeError(f"the session did not finish, or {events_lost} events were lost")
    seconds = session.ended - session.started
    return {
        "ticks_per_s": quotes / seconds,
        "run_ticks_per_s": quotes / (seconds - session.load_s),
        "processor_s": session.processor_s,
        "fills": session.results.fills,
        "growth_mb": peak_mb() - session.early_peak_mb,
        "fills_sha256": session.results.fills_sha256,
        "frames": frames,
    }


def _watch(connection: Connection, tell: Connection) -> None:
    """Read frames at the screen's rate until the results came; in a process of its own."""
    channel = Channel()
    reader = threading.Thread(target=channel.run, args=(connection,))
    reader.start()
    channel.send(SetSpeed(0.0))
    channel.send(Play())
    frames, last_event, lost, finished = 0, 0, 0, False
    while not finished and reader.is_alive():
        for frame in channel.drain():
            frames += 1
            for numbered in frame.events:
                lost += numbered.number != last_event + 1
                last_event = numbered.number
                finished |= isinstance(numbered.event, Results)
        time.sleep(_FRAME_S)
    channel.send(Stop())
    tell.send((frames, lost))
    reader.join()


def _main(mode: str, quotes: int, folder: str) -> None:
    if mode == "stored":
        figures = _stored(quotes, folder)
    else:
        figures = _bare(quotes) if mode == "bare" else _session(quotes)
    figures["peak_mb"] = peak_mb()
    print(json.dumps(figures))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
