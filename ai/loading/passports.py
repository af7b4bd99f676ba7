"""Finds the passport of a model file: `model.json` beside it, or the one that an ONNX file carries."""

from pathlib import Path

import msgspec

from ai.loading.inspection import Findings, RefusedError
from ai.passport import METADATA_KEY, PASSPORT_NAME, Passport, PassportError, parse
from ai.passport.records import MAX_PASSPORT_BYTES

_TELLING = {"schema_version", "features", "sha256"}


def find_passport(found: Findings, metadata: dict[str, str]) -> None:
    """Note the file's passport; the one beside goes before the one inside.

    Raises
    ------
    RefusedError
        It has one that is not valid.
    """
    beside = _beside(found)
    inside = _parsed(metadata[METADATA_KEY], "inside the file") if METADATA_KEY in metadata else None
    if beside is not None and inside is not None and beside != inside:
        found.warnings.append(
            f"The file carries another passport inside; the one in {PASSPORT_NAME} beside it was used."
        )
    found.passport = beside or inside
    found.passport_from = "beside" if beside is not None else "inside" if inside is not None else None


def _beside(found: Findings) -> Passport | None:
    path = found.path.parent / PASSPORT_NAME
    if not path.is_file():
        return None
    if path.stat().st_size > MAX_PASSPORT_BYTES:
        raise RefusedError(f"{PASSPORT_NAME} beside it is larger than a passport may be; move it away.")
    data = path.read_bytes()
    if not _claims_to_be_passport(data):
        found.warnings.append(f"The {PASSPORT_NAME} beside it is no passport and was not used.")
        return None
    passport = _parsed(data, f"in {path.name}")
    if _is_about(passport, found.path, found.content_sha256):
        return passport
    found.warnings.append(f"The passport in {PASSPORT_NAME} is of another file and was not used.")
    return None


def _parsed(data: bytes | str, where: str) -> Passport:
    try:
        return parse(data)
    except PassportError as error:
        faults = " ".join(error.faults[:8])
        raise RefusedError(f"The passport {where} is not valid; mend it: {faults}") from error


def _claims_to_be_passport(data: bytes) -> bool:
    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(told, dict) and bool(_TELLING & set(told))


def _is_about(passport: Passport, path: Path, sha256: str) -> bool:
    return not passport.sha256 or path.name in passport.sha256 or sha256 in passport.sha256.values()
