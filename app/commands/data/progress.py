"""A line whenever another tenth of some work on the store is done: it is seen to move and never floods."""

from collections.abc import Callable

from app.commands import Report


def tenths(report: Report) -> Callable[[float, str], None]:
    """Progress that tells `report` each further tenth and what is being done."""
    told = 0

    def progress(fraction: float, what: str) -> None:
        nonlocal told
        tenth = int(fraction * 10)
        if tenth > told:
            told = tenth
            report(f"{tenth * 10:>3} %  {what}")

    return progress
