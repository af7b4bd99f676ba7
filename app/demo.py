"""The demo market: generated, seeded, with a model trading in it; needs no file and no network."""

import hashlib
from typing import Final

from app.paths import RESOURCES
from app.station import Station
from engine.messages.run import Inference, ModelUse, Run

SPEED: Final = 4.0
"""Market seconds per second: fast enough to see fills soon, slow enough to read the book."""

MODEL: Final = RESOURCES / "models" / "demo" / "model.onnx"
"""Trained on this market with other seeds; its recipe is `ai.training.demo`."""

ENTER, EXIT = 0.6, 0.4
"""Of its probabilities: a signal every few seconds, so that a first look sees some."""


def demo_run(seed: int = 7) -> Run:
    """Run of the demo."""
    model = ModelUse(file=str(MODEL), sha256=hashlib.sha256(MODEL.read_bytes()).hexdigest())
    return Run(
        instrument="BTCUSDT.SIM",
        simulate="crypto",
        seed=seed,
        strategy="ai_signal",
        parameters={"enter": ENTER, "exit": EXIT},
        bar="5-SECOND-MID",
        depth_interval_ns=250_000_000,
        inference=Inference(models=(model,)),
    )


def start_demo(station: Station) -> None:
    """Watch the demo, playing."""
    session = station.open_run(demo_run())
    session.set_speed(SPEED)
    session.play()
