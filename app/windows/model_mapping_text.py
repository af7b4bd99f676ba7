"""The form that asks what a model without a passport reads and tells, filled with the proposal."""

from typing import Final

import msgspec
from PySide6.QtCore import QCoreApplication

from ai.passport import Meaning
from app.model_messages import UseMapping
from app.state.model_card import ModelCard
from widgets.model.card_state import Choice, Mapping, MappingAnswers

translate: Final = QCoreApplication.translate

_MEANINGS: Final = {
    "probabilities": "probabilities of the classes",
    "logits": "logits of the classes",
    "class": "the number of a class",
    "value": "a predicted value",
}


def mapping_form(card: ModelCard, stored: list[str], watched: str) -> Mapping | None:
    """Form of a card; None while there is no proposal, and for bare weights, which no mapping mends.

    Most models were trained on scaled inputs, so where the instrument that is `watched` is stored, it is
    proposed to scale by.
    """
    proposed, found = card.proposed, card.found
    if proposed is None or found is None or found.weights:
        return None
    as_they_are = Choice("", translate("model", "as they are: the model does it, or needs none"))
    scaled = translate("model", "z-score of the first rows stored of {name}")
    return Mapping(
        answers=MappingAnswers(
            features=proposed.features,
            output=proposed.output,
            meaning=proposed.meaning or "",
            classes=", ".join(proposed.classes),
            window=proposed.window,
            horizon=proposed.horizon,
            fit_on=watched if watched in stored else "",
        ),
        features=tuple(Choice(name, f"{name}: {title}") for name, title in proposed.sets.items()),
        outputs=tuple(Choice(port.name, port.name) for port in found.outputs),
        meanings=tuple(Choice(name, translate("model", text)) for name, text in _MEANINGS.items()),
        fits=(as_they_are, *(Choice(name, scaled.format(name=name)) for name in stored)),
        assumed=proposed.assumed,
        problem=proposed.problem,
    )


def mapping_request(card: ModelCard, answers: MappingAnswers, store: str) -> UseMapping:
    """Question that makes the passport of these answers."""
    assert card.found is not None  # noqa: S101 - the form is of a found model
    return UseMapping(
        card.found,
        features=answers.features,
        output=answers.output,
        meaning=msgspec.convert(answers.meaning or None, Meaning | None),
        classes=tuple(name.strip() for name in answers.classes.split(",") if name.strip()),
        window=answers.window,
        horizon=answers.horizon.strip(),
        trust=card.trust,
        fit_on=answers.fit_on,
        store=store,
    )
