"""The engine's own Binance adapter as the venue's client: a live node in a process of its own, told by lines.

`python -m tests.venue.client` reads its setup from the first line of its input, then a command a line, and
writes what its strategy sees, an event a line. `Client` is the test's end of it.
"""

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Self

import msgspec

from tests.venue.hosts import Venue

type Event = dict[str, Any]

_START_S = 30.0
_SOON_S = 15.0


class ClientSetup(msgspec.Struct, frozen=True, kw_only=True):
    """Where to connect, with which key, and how the engine shall reconcile."""

    http: str
    ws: str
    trading: str
    key: str
    secret: str
    symbol: str = "ETHUSDT"
    use_ws_trading: bool = True
    log: bool = False
    watch: tuple[str, ...] = ("quotes",)
    reconciliation: bool = True
    open_check_s: float | None = None
    open_threshold_ms: int | None = None
    inflight_check_ms: int | None = None
    inflight_threshold_ms: int | None = None
    position_check_s: float | None = None
    retain_unresolved: bool = False
    open_only: bool = True


class Client:
    """A running adapter; use it in a `with` block."""

    def __init__(self, setup: ClientSetup) -> None:
        self.setup = setup
        self.events: list[Event] = []
        self._came = threading.Condition()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.venue.client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._reader = threading.Thread(target=self._read, name="venue client")
        self._reader.start()
        self._send(self.setup)
        try:
            self.wait(lambda event: event["event"] == "started", _START_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    @classmethod
    def of(cls, venue: Venue, **more: Any) -> Self:
        """A client of a venue."""
        at = venue.at
        setup = ClientSetup(
            http=at.http,
            ws=at.ws,
            trading=at.trading,
            symbol=at.symbols[0],
            key=venue.setup.key,
            secret=venue.setup.secret,
            **more,
        )
        return cls(setup)

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_SOON_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def do(self, what: str, **arguments: Any) -> None:
        """Let the strategy do something: `market`, `limit`, `stop`, `modify`, `cancel` and so on."""
        self._send({"do": what, **arguments})

    def wait(self, is_it: Callable[[Event], bool], timeout_s: float = _SOON_S) -> Event:
        """The first event that is it, once it is there."""
        deadline = time.monotonic() + timeout_s
        with self._came:
            while True:
                for event in self.events:
                    if is_it(event):
                        return event
                left = deadline - time.monotonic()
                if left <= 0 or not self._came.wait(left):
                    seen = [event["event"] for event in self.events[-20:]]
                    raise TimeoutError(f"it did not come; the last events were {seen}")

    def nudge(self, nudge: Callable[[int], None], name: str) -> Event:
        """The first event of this name, while `nudge` moves a market that would else stand still."""
        for turn in range(100):
            nudge(turn)
            with contextlib.suppress(TimeoutError):
                return self.wait(lambda event: event["event"] == name, 0.1)
        raise TimeoutError(f"no {name} came, however often the market moved")

    def order(self, name: str, order_id: str, timeout_s: float = _SOON_S) -> Event:
        """The first event of this name of an order."""
        return self.wait(lambda event: event["event"] == name and event.get("id") == order_id, timeout_s)

    def fills(self, order_id: str) -> list[Event]:
        """Fills of an order so far."""
        with self._came:
            return [e for e in self.events if e["event"] == "OrderFilled" and e["id"] == order_id]

    def names(self, order_id: str) -> list[str]:
        """Names of an order's events so far."""
        with self._came:
            return [event["event"] for event in self.events if event.get("id") == order_id]

    def state(self) -> Event:
        """Orders, positions and balances as the engine believes them to be."""
        number = time.monotonic_ns()
        self.do("state", number=number)
        return self.wait(lambda event: event["event"] == "state" and event["number"] == number)

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(message) + b"\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.startswith(b"{"):
                sys.stderr.write(line.decode())
                continue
            with self._came:
                self.events.append(msgspec.json.decode(line))
                self._came.notify_all()


def run(setup: ClientSetup, commands: "queue.SimpleQueue[Event | None]") -> None:
    """Run a live node with the adapter until the commands end."""
    from nautilus_trader.adapters import binance
    from nautilus_trader.common import Environment, LoggerConfig
    from nautilus_trader.live import (
        LiveDataEngineConfig,
        LiveExecutionEngineConfig,
        LiveNode,
        SubmissionRecoveryPolicy,
    )
    from nautilus_trader.model import AccountId, InstrumentId, TraderId

    from tests.venue.puppet import Puppet

    retains = setup.retain_unresolved
    policy = (
        SubmissionRecoveryPolicy.RETAIN_UNRESOLVED if retains else SubmissionRecoveryPolicy.RESOLVE_LOCALLY
    )
    logging = LoggerConfig.from_spec("stdout=Info") if setup.log else LoggerConfig(bypass_logging=True)
    instrument_id = InstrumentId.from_str(f"{setup.symbol}-PERP.BINANCE")
    provider = binance.BinanceInstrumentProviderConfig(load_all=True)
    data = binance.BinanceDataClientConfig(
        product_type=binance.BinanceProductType.USD_M,
        environment=binance.BinanceEnvironment.LIVE,
        base_url_http=setup.http,
        base_url_ws=setup.ws,
        api_key=setup.key,
        api_secret=setup.secret,
        instrument_provider=provider,
    )
    execution = binance.BinanceExecutionClientConfig(
        account_id=AccountId("BINANCE-001"),
        product_type=binance.BinanceProductType.USD_M,
        environment=binance.BinanceEnvironment.LIVE,
        base_url_http=setup.http,
        base_url_ws=setup.ws,
        base_url_ws_trading=setup.trading,
        use_ws_trading=setup.use_ws_trading,
        api_key=setup.key,
        api_secret=setup.secret,
        instrument_provider=provider,
    )
    node = (
        LiveNode.builder("VENUE-CLIENT", TraderId("TESTER-001"), Environment.LIVE)
        .with_logging(logging)
        .with_timeout_connection(20)
        .with_delay_post_stop_secs(0)
        .with_data_engine_config(LiveDataEngineConfig())
        .with_exec_engine_config(
            LiveExecutionEngineConfig(
                reconciliation=setup.reconciliation,
                reconciliation_startup_delay_secs=0.0,
                open_check_interval_secs=setup.open_check_s,
                open_check_threshold_ms=setup.open_threshold_ms,
                inflight_check_interval_ms=setup.inflight_check_ms,
                inflight_check_threshold_ms=setup.inflight_threshold_ms,
                position_check_interval_secs=setup.position_check_s,
                open_check_open_only=setup.open_only,
                submission_recovery_policy=policy,
            )
        )
        .add_data_client("BINANCE", binance.BinanceDataClientFactory(), data)
        .add_exec_client("BINANCE", binance.BinanceExecutionClientFactory(), execution)
        .build()
    )
    handle = node.handle()
    node.add_strategy(Puppet(instrument_id, setup.watch, commands, handle.stop))
    node.run()
    node.dispose()


def main() -> None:
    """Run as a process."""
    # Unbuffered: a thread inside a buffer's lock would make the interpreter abort when it ends.
    lines = iter(open(0, "rb", buffering=0, closefd=False))  # noqa: SIM115 - it is never closed
    setup = msgspec.json.decode(next(lines), type=ClientSetup)
    commands: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def read() -> None:
        for line in lines:
            commands.put(msgspec.json.decode(line))
        commands.put(None)

    threading.Thread(target=read, daemon=True).start()
    run(setup, commands)


def name_of(client_id: str) -> str:
    """The client's own name of an order; on the wire its adapter puts a broker's mark before it."""
    from nautilus_trader.adapters import binance

    return binance.decode_binance_futures_client_order_id(client_id)


def sizes(state: Event) -> dict[str, Decimal]:
    """Positions of a state by instrument."""
    return {name: Decimal(size) for name, size in state["positions"].items()}


if __name__ == "__main__":
    main()
