"""`nexttick model map`: says what a stranger's model reads and tells, and writes it down as its passport."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from ai.loading import Inspection, Question, inspect
from ai.loading.fitting import told_of_normaliser
from ai.loading.mapping import Mapped, passport_from_mapping
from ai.loading.proposing import Proposal, Wishes, propose
from ai.passport import PASSPORT_NAME, Passport, PassportError
from ai.registry import Registry
from ai.runtime.isolation import IsolationError
from app.commands import Report, check_output
from app.commands.features import find_set, set_files
from app.model_mapping import FITTED_ROWS, fitted_on
from app.paths import default_store
from engine.errors import UserError
from engine.store import Store


def map_file(
    path: Path, args: argparse.Namespace, question: Question, registry: Registry, report: Report
) -> tuple[Inspection, dict[str, Any], list[str]]:
    """Map one file, write its passport and look at it again.

    Returns
    -------
    tuple
        The file as it is inspected with its passport, what the JSON says besides, and lines for a person.

    Raises
    ------
    UserError
        The file is refused, nothing fits, or what was said contradicts the file.
    """
    target = args.out or path.parent / PASSPORT_NAME
    if not args.into_registry:
        _check_target(target)
    found = inspect(path, replace(question, measure=False))
    features = [find_set(args.set)] if args.set else [find_set(name) for name in set_files()]
    proposal = propose(found, features, _wishes(args, features[0].name if args.set else ""))
    if proposal.mapped is None:
        hint = "" if args.set else " Name a feature set with --set ('nexttick features list' names all)."
        raise UserError(f"{path} is not mapped: {' '.join(proposal.reasons)}{hint}")
    mapped = proposal.mapped
    if args.instrument:
        report(f"Fitting the z-score on {args.instrument}")
        chosen = next(each for each in features if each.name == proposal.features)
        store = Store(args.store or default_store())
        mapped = fitted_on(mapped, chosen, store, args.instrument, args.rows or FITTED_ROWS)
    passport = _passport(found, mapped)
    if args.into_registry:
        entry = registry.add(found, passport=passport, notes="mapped by hand")
        path = registry.path(entry)
        target = path.parent / PASSPORT_NAME
    else:
        _write(target, passport)
    is_beside = target == path.parent / PASSPORT_NAME
    after = inspect(path, question) if is_beside else msgspec.structs.replace(found, passport=passport)
    return after, _json(proposal, mapped, target), _lines(proposal, mapped, target, is_beside=is_beside)


def _wishes(args: argparse.Namespace, features: str) -> Wishes:
    return Wishes(
        features=features,
        output=args.output,
        meaning=args.meaning,
        classes=tuple(each.strip() for each in args.classes.split(",")) if args.classes else (),
        window=args.window,
        horizon=args.horizon,
    )


def _check_target(target: Path) -> None:
    if target.exists():
        raise UserError(f"{target} is there already; move it away or name another with --out.")
    check_output("--out", target)


def _passport(found: Inspection, mapped: Mapped) -> Passport:
    try:
        return passport_from_mapping(found, mapped)
    except PassportError as error:
        raise UserError(f"{found.path} is not mapped: {' '.join(error.faults)}") from error
    except IsolationError as error:
        raise UserError(f"{found.path} is not mapped: {error}") from error


def _write(target: Path, passport: Passport) -> None:
    draft = target.with_name(f".{target.name}.part")
    try:
        draft.write_bytes(passport.to_json())
        draft.replace(target)
    except OSError as error:
        raise UserError(
            f"{target} cannot be written ({(error.strerror or str(error)).lower()}); name another with --out."
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _json(proposal: Proposal, mapped: Mapped, target: Path) -> dict[str, Any]:
    return {
        "set": proposal.features,
        "fitting_sets": list(proposal.fitting),
        "assumptions": list(proposal.assumptions),
        "normaliser": told_of_normaliser(mapped),
        "written": str(target),
    }


def _lines(proposal: Proposal, mapped: Mapped, target: Path, *, is_beside: bool) -> list[str]:
    lines = [f"Mapped to the feature set {proposal.features}; its passport is {target}."]
    lines.append(f"  {told_of_normaliser(mapped)}")
    lines += [f"  assumed  {told}" for told in proposal.assumptions]
    if proposal.assumptions:
        lines.append("  Confirm what was assumed, or say it otherwise; see 'nexttick model map --help'.")
    if not is_beside:
        lines.append(f"  The station reads it once it is called {PASSPORT_NAME} and lies beside the file.")
    return lines
