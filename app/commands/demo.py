"""`nexttick demo`: watch a generated market; offscreen it makes a picture and figures instead of a window."""

import argparse
from pathlib import Path
from typing import Final

from app.commands import Report, Result, check_output
from engine.errors import UserError

SUMMARY = "watch a generated market; nothing to install, nothing to import"
_OFFSCREEN_S: Final = 20.0
LONGEST_S: Final = 1_000_000
"""Eleven days; a timer counts milliseconds in 31 bits."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--seconds", type=float, metavar="N", help="end by itself after N seconds")
    parser.add_argument(
        "--offscreen", action="store_true", help="open no window; 20 seconds where none are said"
    )
    parser.add_argument(
        "--screenshot", type=Path, metavar="FILE.png", help="save the window's picture at the end"
    )


def run(args: argparse.Namespace, report: Report) -> Result:
    """Show the demo; the figures are those of `app.gui.demo_figures`."""
    seconds = args.seconds if args.seconds is not None else (_OFFSCREEN_S if args.offscreen else None)
    if seconds is not None and not 0 < seconds <= LONGEST_S:
        raise UserError(
            f"--seconds {seconds:g} is not possible; give a number above 0, at most {LONGEST_S:,}."
        )
    if args.screenshot is not None and seconds is None:
        raise UserError("A screenshot is taken at the end; say with --seconds when that is.")
    if args.screenshot is not None:
        check_output("--screenshot", args.screenshot)
    if args.offscreen:
        report(f"Watching the demo market offscreen for {seconds:g} s.")
    from app.gui import watch_demo  # noqa: PLC0415 - Qt is loaded only where a window is asked for

    figures = watch_demo(seconds=seconds, offscreen=args.offscreen, screenshot=args.screenshot)
    text = (
        f"{figures.get('frames', 0):,} frames at {figures.get('fps', 0)} per second, "
        f"{figures.get('ticks', 0):,} ticks, {figures.get('events', 0):,} events, "
        f"{figures.get('events_lost', 0)} lost."
    )
    return Result(figures, text)
