"""`nexttick gui`: open the station's window."""

import argparse

from app.commands import Report, Result

SUMMARY = "open the station's window"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--engine", choices=["process", "thread"], help="where the session runs")
    parser.add_argument("--layout", metavar="NAME", help="start with this layout, and from now on")


def run(args: argparse.Namespace, report: Report) -> Result:  # noqa: ARG001 - the window reports for itself
    """Open the window; returns when the last one is closed."""
    from app.gui import main  # noqa: PLC0415 - Qt is loaded only where a window is asked for

    code = main(hosting=args.engine, layout=args.layout)
    return Result({"exit_code": code}, "", code)
