"""The why inspector: at the crosshair, at the newest row, or at a fill, an order or a signal that was picked.

It asks only while it is seen, for only then is it refreshed; the engine answers in a later frame.
"""

import time
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.messages.instrument import Instrument
from widgets.chrome import dress
from widgets.numbers import date_text
from widgets.page import Heading, Line, Page, Sentence, scrolled, switch
from widgets.stale import StaleVeil
from widgets.theme import Theme
from widgets.why.asking import Asker
from widgets.why.chain import chain_lines, exact_time
from widgets.why.figures import explanation_lines
from widgets.why.state import WhySession
from widgets.why.story import Story, story_of_signal
from widgets.why.subject import Pick, Subject, picked_story, row_ts, subject_of


class WhyPanel(QWidget):
    """Says why, and what came of it.

    Signals
    -------
    asked(object)
        Market time, ns, of the row to be explained.
    """

    asked = Signal(object)

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._session: WhySession | None = None
        self._epoch = 0
        self._asker = Asker(clock)
        self._subject = self._asked_of = self._told_of = Subject("newest")
        self._crosshair: Subject | None = None
        self.page = Page(theme)
        self.follow_button = switch(
            self.tr("Crosshair"), self.tr("Explain what the chart's crosshair points at")
        )
        self.newest_button = switch(
            self.tr("Newest"), self.tr("Explain the newest row, again with each step")
        )
        self.all_inputs = switch(
            self.tr("All inputs"), self.tr("Show every input, not only those with the largest effects")
        )
        self.follow_button.clicked.connect(self.follow_crosshair)
        self.newest_button.clicked.connect(self.explain_newest)
        self.all_inputs.toggled.connect(self._show)
        self._lay_out(theme)
        self.set_theme(theme)
        self._show()

    def _lay_out(self, theme: Theme) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(2)
        row.addWidget(self.follow_button)
        row.addWidget(self.newest_button)
        row.addStretch()
        row.addWidget(self.all_inputs)
        area = scrolled(self.page)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(row)
        box.addWidget(area, 1)
        self._stale = StaleVeil(area, theme)

    # What to explain

    def point_at(self, ts: int | None) -> None:
        """Tell the market time under the chart's crosshair; where it leaves, its last place stays."""
        if ts is None:
            return
        self._crosshair = Subject("crosshair", ts)
        if not self._subject.is_picked:
            self._subject = self._crosshair

    def explain(self, pick: Pick) -> None:
        """Explain a row of a table until another is picked, or the crosshair is followed again."""
        self._turn_to(subject_of(pick))

    def explain_newest(self) -> None:
        """Explain the newest row until the crosshair moves."""
        self._turn_to(Subject("newest"))

    def follow_crosshair(self) -> None:
        """Explain where the crosshair was last, and follow it."""
        self._turn_to(self._crosshair or Subject("newest"))

    @property
    def subject(self) -> Subject:
        """What is to be explained."""
        return self._subject

    def _turn_to(self, subject: Subject) -> None:
        self._subject = subject
        # A person waits for no answer that is not wanted any more.
        self._asker.forget()
        self.refresh()

    # Panel

    def bind(self, session: WhySession | None) -> None:
        """Explain this session; None shows what would fill the inspector."""
        self._session = session
        self._subject = Subject("newest")
        self._crosshair = None
        self._begin()
        self.refresh()

    def refresh(self) -> None:
        """Take the answer over, ask what is to be asked, show what changed."""
        session = self._session
        if session is not None and session.transport is not None:
            if session.epoch != self._epoch:
                self._begin()
            self._take(session)
            self._ask(session, session.transport.now)
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Paint in these colours."""
        dress(self, theme)
        self.page.set_theme(theme)
        self._stale.set_theme(theme)

    def set_stale(self, age_s: float | None) -> None:
        """Grey out what is shown and count its age, in s; None while the session answers."""
        self._stale.set_age(age_s)

    def _begin(self) -> None:
        self._epoch = self._session.epoch if self._session is not None else 0
        self._asker.forget()

    def _take(self, session: WhySession) -> None:
        self._asker.take(session.signals.explanation)
        if self._asker.is_answered:
            self._told_of = self._asked_of

    def _ask(self, session: WhySession, now: int) -> None:
        if not session.signals.models:
            return
        story = picked_story(session, self._subject) if self._subject.is_picked else Story()
        wanted_ts = row_ts(self._subject, story, now)
        question = self._asker.question(wanted_ts)
        if wanted_ts is not None and wanted_ts == self._asker.asked_ts:
            # Another subject may want the row that was asked about already.
            self._asked_of = self._subject
            self._take(session)
        if question is not None:
            self.asked.emit(question)

    # Showing

    def _show(self) -> None:
        picked = self._subject.is_picked
        self.follow_button.setChecked(self._subject.kind == "crosshair")
        self.newest_button.setChecked(self._subject.kind == "newest")
        session = self._session
        if session is None or not (session.signals.models or picked):
            self.page.show_empty(*self._nothing(has_session=session is not None))
            return
        self.page.show_lines(self._picked_lines(session) if picked else self._moment_lines(session))

    def _nothing(self, *, has_session: bool) -> tuple[str, str]:
        if has_session:
            hint = self.tr(
                "This run has no model. Drop a model file on the window and arm it; or pick an order or a "
                "fill in its table and press W for how it came about."
            )
        else:
            hint = self.tr(
                "Start a session with a model: what it saw at the crosshair, what it made of it, and the "
                "orders that followed appear here."
            )
        return self.tr("Nothing to explain"), hint

    def _moment_lines(self, session: WhySession) -> list[Line]:
        """What the model said at a moment, and what came of its newest signal by then."""
        answer = self._asker.answer
        if answer is None:
            title = self._title(self._subject)
            return [Heading(title), Sentence(self._waiting(), "quiet")]
        lines: list[Line] = [Heading(self._title(self._told_of), date_text(answer.asked_ts))]
        if self._asker.is_late:
            lines.append(Sentence(self._waiting(), "warning"))
        lines += explanation_lines(answer, self.tr, all_inputs=self.all_inputs.isChecked())
        if answer.problem:
            return lines
        if answer.signal is None:
            return [
                *lines,
                Heading(self.tr("What came of it")),
                Sentence(self.tr("No signal so far."), "quiet"),
            ]
        story = story_of_signal(session, answer.signal)
        lines.append(Heading(self.tr("What came of it"), self.tr("newest signal by then")))
        return [*lines, *self._chain(session, story)]

    def _picked_lines(self, session: WhySession) -> list[Line]:
        """How a pick came about: its story is known at once, what the model said when the engine tells it."""
        story = picked_story(session, self._subject)
        lines: list[Line] = [Heading(self._title(self._subject), date_text(self._subject.ts))]
        if story.record is None and story.order is None:
            text = self.tr("This has not happened yet at this time of the replay; play on, or pick another.")
            return [*lines, Sentence(text, "warning")]
        chain = [Heading(self.tr("How it came about")), *self._chain(session, story)]
        if not session.signals.models:
            return [*lines, *chain]
        if story.exit is not None:
            lines.append(Sentence(self.tr("What the model said when it happened:"), "quiet"))
        answer = self._asker.answer
        if answer is None or self._told_of != self._subject:
            return [*lines, Sentence(self._waiting(), "quiet"), *chain]
        return [*lines, *explanation_lines(answer, self.tr, all_inputs=self.all_inputs.isChecked()), *chain]

    def _chain(self, session: WhySession, story: Story) -> list[Line]:
        return chain_lines(story, _instrument(session, story), self.tr)

    def _title(self, subject: Subject) -> str:
        time_ = exact_time(subject.ts)
        return {
            "newest": self.tr("Newest row"),
            "crosshair": self.tr("Crosshair {time}"),
            "signal": self.tr("Signal {number}, {time}"),
            "order": self.tr("Order {order_id}"),
            "fill": self.tr("Fill {time}"),
        }[subject.kind].format(time=time_, number=subject.number, order_id=subject.order_id)

    def _waiting(self) -> str:
        if self._asker.is_late:
            return self.tr("The engine has not answered yet.")
        return self.tr("Asking the engine…")


def _instrument(session: WhySession, story: Story) -> Instrument | None:
    name = (
        story.order.instrument
        if story.order is not None
        else story.record.signalled.instrument
        if story.record is not None
        else ""
    )
    market = session.markets.get(name)
    return market.instrument if market is not None else None
