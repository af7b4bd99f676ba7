"""`nexttick bench order-latency`: what the gate costs, and how long it takes from a click to the painted row.

The gate is asked with all twenty limits set. The click goes the whole way, as in trading: window, link, gate,
engine, its adapter, an exchange on loopback and back, until the table that shows the order as accepted is
painted. Beside it, in the same run, stands what the exchange alone takes: a signed order over HTTP, answered.
"""

import argparse
import os
import time
from collections.abc import Sequence
from decimal import Decimal
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, override

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from app import engines
from app.commands import Report, Result
from app.commands.bench_ui import close_window, open_window, spin, wait
from app.commands.local_exchange import ACCOUNT, exchange, keys_at, run_at
from app.gui import make_application, make_station
from app.session import StationSession
from engine.messages.events import Phase
from engine.messages.orders import HAND, OrderIntent
from engine.risk.bench import gate_ns

if TYPE_CHECKING:
    from tests.venue import ProcessVenue

_CLICKS: Final = 200
_PAUSE_S: Final = 0.06
_LONGEST_S: Final = 60.0
_SOON_S: Final = 5.0
_AIM_US: Final = 20.0


def run_bench_order_latency(_args: argparse.Namespace, report: Report) -> Result:
    """Measure all three."""
    gate = np.array(gate_ns()) / 1e3
    report(f"Clicking {_CLICKS} times.")
    with TemporaryDirectory(prefix="latency-") as folder, exchange(deposit=Decimal(1_000_000)) as venue:
        os.environ["NEXTTICK_HOME"] = folder
        clicks = _clicks(venue)
        bare = _bare(venue)
    figures: dict[str, Any] = {
        "gate_us": _spread(gate),
        "click_to_paint_ms": _spread(clicks),
        "bare_order_ms": _spread(bare),
    }
    figures["ratio"] = figures["click_to_paint_ms"]["p50"] / figures["bare_order_ms"]["p50"]
    return Result(figures, _text(figures))


class _Painted(QObject):
    """Sees when a table was painted that shows an order as accepted."""

    def __init__(self, watched: QWidget, session: StationSession) -> None:
        super().__init__()
        self._session, self._request = session, ""
        self._at = 0.0
        self._loop = QEventLoop()
        self._patience = QTimer(self, singleShot=True, interval=round(_SOON_S * 1000))
        self._patience.timeout.connect(self._loop.quit)
        watched.installEventFilter(self)

    def wait(self, request: str) -> float:
        """When the order of this request was painted, by `time.perf_counter`; the window lives on meanwhile.

        Raises
        ------
        RuntimeError
            It was not, for a while.
        """
        self._request, self._at = request, 0.0
        self._patience.start()
        self._loop.exec()
        self._patience.stop()
        if not self._at:
            raise RuntimeError(f"not shown as accepted: {self._session.state.orders.of_request(request)}")
        return self._at

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint and self._request:
            orders = self._session.state.orders.of_request(self._request)
            if orders and orders[0].status == "ACCEPTED":
                self._request = ""
                QTimer.singleShot(0, self._done)  # once this event, which paints, was dealt with
        return False

    def _done(self) -> None:
        self._at = time.perf_counter()
        self._loop.quit()


def _clicks(venue: "ProcessVenue") -> Sequence[float]:
    application = make_application(offscreen=True)
    station = make_station(application, engines.opener("process", secrets_of=lambda run: keys_at(venue, run)))
    session = station.open_run(run_at(venue))
    window = open_window(station)
    try:
        wait(application, lambda: session.phase is Phase.PLAYING and _bid(session) is not None, _LONGEST_S)
        session.arm("live", ACCOUNT)
        wait(application, lambda: session.state.control.arm == "live", _LONGEST_S)
        table = window.hosts["orders"].findChild(QWidget, "qt_scrollarea_viewport")
        assert table is not None  # noqa: S101 - a table has a viewport
        painted = _Painted(table, session)
        return [_click(application, session, painted) for _ in range(_CLICKS)]
    finally:
        close_window(application, station, window)


def _click(application: QApplication, session: StationSession, painted: _Painted) -> float:
    """Milliseconds from a click to the painted row of its order, which is then cancelled."""
    spin(application, _PAUSE_S)
    bid = _bid(session)
    assert bid is not None  # noqa: S101 - the market was there before
    far = (bid * Decimal("0.98")).quantize(Decimal(1))
    begin = time.perf_counter()
    request = session.submit(
        [
            OrderIntent(
                instrument=session.run.instrument,
                strategy=HAND,
                side="BUY",
                type="LIMIT",
                quantity=Decimal("0.010"),
                price=far,
            )
        ]
    )
    milliseconds = (painted.wait(request) - begin) * 1e3
    session.cancel(session.state.orders.of_request(request)[0].order_id)
    return milliseconds


def _bid(session: StationSession) -> Decimal | None:
    market = session.state.markets.get(session.run.instrument)
    if market is None or not len(market.book.bids):
        return None
    return Decimal(repr(float(market.book.bids["price"][0])))


def _bare(venue: "ProcessVenue") -> Sequence[float]:
    """Milliseconds of a signed order over HTTP, answered."""
    from tests.venue.caller import signed  # noqa: PLC0415

    order = {
        "symbol": venue.at.symbols[0],
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.010",
        "price": "50000",
    }
    times = []
    for _ in range(_CLICKS):
        begin = time.perf_counter()
        reply = signed(venue.at.http, "POST", "/fapi/v1/order", order)
        times.append((time.perf_counter() - begin) * 1e3)
        if reply.status != 200:
            raise RuntimeError(f"the exchange refused: {reply.body}")
    return times


def _spread(values: Sequence[float] | npt.NDArray[np.float64]) -> dict[str, float]:
    return {"p50": float(np.percentile(values, 50)), "p99": float(np.percentile(values, 99))}


def _text(figures: dict[str, Any]) -> str:
    gate, click, bare = figures["gate_us"], figures["click_to_paint_ms"], figures["bare_order_ms"]
    return (
        f"Gate with twenty limits: p50 {gate['p50']:.1f}, p99 {gate['p99']:.1f} µs (aim {_AIM_US:g})\n"
        f"Click to painted row: p50 {click['p50']:.1f}, p99 {click['p99']:.1f} ms\n"
        f"Exchange alone: p50 {bare['p50']:.1f}, p99 {bare['p99']:.1f} ms; "
        f"the click takes {figures['ratio']:.1f} times as long"
    )
