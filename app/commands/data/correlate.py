"""`nexttick data correlate`: how stored instruments move together, and which of two moves first."""

import argparse

import msgspec

from app.commands import Report, Result
from app.commands.data import opened
from app.commands.data.spans import add_clock, add_instruments, asked_of, span_ns
from app.commands.import_ import stamp
from engine.cross_asset.stored import correlations, lead_lag_of
from engine.errors import UserError, unknown_name
from engine.messages.data import Correlations, LeadLagCurve

_SAMPLINGS = ("previous-tick", "refresh-time", "hayashi-yoshida")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_instruments(parser)
    add_clock(parser)
    parser.add_argument("--sampling", default="previous-tick", help=" | ".join(_SAMPLINGS))
    parser.add_argument("--every", default="1m", metavar="SPAN", help="step of previous-tick (default: 1m)")
    parser.add_argument(
        "--lead-lag", metavar="SPAN", help="of two instruments: shifts of up to so much, for example 10s"
    )
    parser.add_argument("--shift", default="100ms", metavar="SPAN", help="its step (default: 100ms)")


def run(args: argparse.Namespace, report: Report) -> Result:
    """Answer the matrix and, where asked for, the lead-lag of the two."""
    if args.sampling not in _SAMPLINGS:
        raise unknown_name("sampling", args.sampling, _SAMPLINGS)
    if args.lead_lag is not None and len(args.instruments) != 2:
        raise UserError("--lead-lag compares two instruments; name exactly two.")
    store, asked = opened(args.store), asked_of(args)
    matrix = correlations(
        store,
        args.instruments,
        asked,
        sampling=args.sampling,
        step_ns=span_ns(args.every, "--every"),
    )
    json, lines = {"correlations": msgspec.to_builtins(matrix)}, _matrix(matrix, args.every)
    if args.lead_lag is not None:
        report("Shifting one against the other")
        curve = lead_lag_of(
            store,
            (args.instruments[0], args.instruments[1]),
            asked,
            largest_ns=span_ns(args.lead_lag, "--lead-lag"),
            step_ns=span_ns(args.shift, "--shift"),
        )
        json["lead_lag"] = msgspec.to_builtins(curve)
        lines += _curve(curve)
    return Result(json, "\n".join(lines))


def _matrix(found: Correlations, every: str) -> list[str]:
    how = {
        "previous-tick": f"last prices every {every}",
        "refresh-time": "prices whenever all have changed",
        "hayashi-yoshida": "all ticks, by Hayashi and Yoshida",
    }[found.sampling]
    width = max(len(name) for name in found.instruments)
    return [
        f"Correlation of log returns, {how}: {found.returns:,} returns, "
        f"{stamp(found.start_ns)} to {stamp(found.end_ns)}",
        " " * (width + 2) + "".join(f"{name[:11]:>13}" for name in found.instruments),
        *(
            f"  {name:<{width}}" + "".join(f"{'–' if value is None else f'{value:.3f}':>13}" for value in row)
            for name, row in zip(found.instruments, found.matrix, strict=True)
        ),
        *([f"  {found.doubt}"] if found.doubt else []),
    ]


def _curve(found: LeadLagCurve) -> list[str]:
    at = dict(zip(found.shifts_ns, found.correlation, strict=True))
    best, together = at[found.lead_ns], at.get(0)
    if best is None:
        return ["Lead-lag: cannot be told; a price never moved in this range."]
    leader = found.first if found.lead_ns > 0 else found.second
    who = f"{leader} leads by {abs(found.lead_ns) / 1e6:g} ms" if found.lead_ns else "neither leads"
    ratio = "" if found.ratio is None else f"; lead-lag ratio {found.ratio:.3f}"
    now = "" if together is None else f", {together:.3f} without a shift"
    return [f"Lead-lag: {who} (correlation {best:.3f} there{now}{ratio})"]
