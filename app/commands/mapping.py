"""`nexttick import --propose` and `--mapping`: what the columns of a table mean, proposed, saved and used."""

import argparse
from typing import Any

import msgspec

from app.commands import Result
from app.mappings import mapping_text, mappings, proposal_for, save_mapping
from engine.errors import UserError
from engine.feeds.mapping import Mappings
from engine.feeds.timestamps import checked_zone


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that concern any table."""
    parser.add_argument(
        "--mapping",
        metavar="NAME|FILE",
        default="",
        help="read columns as this saved mapping (TOML) says; one with the table's header is used unasked",
    )
    parser.add_argument(
        "--propose",
        action="store_true",
        help="only print the mapping that the table seems to need",
    )
    parser.add_argument("--save", metavar="NAME", help="with --propose: save the proposal under this name")
    parser.add_argument(
        "--zone",
        metavar="AREA/CITY",
        default="",
        help="time zone of times that name none, for example America/New_York (default: UTC)",
    )


def said(args: argparse.Namespace) -> dict[str, Any]:
    """What the arguments say, by the names of `Source`.

    Raises
    ------
    UserError
        There is no such zone or mapping.
    """
    if args.save and not args.propose:
        raise UserError("--save names what --propose proposes; add --propose, or leave --save out.")
    chosen: Mappings = mappings(args.mapping)
    return {"zone": checked_zone(args.zone) if args.zone else "", "mappings": chosen}


def propose(args: argparse.Namespace) -> Result:
    """Propose a mapping for the first file and, where asked, save it.

    Raises
    ------
    UserError
        It is no table; or it is to be saved, but lacks a column that only the user can name.
    """
    proposal = proposal_for(args.files[0], args.zone)
    mapping = proposal.mapping
    text = mapping_text(mapping, proposal.sure, proposal.unsure)
    found = {
        "mapping": msgspec.to_builtins(mapping),
        "sure": list(proposal.sure),
        "unsure": list(proposal.unsure),
        "missing": mapping.missing,
    }
    if not args.save:
        return Result(found, text.rstrip())
    if mapping.missing:
        raise UserError(
            f"The columns of {args.files[0]} must be named by hand, because nothing tells which is "
            f"{' or '.join(mapping.missing)}; fill in what --propose prints without --save, and import with "
            "--mapping FILE.toml."
        )
    path = save_mapping(args.save, text)
    return Result({**found, "saved": str(path)}, f"{text.rstrip()}\n\nSaved as {path}; check it there.")
