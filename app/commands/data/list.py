"""`nexttick data list`: all instruments and their rows."""

import argparse

from app.commands import Report, Result
from app.commands.data import opened
from engine.columns import KINDS
from engine.errors import UserError
from engine.store import KindInfo


def configure(parser: argparse.ArgumentParser) -> None:
    """No arguments beside the shared ones."""


def run(args: argparse.Namespace, _report: Report) -> Result:
    """All instruments; one with a damaged file stands below the others, and the exit code is 2."""
    store = opened(args.store)
    infos: dict[str, dict[str, KindInfo]] = {}
    damaged: dict[str, str] = {}
    for instrument in store.instruments():
        try:
            infos[instrument] = store.info(instrument)
        except UserError as error:
            damaged[instrument] = str(error)
    if not infos and not damaged:
        return Result(
            {"instruments": [], "damaged": []},
            f"Nothing is stored in {store.root} yet; see 'nexttick import --help'.",
        )
    width = max(len(instrument) for instrument in (*infos, "instrument"))
    others = sorted({kind for kinds in infos.values() for kind in kinds} - set(KINDS))
    columns = {kind: max(14, len(kind) + 2) for kind in (*KINDS, *others)}
    lines = [f"{'instrument':<{width}}{''.join(f'{kind:>{wide}}' for kind, wide in columns.items())}"]
    lines += [
        f"{instrument:<{width}}{''.join(f'{_rows(kinds, kind):>{wide}}' for kind, wide in columns.items())}"
        for instrument, kinds in infos.items()
    ]
    lines += [f"{instrument}: {problem}" for instrument, problem in damaged.items()]
    json = {
        "instruments": [
            {"instrument": instrument, **{kind: info.rows for kind, info in kinds.items()}}
            for instrument, kinds in infos.items()
        ],
        "damaged": [{"instrument": name, "problem": problem} for name, problem in damaged.items()],
    }
    return Result(json, "\n".join(lines if infos else lines[1:]), 2 if damaged else 0)


def _rows(kinds: dict[str, KindInfo], kind: str) -> str:
    """Rows of one kind; a dash where an instrument has no such bars or actions."""
    return f"{kinds[kind].rows:,}" if kind in kinds else "–"
