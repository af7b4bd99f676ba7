"""The streaming form of one stream, written out as one Python function.

A call costs Python about as much as a feature does, so the graph of a whole stream becomes one function (as
`dataclasses` writes `__init__`) whose state lies in its own variables and in rings that are allocated before
the first event.

In rings of what windows look back at, the slot of a row holds what was known before it. A sum over a window
is the sum up to now less what lies in the slot of the window's first row: NaN, where such a window is not
whole.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from math import cos, inf, log1p, nan, sin, sqrt
from struct import Struct
from typing import Any, Final

from ai.features.graph import in_order
from ai.features.sources import Source
from ai.features.values import OPERATIONS, Number, Value
from ai.features.windows import Window

type Row = array[float]
"""Preallocated float64 outputs."""

type Handler = Callable[..., None]
"""Takes one event of one stream."""

_NAMES: Final = {"NAN": nan, "nan": nan, "inf": inf, "log1p": log1p, "sqrt": sqrt, "sin": sin, "cos": cos}


class LineCode:
    """The values of one stream as one function.

    Parameters
    ----------
    source : Source
        The stream.
    outputs : sequence of (Value, int)
        What it computes, and where in the row that goes.
    """

    def __init__(self, source: Source, outputs: Sequence[tuple[Value, int]]) -> None:
        self._source = source
        self._state: dict[str, str] = {}
        self._rings: dict[str, float] = {}
        self._sums: list[str] = []
        self._steps: dict[str, Callable[[], Callable[[float], float]]] = {}
        self._body: list[str] = []
        self._last: list[str] = []
        self._names: dict[Value, str] = {}
        self._at_first = ["first_ts = ts"]
        self._slots: set[str] = set()
        order = in_order([value for value, _ in outputs])
        self._uses = Counter(a for value in order for a in value.arguments if isinstance(a, Value))
        self._uses.update(value for value, _ in outputs)
        self._reader = {a: value for value in order for a in value.arguments if isinstance(a, Value)}
        reaching = [v.detail for v in order if v.operation in ("ago", "total")]
        times = sorted({window.ns for window in reaching if window.ns})
        self._longest = times[-1] if times else 0
        rows = max((window.rows for window in reaching), default=0)
        self._size = 1 << max(rows + 2, 64 if times else 1).bit_length()
        self._times = times
        for ns in times:
            self._advance(ns)
        for value in order:
            self._write(value)
        self._packers: dict[str, Callable[..., None]] = {}
        for run in _runs(outputs):
            self._packers[f"pack_{len(run)}"] = Struct(f"{len(run)}d").pack_into
            values = ", ".join(self._name(value) for value, _ in run)
            self._body.append(f"pack_{len(run)}(out, {8 * run[0][1]}, {values})")
        self._has_rings = bool(reaching)

    def text(self, *, begins: bool) -> str:
        """Source of the function, and of the one that tells (rows, first ts, last ts)."""
        state = {"n": "0", "first_ts": "0", "last_ts": "0", "mask": str(self._size - 1)} | self._state
        head = ["begin(ts)"] if begins else []
        head += ["if not n:", *(f"    {line}" for line in self._at_first), "last_ts = ts"]
        if self._longest:
            state["full"] = str(self._size - 4)
            head += [
                "if n > full:",
                f"    if n - first_{self._longest} + 2 > mask:",
                "        mask = grown(n, mask)",
                "        after = n & mask",
                *(f"        slot_{ns} = first_{ns} & mask" for ns in self._times),
                f"    full = first_{self._longest} + mask - 2",
                "stamps[after] = ts",
            ]
        if self._has_rings:
            state["after"] = "0"
            head.append("after = n + 1 & mask")
        lines = [
            "def make():",
            *(f"    {name} = {value}" for name, value in state.items()),
            f"    def event({', '.join(('ts', *self._source.arguments))}):",
            f"        nonlocal {', '.join(state)}",
            *(f"        {line}" for line in [*head, *self._body, *self._last, "n += 1"]),
            "    def told():",
            "        return n, first_ts, last_ts",
            "    return event, told",
        ]
        return "\n".join(lines) + "\n"

    def made(self, out: Row, begin: Callable[[int], None] | None) -> tuple[Handler, Callable[[], Any]]:
        """Return a fresh function that writes into `out`, and one that tells (rows, first ts, last ts).

        `begin`, where given, is called with the `ts` of each event first.
        """
        rings = {name: [blank] * self._size for name, blank in self._rings.items()}
        for name in self._sums:
            rings[name][0] = 0.0
        steps = {name: make() for name, make in self._steps.items()}
        names: dict[str, Any] = dict(_NAMES) | rings | steps
        names |= self._packers | {"out": out, "begin": begin, "grown": self._grower(rings), "broken": _broken}
        text = self.text(begins=begin is not None)
        exec(compile(text, f"<features on {self._source.stream}>", "exec"), names)  # noqa: S102 - our own text
        made: tuple[Handler, Callable[[], Any]] = names["make"]()
        return made

    def _grower(self, rings: dict[str, list[float]]) -> Callable[[int, int], int]:
        """Return what doubles all rings, a few times in a stream's life, and answers the new mask."""

        def grown(rows: int, mask: int) -> int:
            wider = 2 * mask + 1
            for name, ring in rings.items():
                old = ring.copy()
                ring[:] = [self._rings[name]] * (wider + 1)
                for row in range(max(rows - mask, 0), rows + 1):
                    ring[row & wider] = old[row & mask]
            return wider

        return grown

    # -- writing ------------------------------------------------------------------------------------------

    def _name(self, value: Number) -> str:
        if not isinstance(value, Value):
            return repr(float(value))
        return self._names[value]

    def _write(self, value: Value) -> None:
        arguments = [self._name(argument) for argument in value.arguments]
        if value.operation == "column":
            expression = self._source.python(value.detail)
            if expression.isidentifier():
                self._names[value] = expression
                return
        name = self._names[value] = f"v{len(self._names)}"
        if value.operation == "column":
            self._body.append(f"{name} = {expression}")
        elif value.operation in OPERATIONS:
            expression = OPERATIONS[value.operation].python.format(*arguments)
            if self._is_read_once(value):
                self._names[value] = f"({expression})"
            else:
                self._body.append(f"{name} = {expression}")
        else:
            getattr(self, f"_write_{value.operation}")(value, name, *arguments)

    def _is_read_once(self, value: Value) -> bool:
        """Whether its expression may stand where it is read, which spares Python a variable."""
        if self._uses[value] != 1:
            return False
        reader = self._reader.get(value)
        if reader is None or reader.operation == "prefix":
            return True
        if reader.operation not in OPERATIONS:
            return False
        place = reader.arguments.index(value)
        return OPERATIONS[reader.operation].python.count(f"{{{place}}}") == 1

    def _advance(self, ns: int) -> None:
        """Advance to the first row of the window of `ns`; `edge` is that row's time.

        Row -1 stands for all before the first, so that it is seen to leave when the first row does.
        """
        first, edge, slot = f"first_{ns}", f"edge_{ns}", f"slot_{ns}"
        self._rings["stamps"] = 0
        self._state |= {first: "-1", edge: "0", slot: "mask"}
        self._at_first.append(f"{edge} = ts")
        self._body += [
            f"limit = ts - {ns}",
            f"while {edge} <= limit:",
            f"    {first} += 1",
            f"    {slot} = {first} & mask",
            f"    {edge} = stamps[{slot}]",
        ]

    def _write_before(self, _value: Value, name: str, x: str) -> None:
        self._state[name] = "NAN"
        self._last.insert(0, f"{name} = {x}")  # what was before it is first to take over its value

    def _write_first(self, _value: Value, name: str, x: str) -> None:
        self._state[name] = "NAN"
        self._body += [f"if {name} != {name}:", f"    {name} = {x}"]

    def _write_held_sign(self, _value: Value, name: str, x: str) -> None:
        self._state |= {name: "0.0", f"{name}_kept": "NAN"}
        self._body += [
            f"if {x} > {name}_kept:",
            f"    {name} = 1.0",
            f"elif {x} < {name}_kept:",
            f"    {name} = -1.0",
            f"{name}_kept = {x}",
        ]

    def _write_stepped(self, value: Value, name: str, x: str) -> None:
        make, *parameters = value.detail
        self._steps[f"{name}_step"] = partial(make, *parameters)
        self._body.append(f"{name} = {name}_step({x})")

    def _write_prefix(self, _value: Value, name: str, x: str) -> None:
        self._state |= {f"{name}_high": "0.0", f"{name}_low": "0.0", f"{name}_whole": "0"}
        self._rings |= {f"{name}_highs": nan, f"{name}_lows": 0.0}
        self._sums.append(f"{name}_highs")
        self._body += [
            f"x = {x}",
            "if x - x != 0.0:",
            "    x = 0.0",
            f"    {name}_whole = broken({name}_highs, {name}_whole, n, mask)",
            f"high = {name}_high",
            f"{name} = high + x",
            f"taken = {name} - high",
            f"{name}_lost = {name}_low + ((high - ({name} - taken)) + (x - taken))",
            f"{name}_highs[after] = {name}_high = {name}",
            f"{name}_lows[after] = {name}_low = {name}_lost",
        ]

    def _write_total(self, value: Value, name: str, prefix: str) -> None:
        slot = f"slot_{self._window(value.detail)}"
        self._body.append(
            f"{name} = ({prefix} - {prefix}_highs[{slot}]) + ({prefix}_lost - {prefix}_lows[{slot}])"
        )

    def _write_ago(self, value: Value, name: str, x: str) -> None:
        ring = f"{x}_ring"
        if ring not in self._rings:
            self._rings[ring] = nan
            self._body.append(f"{ring}[after] = {x}")
        self._body.append(f"{name} = {ring}[slot_{self._window(value.detail)}]")

    def _window(self, window: Window) -> str:
        """Name of a window, after which the slot of its first row is called."""
        if window.ns:
            return str(window.ns)
        name = f"{window.rows}_rows"
        if name not in self._slots:
            self._slots.add(name)
            self._body.append(f"slot_{name} = n - {window.rows - 1} & mask")
        return name


def _broken(ring: list[float], whole: int, row: int, mask: int) -> int:
    """Mark that no window is whole which begins at `row` or before; those before `whole` are marked."""
    for each in range(max(whole, row - mask), row + 1):
        ring[each & mask] = nan
    return row + 1


def _runs(outputs: Sequence[tuple[Value, int]]) -> list[list[tuple[Value, int]]]:
    """Outputs that lie side by side in the row, together."""
    runs: list[list[tuple[Value, int]]] = []
    for output in sorted(outputs, key=lambda output: output[1]):
        if runs and output[1] == runs[-1][-1][1] + 1:
            runs[-1].append(output)
        else:
            runs.append([output])
    return runs
