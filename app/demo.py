"""The demo market: generated, seeded, with a strategy trading in it; needs no file and no network."""

from typing import Final

from app.station import Station
from engine.messages.run import Run

SPEED: Final = 4.0
"""Market seconds per second: fast enough to see fills soon, slow enough to read the book."""


def demo_run(seed: int = 7) -> Run:
    """Run of the demo."""
    return Run(
        instrument="BTCUSDT.SIM",
        simulate="crypto",
        seed=seed,
        strategy="ema_cross",
        parameters={"fast": 60, "slow": 240},
        bar="5-SECOND-MID",
        depth_interval_ns=250_000_000,
    )


def start_demo(station: Station) -> None:
    """Watch the demo, playing."""
    session = station.open_run(demo_run())
    session.set_speed(SPEED)
    session.play()
