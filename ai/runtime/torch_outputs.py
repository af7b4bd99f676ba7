"""Torch models answer with tensors in many wrappings; the station wants them flat and in order."""

from collections.abc import Mapping
from typing import Any

import torch


def flat_outputs(outputs: Any) -> list[torch.Tensor]:
    """Tensors of a tensor, a tuple, a list or a dict, in order.

    Raises
    ------
    ValueError
        Something in it is no tensor.
    """
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    parts = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
    if not isinstance(parts, list | tuple):
        raise ValueError(f"its answer is a {type(parts).__name__}, not tensors")  # noqa: TRY004 - one kind
    return [tensor for part in parts for tensor in flat_outputs(part)]
