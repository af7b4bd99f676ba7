"""Edits limits: of an account, of single strategies and instruments; the protection; the kill switch."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.messages.limits import KillRules, Limits, Protection, RiskPolicy
from widgets.form import FormError, ParameterForm, Value
from widgets.form.fields import fields_of

_ACCOUNT: Final = ("account", "")
_PROTECTION: Final = ("protection", "")
_KILL: Final = ("kill", "")

_BARS_PX: Final = 80
"""What a screen keeps for its own bars and the dialog's title."""

type _Part = Limits | Protection | KillRules


class LimitsDialog(QDialog):
    """Edits a policy.

    Parameters
    ----------
    policy : RiskPolicy
        In force now.
    currency : str
        Of the account: the unit of money.
    strategies, instruments : sequence of str
        Whose own limits can be set, besides those that have some already.
    of_replay : bool
        The limits are a replay's own, not those of paper and live.

    Signals
    -------
    applied(RiskPolicy)
        These limits are to be in force; where they are, `show_policy` is told, with their version.
    """

    applied = Signal(object)

    def __init__(
        self,
        policy: RiskPolicy,
        currency: str,
        strategies: Sequence[str],
        instruments: Sequence[str],
        parent: QWidget | None = None,
        *,
        of_replay: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Limits"))
        self._policy, self._currency, self._of_replay = policy, currency, of_replay
        self._scopes: list[tuple[str, str]] = [
            _ACCOUNT,
            *(("strategy", name) for name in _named(policy.strategies, strategies)),
            *(("instrument", name) for name in _named(policy.instruments, instruments)),
            _PROTECTION,
            _KILL,
        ]
        self.scope = QComboBox()
        self.scope.addItems([self._title(kind, name) for kind, name in self._scopes])
        self.scope.setAccessibleName(self.tr("Limits of"))
        self.scope.currentIndexChanged.connect(self._show_scope)
        self._hint = QLabel()
        self._hint.setObjectName("form_note")
        self._hint.setWordWrap(True)
        self.form = ParameterForm(self._fault)
        self.form.changed.connect(self._on_edited)
        self._said = QLabel()
        self._said.setObjectName("form_note")
        self._said.setWordWrap(True)
        self.apply = QPushButton(self.tr("Put in force"))
        self.apply.clicked.connect(self._on_apply)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.apply, QDialogButtonBox.ButtonRole.ApplyRole)
        # Else Enter in a field closes the dialog, and what was typed is lost.
        buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.apply.setDefault(True)
        buttons.rejected.connect(self.reject)
        self._lay_out(buttons)
        self._show_scope()

    def _lay_out(self, buttons: QDialogButtonBox) -> None:
        area = QScrollArea()
        area.setWidget(self.form)
        area.setWidgetResizable(True)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        for widget in (self.scope, self._hint, area, self._said, buttons):
            column.addWidget(widget)
        column.setStretchFactor(area, 1)
        self.resize(480, min(720, self.screen().availableSize().height() - _BARS_PX))

    def show_policy(self, policy: RiskPolicy) -> None:
        """Show what is in force by now; what was typed and not put in force is lost."""
        self._policy = policy
        if self._typed() == self._part(*self._chosen):
            self._say_version()  # the fields show it, and one of them may have the focus
        else:
            self._show_scope()

    def _title(self, kind: str, name: str) -> str:
        titles = {
            "account": self.tr("Account, all together and each instrument"),
            "strategy": self.tr("Strategy {name}"),
            "instrument": self.tr("Instrument {name}"),
            "protection": self.tr("Protection from a drawdown"),
            "kill": self.tr("Kill switch"),
        }
        return titles[kind].format(name=name)

    @property
    def _chosen(self) -> tuple[str, str]:
        return self._scopes[self.scope.currentIndex()]

    def _show_scope(self) -> None:
        kind, name = self._chosen
        hints = {
            "kill": self.tr("When the kill switch fires by itself, and how it closes positions."),
            "protection": self.tr(
                "Trade smaller, then not at all, then hold nothing, as equity falls below its peak. "
                "An empty field is no such stage."
            ),
        }
        limits = self.tr("An empty field is no limit. Every scope's limits hold, so the narrowest decides.")
        self._hint.setText(hints.get(kind, limits))
        self.form.set_schema(_schema(_kind_of(kind), self._currency), _values(self._part(kind, name)))
        self._say_version()

    def _say_version(self) -> None:
        said = self.tr("Version {number} is in force.")
        if self._of_replay:
            said = self.tr(
                "Version {number} is in force in this replay alone; paper and live keep their own."
            )
        self._said.setText(said.format(number=self._policy.version))

    def _part(self, kind: str, name: str) -> _Part:
        policy = self._policy
        parts: dict[str, _Part] = {
            "account": policy.account,
            "strategy": policy.strategies.get(name, Limits()),
            "instrument": policy.instruments.get(name, Limits()),
            "protection": policy.protection,
            "kill": policy.kill,
        }
        return parts[kind]

    def _edited(self, values: Mapping[str, Value]) -> _Part:
        kind = _kind_of(self._chosen[0])
        # An empty field is no limit, whatever a new policy would have there.
        empty = {field.name: None for field in fields_of(msgspec.json.schema(kind)) if field.optional}
        return msgspec.convert({**empty, **values}, kind)

    def _fault(self, values: dict[str, Value]) -> str:
        try:
            self._edited(values)
        except msgspec.ValidationError as error:
            return f"{str(error).partition(' - at')[0]}."
        return ""

    def _on_edited(self) -> None:
        self.apply.setEnabled(not self.form.error)

    def _typed(self) -> _Part | None:
        try:
            return self._edited(self.form.values())
        except FormError:
            return None  # the form shows it already

    def _on_apply(self) -> None:
        part = self._typed()
        if part is not None:
            self.applied.emit(_with(self._policy, *self._chosen, part))


def _named(limits: Mapping[str, Limits], names: Sequence[str]) -> list[str]:
    return sorted({*limits, *names})


def _kind_of(kind: str) -> type[_Part]:
    kinds: dict[str, type[_Part]] = {"kill": KillRules, "protection": Protection}
    return kinds.get(kind, Limits)


def _with(policy: RiskPolicy, kind: str, name: str, part: _Part) -> RiskPolicy:
    changes: dict[str, Any]
    match part:
        case KillRules():
            changes = {"kill": part}
        case Protection():
            changes = {"protection": part}
        case Limits() if kind == "strategy":
            changes = {"strategies": _put(policy.strategies, name, part)}
        case Limits() if kind == "instrument":
            changes = {"instruments": _put(policy.instruments, name, part)}
        case Limits():
            changes = {"account": part}
    return msgspec.structs.replace(policy, version=policy.version + 1, **changes)


def _put(limits: Mapping[str, Limits], name: str, part: Limits) -> dict[str, Limits]:
    kept = {**limits, name: part}
    return {each: value for each, value in kept.items() if value != Limits()}


def _values(part: _Part) -> dict[str, Value]:
    values: dict[str, Any] = msgspec.to_builtins(part)
    return {name: "" if value is None else value for name, value in values.items()}


def _schema(kind: type[_Part], currency: str) -> dict[str, Any]:
    schema = msgspec.json.schema(kind)
    for entry in schema["$defs"][kind.__name__]["properties"].values():
        if entry.get("unit") == "money":
            entry["unit"] = currency
        elif entry.get("unit") == "size":
            entry.pop("unit")
    return schema
