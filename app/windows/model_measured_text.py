"""What was verified of a model here, and what it costs on this machine, in words and figures."""

from typing import Final

import numpy as np
from PySide6.QtCore import QCoreApplication

from ai.passport import Check
from ai.runtime.choosing import Measured
from app.state.model_card import ModelCard
from widgets.model.card_state import Line, Table, Tick

translate: Final = QCoreApplication.translate

_CHECKS: Final = {
    "hash": "sha256",
    "features": "Features",
    "order": "Column order",
    "ports": "Shapes",
    "golden": "Golden outputs",
    "expiry": "Expiry",
    "licence": "Licence",
}


_WHEN_MAPPED: Final = {
    "features": "All columns are computed as when it was mapped.",
    "golden": "It answers as it did when it was mapped.",
}


def ticks(card: ModelCard) -> list[Tick]:
    """What was verified, each with what was found."""
    found = card.found
    if found is None or card.stage in ("untrusted", "refused"):
        return [_tick(check) for check in found.checks] if found is not None else []
    where = (
        translate("model", "inside the file")
        if found.passport_from == "inside"
        else translate("model", "beside the file")
    )
    has = found.passport is not None
    found_ticks = [
        Tick(
            translate("model", "Passport"),
            True if has else None,
            translate("model", "It is whole, lies {where} and fits the file.").format(where=where)
            if has
            else translate("model", "It has none."),
        ),
        *(
            _tick(check, is_mapped=found.passport is not None and found.passport.origin == "mapping")
            for check in found.checks
        ),
    ]
    if found.runtime is not None and found.outputs:
        text = translate("model", "It ran in a process of its own and gave finite numbers in these shapes.")
        found_ticks.append(Tick(translate("model", "First run"), True, text))
    return found_ticks


def _tick(check: Check, *, is_mapped: bool = False) -> Tick:
    if is_mapped and check.ok and check.name in _WHEN_MAPPED:
        # Nobody here knows its training.
        return Tick(
            translate("model", _CHECKS[check.name]), check.ok, translate("model", _WHEN_MAPPED[check.name])
        )
    return Tick(translate("model", _CHECKS[check.name]), check.ok, check.told)


def runtimes(card: ModelCard) -> Table:
    """Figures of every runtime; those of the first run alone while nothing else was measured."""
    columns = tuple(translate("model", name) for name in ("Runtime", "p50 µs", "p99 µs", "Rows/s", "Memory"))
    if card.measured is not None:
        choice = card.measured.choice
        return Table(
            columns, tuple(_runtime(each, is_best=each.name == choice.best) for each in choice.measured)
        )
    found = card.found
    if found is None or found.latency_us is None or found.runtime is None:
        return Table()
    memory = _memory(found.memory_bytes)
    cells = (found.runtime, _micros(found.latency_us.p50), _micros(found.latency_us.p99), "–", memory)
    return Table(columns, (Line(cells),))


def _runtime(measured: Measured, *, is_best: bool) -> Line:
    if measured.p50_us is None or measured.p99_us is None:
        return Line((measured.name,), note=measured.told)
    rows = "–" if measured.rows_per_s is None else f"{_round(measured.rows_per_s):,}"
    memory = _memory(measured.gpu_bytes if measured.gpu_bytes is not None else measured.host_bytes)
    cells = (measured.name, _micros(measured.p50_us), _micros(measured.p99_us), rows, memory)
    return Line(cells, best=is_best)


def _round(value: float) -> int:
    """Three digits: the rest is the machine's mood."""
    return int(np.format_float_positional(value, precision=3, fractional=False, unique=False).rstrip("."))


def _micros(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def _memory(size: int | None) -> str:
    return "–" if size is None else f"{size / 1e6:,.0f} MB"


def measured_note(card: ModelCard) -> str:
    """How the figures are meant; why there is no GPU row."""
    if card.measured is None:
        return ""
    measured = card.measured.choice.measured
    device = "" if card.measured.device in {each.told for each in measured} else card.measured.device
    batches = {each.batch for each in measured if each.batch}
    rows = translate("model", "rows/s at {batch} rows a run").format(batch=f"{max(batches, default=0):,}")
    return f"{device} {translate('model', 'One prediction at a time; {rows}.').format(rows=rows)}".strip()
