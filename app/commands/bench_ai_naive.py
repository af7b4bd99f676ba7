"""The peers of `bench ai-backtest`: what a person writes first, and the engine with nothing to do.

The naive strategy keeps its windows in deques, makes a fresh tensor of plain Python numbers at every quote,
and calls a torch module on it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from math import log, nan, sqrt
from typing import Any

from ai.features.windows import Window
from ai.passport import FeatureUse, Passport
from engine.nautilus.strategy import Context, StationStrategy

_BPS = 10_000.0

type Quote = tuple[int, float, float, float, float]
"""`ts`, bid, ask, bid size, ask size."""
type Module = Callable[[list[list[float]]], list[float]]
"""Class probabilities of one window; `ai.runtime.bench_naive.NaiveModule` is one."""
type Feature = Callable[[Quote], float]


# -- features, one by one ---------------------------------------------------------------------------------


def _mid(quote: Quote) -> float:
    return (quote[1] + quote[2]) / 2


class _Sum:
    """Sum over the last rows or the last time; NaN until one whole window has passed."""

    def __init__(self, window: object, *, from_change: bool) -> None:
        self._window = Window.parse(window)
        self._kept: deque[tuple[int, float]] = deque()
        self._total = 0.0
        self._rows = -1 if from_change else 0
        self._began: int | None = None

    def add(self, ts: int, value: float) -> float:
        began = self._began = ts if self._began is None else self._began
        self._rows += 1
        self._kept.append((ts, value))
        self._total += value
        rows, ns = self._window.rows, self._window.ns
        while len(self._kept) > rows if rows else self._kept[0][0] <= ts - ns:
            self._total -= self._kept.popleft()[1]
        is_whole = self._rows >= rows if rows else ts - began >= ns
        return self._total if is_whole else nan


class _Ago:
    """The mid so many rows before, or the last one at or before so long ago."""

    def __init__(self, window: object) -> None:
        self._window = Window.parse(window)
        self._kept: deque[tuple[int, float]] = deque()

    def __call__(self, quote: Quote) -> float:
        ts, mid, kept = quote[0], _mid(quote), self._kept
        kept.append((ts, mid))
        if self._window.rows:
            if len(kept) > self._window.rows + 1:
                kept.popleft()
            return log(mid / kept[0][1]) if len(kept) > self._window.rows else nan
        while len(kept) > 1 and kept[1][0] <= ts - self._window.ns:
            kept.popleft()
        return log(mid / kept[0][1]) if kept[0][0] <= ts - self._window.ns else nan


class _OrderFlow:
    def __init__(self, window: object) -> None:
        self._sum = _Sum(window, from_change=True)
        self._last: Quote | None = None

    def __call__(self, quote: Quote) -> float:
        ts, bid, ask, bid_size, ask_size = quote
        flow = 0.0
        if self._last is not None:
            _, old_bid, old_ask, old_bid_size, old_ask_size = self._last
            if bid >= old_bid:
                flow += bid_size
            if bid <= old_bid:
                flow -= old_bid_size
            if ask <= old_ask:
                flow -= ask_size
            if ask >= old_ask:
                flow += old_ask_size
        self._last = quote
        return self._sum.add(ts, flow)


class _Volatility:
    def __init__(self, window: object) -> None:
        self._sum = _Sum(window, from_change=True)
        self._last = nan

    def __call__(self, quote: Quote) -> float:
        mid = _mid(quote)
        change = log(mid / self._last) if self._last == self._last else 0.0
        self._last = mid
        total = self._sum.add(quote[0], change * change)
        return sqrt(total) if total > 0 else total * 0


class _Volume:
    def __init__(self, window: object) -> None:
        self._sum = _Sum(window, from_change=False)

    def __call__(self, quote: Quote) -> float:
        return self._sum.add(quote[0], quote[3] + quote[4])


class _Vwap:
    def __init__(self, window: object) -> None:
        self._amount = _Sum(window, from_change=False)
        self._size = _Sum(window, from_change=False)

    def __call__(self, quote: Quote) -> float:
        mid, size = _mid(quote), quote[3] + quote[4]
        vwap = self._amount.add(quote[0], mid * size) / self._size.add(quote[0], size)
        return (mid - vwap) / vwap * _BPS


def _spread(parameters: Mapping[str, object], tick_size: float) -> Feature:
    if parameters["unit"] == "ticks":
        return lambda quote: (quote[2] - quote[1]) / tick_size
    return lambda quote: (quote[2] - quote[1]) / _mid(quote) * _BPS


def _microprice(parameters: Mapping[str, object]) -> Feature:
    def feature(quote: Quote) -> float:
        _, bid, ask, bid_size, ask_size = quote
        price, mid = (bid * ask_size + ask * bid_size) / (bid_size + ask_size), _mid(quote)
        return price if parameters["unit"] == "price" else (price - mid) / mid * _BPS

    return feature


def _top_imbalance(quote: Quote) -> float:
    return (quote[3] - quote[4]) / (quote[3] + quote[4])


def naive_features(uses: Iterable[FeatureUse], tick_size: float) -> list[Feature]:
    """Features of a passport, each by itself and in order.

    Raises
    ------
    RuntimeError
        One that no peer was written for.
    """
    windowed: Mapping[str, Callable[[object], Feature]] = {
        "return": _Ago,
        "order_flow_imbalance": _OrderFlow,
        "realised_volatility": _Volatility,
        "rolling_volume": _Volume,
        "vwap_deviation": _Vwap,
    }
    made: list[Feature] = []
    for use in uses:
        if use.name in windowed:
            made.append(windowed[use.name](use.parameters["window"]))
        elif use.name == "spread":
            made.append(_spread(use.parameters, tick_size))
        elif use.name == "microprice":
            made.append(_microprice(use.parameters))
        elif use.name == "top_imbalance":
            made.append(_top_imbalance)
        elif use.name == "mid":
            made.append(_mid)
        else:
            raise RuntimeError(f"the naive peer of the feature {use.name} is not written")
    return made


# -- strategies -------------------------------------------------------------------------------------------


def naive_strategy(passport: Passport, module: Module, enter: float, exit_: float) -> type[StationStrategy]:
    """Strategy class that asks `module` at every quote and follows the stronger side beyond `enter`."""
    mean, std = passport.normaliser.mean, passport.normaliser.std

    class Naive(StationStrategy):
        """Long, short or flat as the module says."""

        def __init__(self, context: Context) -> None:
            super().__init__(context)
            self.features = naive_features(passport.features, float(context.instrument.tick_size))
            self.window: deque[list[float]] = deque(maxlen=passport.window)
            self.direction = 0

        def on_start(self) -> None:
            """Watch quotes."""
            self.watch("quotes")

        def on_quote(self, tick: Any) -> None:
            """Ask, and act on the answer."""
            bid, ask = float(tick.bid_price), float(tick.ask_price)
            quote = tick.ts_init, bid, ask, float(tick.bid_size), float(tick.ask_size)
            row = [feature(quote) for feature in self.features]
            self.window.append([(x - m) / s for x, m, s in zip(row, mean, std, strict=True)])
            if len(self.window) == passport.window:
                down, _, up = module(list(self.window))
                self.decide(down, up)

        def decide(self, down: float, up: float) -> None:
            """Enter, hold or leave."""
            wanted = self.direction
            if max(up, down) >= enter and up != down:
                wanted = 1 if up > down else -1
            elif self.direction and (up if self.direction > 0 else down) < exit_:
                wanted = 0
            if wanted != self.direction:
                self.direction = wanted
                self.go_to(wanted * self.instrument.lot_size)

    return Naive


def idle_strategy() -> type[StationStrategy]:
    """Strategy class whose `on_quote` does nothing."""

    class Idle(StationStrategy):
        """Watches quotes."""

        def on_start(self) -> None:
            """Watch quotes."""
            self.watch("quotes")

    def on_quote(self: Idle, tick: Any) -> None:
        pass

    # Set after the class is made, or the base would guard it, which the bare engine has no need of.
    Idle.on_quote = on_quote  # type: ignore[method-assign, assignment]
    return Idle
