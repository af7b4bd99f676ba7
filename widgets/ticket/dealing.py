"""What passes between the ticket and the engine: previews asked and answered, orders sent and answered.

Nothing is sent that was not shown: where the engine works out the size, exactly the quantity of the preview
goes out.
"""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.messages.commands import Preview, Submit
from engine.messages.instrument import Instrument
from engine.messages.orders import OrderPreview
from widgets.page import Line, Sentence
from widgets.ticket.form import Touch
from widgets.ticket.order import Wanted
from widgets.ticket.state import TicketMarket, TicketSession
from widgets.ticket.words import life_lines, obstacle, preview_obstacle, tr

_TYPING_S: Final = 0.12
"""Typing has stopped after so long; then the preview is asked for."""

_AGAIN_S: Final = 0.5
"""The market may have moved after so long; the preview is asked for anew."""

_UNHEARD_S: Final = 5.0
"""A preview that nobody answers is asked for anew after so long."""

_UNANSWERED_S: Final = 2.0
"""So long nothing more is sent, unless there is an answer: two clicks are one order."""

_NEVER: Final = float("-inf")


class Dealing:
    """One ticket's dealing with one session.

    Parameters
    ----------
    clock : callable
        Seconds that only grow.

    Attributes
    ----------
    wanted : Wanted
        What the form stands for now; prices that are measured from the market move with it.
    typed : object
        What the person typed and chose: one preview answers it however the market moves meanwhile.
    touch : Touch or None
        The market now.
    stale : bool
        Whether the session is silent.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.bind(None)

    def bind(self, session: TicketSession | None) -> None:
        """Deal with a session; what was asked of another one is forgotten."""
        self.session = session
        self.wanted = Wanted()
        self.typed: object = None
        self.touch: Touch | None = None
        self.stale = False
        self._edited_s = self._asked_s = self._sent_s = _NEVER
        self._asked: object = None
        self._question = self._answered = self._sent = ""
        self._refusals = 0

    # Previews

    def edited(self) -> None:
        """Something was typed: wait until it has stopped before the preview is asked for."""
        self._edited_s = self._clock()

    def question(self) -> Preview | None:
        """Preview to ask for now; None while one is typing, an answer is awaited, or it is still new."""
        now_s, wanted = self._clock(), self.wanted
        if self.session is None or self.stale or self.touch is None or not wanted.intents:
            return None
        is_new = self.typed != self._asked
        patience_s = _TYPING_S if is_new else self._patience_s()
        if now_s - self._edited_s < _TYPING_S or now_s - self._asked_s < patience_s:
            return None
        if is_new:
            self._answered = ""
        self._asked, self._asked_s, self._question = self.typed, now_s, uuid.uuid4().hex
        return Preview(
            request=self._question,
            intents=wanted.intents,
            contingency=wanted.contingency,
            sizing=wanted.sizing,
        )

    def _patience_s(self) -> float:
        """How long the same is not asked again."""
        return _UNHEARD_S if self.answer is None else _AGAIN_S

    @property
    def answer(self) -> OrderPreview | None:
        """Answer about what is wanted now; None while there is none.

        While the same question is asked again, the last answer to it stands.
        """
        preview = self.session.preview if self.session is not None else None
        if preview is None or self._asked != self.typed:
            return None
        if preview.request == self._question:
            self._answered = preview.request
        return preview if preview.request == self._answered else None

    # Orders

    def final(self) -> Wanted | None:
        """What would be sent now; None where its size is not known."""
        if not self.wanted.intents or self.wanted.sizing is None:
            return self.wanted if self.wanted.intents else None
        answer = self.answer
        return None if answer is None else self.wanted.sized(answer.quantity)

    def submit(self) -> Submit | None:
        """Order to send now; None where something is in its way."""
        wanted, session = self.final(), self.session
        if wanted is None or session is None or self.obstacle():
            return None
        self._sent, self._sent_s, self._refusals = uuid.uuid4().hex, self._clock(), session.refusals
        return Submit(request=self._sent, intents=wanted.intents, contingency=wanted.contingency)

    def obstacle(self) -> str:
        """Why nothing can be sent now, in one sentence; empty where it can."""
        wanted = self.wanted
        reduces = bool(wanted.intents) and all(each.reduce_only for each in wanted.intents)
        if reason := obstacle(self.session, self.touch, stale=self.stale, reduces=reduces):
            return reason
        if wanted.faults:
            return next(iter(wanted.faults.values()))
        answer = self.answer
        if answer is None:
            return tr("Working out the size…") if wanted.sizing is not None else self._waiting()
        return preview_obstacle(answer) or self._waiting()

    def _waiting(self) -> str:
        return tr("Sent; waiting for the answer.") if self._is_unanswered() else ""

    def _is_unanswered(self) -> bool:
        session = self.session
        if not self._sent or session is None or self._clock() - self._sent_s > _UNANSWERED_S:
            return False
        return not session.orders.of_request(self._sent) and session.refusals == self._refusals

    def life(self, instrument: Instrument) -> list[Line]:
        """What became of what was sent last; nothing where nothing was."""
        session = self.session
        if not self._sent or session is None:
            return []
        if orders := session.orders.of_request(self._sent):
            return life_lines(orders, instrument)
        if session.refusals > self._refusals and session.refusal is not None:
            return [Sentence(session.refusal.text, "danger")]
        if self._is_unanswered():
            return [Sentence(tr("Sent; waiting for the answer."), "quiet")]
        return [Sentence(tr("No answer yet; look into the orders before you send it again."), "warning")]


def touch_of(market: TicketMarket) -> Touch | None:
    """Best bid and ask of the book, at the instrument's precision; None where a side is empty."""
    bids, asks = market.book.bids, market.book.asks
    if not len(bids) or not len(asks):
        return None
    bid, ask = (f"{float(side['price'][0]):.{market.instrument.price_precision}f}" for side in (bids, asks))
    return Touch(Decimal(bid), Decimal(ask))
