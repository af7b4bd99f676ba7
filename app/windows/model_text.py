"""A model in words and figures: what its card says at each stage, and why a button cannot be pressed."""

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QCoreApplication

from app.state.model_card import ModelCard, SessionFacts, Stage, foreknown_until, is_in_sample, misfit
from app.windows.model_mapping_text import mapping_form
from app.windows.model_measured_text import measured_note, runtimes, ticks
from app.windows.model_passport_text import few, file_sections, passport_sections
from engine.messages.run import Arming
from widgets.model.card_state import Card, Deed, Mapping, Section, Tone
from widgets.numbers import date_time_text

translate: Final = QCoreApplication.translate

_SHOWN_HASH: Final = 12
_FORMATS: Final = {
    "onnx": "ONNX",
    "safetensors": "safetensors",
    "state_dict": "torch weights",
    "torchscript": "TorchScript",
    "pt2": "torch.export",
}
_VERDICTS: Final[dict[Stage, tuple[str, Tone]]] = {
    "looking": ("LOOKING", "signal"),
    "unreadable": ("NOT READ", "danger"),
    "untrusted": ("NOT TRUSTED", "warning"),
    "refused": ("REFUSED", "danger"),
    "unmapped": ("NEEDS A MAPPING", "warning"),
    "ready": ("ACCEPTED", "bid"),
}


def card_of(
    card: ModelCard,
    session: SessionFacts | None,
    arming: Arming | None = None,
    reason: str = "",
    stored: Iterable[str] = (),
) -> Card:
    """What the card shows.

    Parameters
    ----------
    session : SessionFacts or None
        The session that the model would trade in.
    arming : Arming or None
        What the model does in it; None where it is not in it.
    reason : str
        Why, where a rule put it there.
    stored : iterable of str
        Instruments whose stored days may scale the inputs of a model without a passport.
    """
    word, tone = _VERDICTS[card.stage]
    obstacle = _obstacle(card, session)
    return Card(
        title=card.name,
        file=_file_text(card),
        verdict=translate("model", word),
        verdict_tone=tone,
        explanation=_explanation(card),
        working=card.working,
        problem=card.problem,
        warnings=tuple(_warnings(card, session)),
        sections=tuple(_sections(card)),
        ticks=tuple(ticks(card)),
        measured=runtimes(card),
        measured_note=measured_note(card),
        trust=_trust_text(card),
        mapping=_mapping(card, session, list(stored)),
        convert=_convert(card),
        measure=_measure(card),
        arming=arming,
        arm=_mode_deed(translate("model", "Arm"), "armed", arming, obstacle),
        shadow=_mode_deed(translate("model", "Shadow"), "shadow", arming, obstacle),
        disarm=Deed(
            translate("model", "Disarm"),
            arming in ("armed", "shadow"),
            translate("model", "Make no more signals; open positions are closed"),
        ),
        session=_session_text(session, obstacle, arming, reason),
        needs_session=card.stage == "ready" and session is None,
    )


def _mapping(card: ModelCard, session: SessionFacts | None, stored: list[str]) -> Mapping | None:
    if card.stage != "unmapped":
        return None
    return mapping_form(card, stored, session.instrument if session is not None else "")


def _sections(card: ModelCard) -> list[Section]:
    if card.found is None:
        return []
    return passport_sections(card.passport) if card.passport is not None else file_sections(card.found)


# -- head -------------------------------------------------------------------------------------------------


def size_of(size: int) -> str:
    """File size in words."""
    if size < 1_000:
        return f"{size} byte" if size == 1 else f"{size} bytes"
    return f"{size / 1e6:,.1f} MB" if size >= 1_000_000 else f"{round(size / 1e3):,} kB"


def format_of(name: str) -> str:
    """Format as people call it."""
    return _FORMATS.get(name, name.replace("_", " "))


def _file_text(card: ModelCard) -> str:
    if card.found is None:
        return card.source.name
    found = card.found
    parts = [card.source.name, format_of(found.format), size_of(found.size_bytes)]
    if found.sha256:
        parts.append(f"sha256 {found.sha256[:_SHOWN_HASH]}")
    return " · ".join(parts)


def _explanation(card: ModelCard) -> str:
    if card.found is None:
        return ""
    text = card.found.reason
    if card.stage == "untrusted":
        text = translate(
            "model",
            "This file is a program of its maker, and to look at it means to run it. Trust it only if you "
            "know where it comes from; then convert it to ONNX, which is data alone.",
        )
    elif card.stage == "ready":
        text = translate("model", "Everything that can be checked holds. It comes with the station.")
        if card.found.unfit:
            return translate("model", "The file is sound, but no session can run it. ") + card.found.unfit
        if card.entry is not None:
            kept = translate(
                "model", "Everything that can be checked holds. It is kept as {name}, version {n}."
            )
            text = kept.format(name=card.entry.name, n=card.entry.version)
    elif card.stage == "unmapped" and not card.found.weights:
        text = translate(
            "model",
            "It loads and runs, but it does not say what it reads. Confirm the mapping below, and it becomes "
            "the model's passport.",
        )
    return text


def _trust_text(card: ModelCard) -> str:
    if card.stage != "untrusted" or card.found is None:
        return ""
    text = translate(
        "model",
        "I know the maker of this file and let exactly this content (sha256 {sha256}…) run its code on this "
        "computer, in a process of its own that has little memory and no access to what the station knows.",
    )
    return text.format(sha256=card.found.sha256[:_SHOWN_HASH])


def _warnings(card: ModelCard, session: SessionFacts | None) -> list[str]:
    told = list(card.found.warnings) if card.found is not None else []
    passport = card.passport
    if card.measured is not None and card.measured.is_flat:
        told.append(
            translate(
                "model",
                "It answers the same whatever it is given, as a model without training does; expect no "
                "signals.",
            )
        )
    if passport is None:
        return told
    if passport.simulated:
        told.append(
            translate(
                "model",
                "Trained on simulated data: it has never seen a real market, and its profit in the generated "
                "one says nothing about any other.",
            )
        )
    if passport.origin == "mapping":
        told.append(
            translate(
                "model",
                "Its passport was written here by hand. A wrong order of classes or columns would show "
                "nowhere but in its trades.",
            )
        )
    if session is not None and (until_ns := foreknown_until(passport, session)) is not None:
        text = translate(
            "model",
            "Its inputs are scaled by what was seen until {end} UTC, which nobody knew before; replay what "
            "came after.",
        )
        told.append(text.format(end=date_time_text(until_ns, 0)))
    if session is not None and is_in_sample(passport, session):
        told.append(
            translate(
                "model",
                "In sample: this session overlaps the time that the model was trained on, so its profit here "
                "proves nothing.",
            )
        )
    if passport.instruments and session is not None and session.instrument not in passport.instruments:
        text = translate("model", "It was made for {made}, and this session is {instrument}.")
        told.append(text.format(made=few(passport.instruments), instrument=session.instrument))
    return told


def _measure(card: ModelCard) -> Deed:
    if card.stage != "ready":
        return Deed()
    again = card.measured is not None
    return Deed(
        translate("model", "Measure again") if again else translate("model", "Measure"),
        not card.working,
        translate("model", "Time every runtime that is here on this model"),
    )


def _convert(card: ModelCard) -> Deed:
    if not card.can_convert:
        return Deed()
    tip = translate("model", "Write it as ONNX, compare the answers, and keep that instead")
    return Deed(translate("model", "Convert to ONNX"), not card.working, tip)


# -- in the session ---------------------------------------------------------------------------------------


def _obstacle(card: ModelCard, session: SessionFacts | None) -> str:
    """Why the model cannot be armed, in one sentence; empty where it can."""
    match card.stage:
        case "looking":
            return translate("model", "It is still being looked at.")
        case "unreadable" | "refused" as stage:
            was_read = stage == "refused"
            told = (
                "It is refused, so it cannot be armed."
                if was_read
                else "It could not be read; choose another."
            )
            return translate("model", told)
        case "untrusted":
            return translate("model", "Its code is not trusted, so it cannot be armed.")
        case "unmapped":
            return _unmapped(card)
        case "ready":
            found = card.found
            unfit = found.unfit if found is not None else ""
            if session is None:
                return unfit or translate(
                    "model", "No session is open; watch the demo market or open a replay to arm it."
                )
            return misfit(found, session) if found is not None else ""


def _unmapped(card: ModelCard) -> str:
    if card.found is not None and card.found.weights:
        return translate("model", "Weights alone name no inputs; export it to ONNX and drop that file.")
    return translate("model", "Map its inputs first; then it can be armed.")


def _mode_deed(text: str, mode: Arming, arming: Arming | None, obstacle: str) -> Deed:
    tips = {
        "armed": translate("model", "Trade its signals"),
        "shadow": translate("model", "Show its signals and trade none of them"),
    }
    if arming == mode:
        return Deed(text, False, translate("model", "It is so already"))
    return Deed(text, not obstacle, obstacle or tips[mode])


def _session_text(session: SessionFacts | None, obstacle: str, arming: Arming | None, reason: str) -> str:
    if session is None or obstacle:
        return obstacle
    name = session.instrument
    match arming:
        case "armed":
            return translate("model", "Armed in {name}: its signals are traded.").format(name=name)
        case "shadow":
            return translate("model", "Shadow in {name}: its signals are shown, none is traded.").format(
                name=name
            )
        case "off":
            text = translate("model", "Disarmed in {name}: it makes no signals.").format(name=name)
            return f"{text} {reason}".strip()
        case None:
            text = translate(
                "model",
                "To arm it runs {name} again with the strategy AI signal, up to the present market time.",
            )
            return text.format(name=name)
