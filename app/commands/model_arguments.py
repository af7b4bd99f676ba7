"""The arguments that name a run's models and say how they are asked."""

import argparse
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.paths import home
from engine.errors import UserError
from engine.messages.run import InferenceMode, ModelUse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    group = parser.add_argument_group("models that ai_signal acts on")
    group.add_argument(
        "--model",
        metavar="FILE",
        action="append",
        default=[],
        help="a model's file, or its name in the registry; several are an ensemble",
    )
    group.add_argument(
        "--weight",
        type=float,
        metavar="W",
        action="append",
        default=[],
        help="one per model, for ensemble=weighted",
    )
    group.add_argument(
        "--trust", metavar="SHA256", action="append", default=[], help="let exactly this file's own code run"
    )
    group.add_argument(
        "--inference",
        choices=("batch", "per-tick", "thread"),
        help="beforehand, in each tick's own turn (the same orders), or in a background thread",
    )
    group.add_argument("--device", metavar="NAME", help="auto, cpu or cuda:N (default: auto)")
    group.add_argument(
        "--signal-latency-us",
        type=float,
        metavar="N",
        help="delay from a row to its order (default: as measured on this machine)",
    )


def inference_of(args: argparse.Namespace, filed: object, mode: InferenceMode) -> dict[str, Any] | None:
    """Settings of `Run.inference`: those of a run file, changed by the arguments; None without models.

    Raises
    ------
    UserError
        Weights without their models, a model that is neither a file nor in the registry, or arguments that
        need a model without one.
    """
    given: dict[str, Any] = dict(filed) if isinstance(filed, Mapping) else {}
    if args.weight and len(args.weight) != len(args.model):
        raise UserError(f"{len(args.weight)} weights were given for {len(args.model)} models; give one each.")
    if args.model:
        weights = args.weight or [1.0] * len(args.model)
        given["models"] = [
            _use(name, weight, args.trust) for name, weight in zip(args.model, weights, strict=True)
        ]
    named = {"mode": args.inference, "device": args.device, "latency_us": args.signal_latency_us}
    named = {name: value for name, value in named.items() if value is not None}
    if not given:
        if named or args.trust:
            raise UserError("These arguments say how a model is asked, and there is none; give --model FILE.")
        return None
    return {"mode": mode} | given | named


def _use(name: str, weight: float, trusted: list[str]) -> dict[str, Any]:
    path = Path(name)
    path = path.absolute() if path.is_file() else _registered(name)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    use = ModelUse(file=str(path), sha256=sha256, trusted=sha256 in trusted, weight=weight)
    settings: dict[str, Any] = msgspec.to_builtins(use)
    return settings


def _registered(name: str) -> Path:
    from ai.registry import Registry  # noqa: PLC0415 - only where a model is no file

    registry = Registry(home() / "models")
    try:
        return registry.path(registry.find(name))
    except UserError as error:
        raise UserError(f"{name} is no file, and no model in the registry: {error}") from error
