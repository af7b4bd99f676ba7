"""A torch module as it is called first: one tensor of Python lists per call, and numbers back."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ai.runtime.modules import build
from ai.runtime.onnx_export import export_onnx


def _seeded(architecture: str, sizes: Mapping[str, int], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return build(architecture, sizes).eval()


def exported(architecture: str, sizes: Mapping[str, int], seed: int, shape: tuple[int, int, int]) -> bytes:
    """ONNX of the same module: input `x` of `shape`, its batch free, and the logits `y`."""
    return export_onnx(_seeded(architecture, sizes, seed), {"x": np.zeros(shape, np.float32)}, ("y",))


class NaiveModule:
    """Class probabilities of one window by one of the station's architectures; weights given or seeded."""

    def __init__(
        self,
        architecture: str,
        sizes: Mapping[str, int],
        seed: int,
        weights: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> None:
        torch.set_num_threads(1)
        self._module = _seeded(architecture, sizes, seed)
        if weights is not None:
            self._module.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})

    def __call__(self, rows: list[list[float]]) -> list[float]:
        """Probabilities in the order of the classes."""
        with torch.no_grad():
            answer: list[float] = torch.softmax(self._module(torch.tensor([rows])), dim=-1)[0].tolist()
        return answer
