"""A torch module as it is called first: one tensor of Python lists per call, and numbers back."""

from collections.abc import Mapping

import torch

from ai.runtime.modules import build


class NaiveModule:
    """Class probabilities of one window, by one of the station's architectures with seeded weights."""

    def __init__(self, architecture: str, sizes: Mapping[str, int], seed: int) -> None:
        torch.manual_seed(seed)
        self._module = build(architecture, sizes).eval()

    def __call__(self, rows: list[list[float]]) -> list[float]:
        """Probabilities in the order of the classes."""
        with torch.no_grad():
            answer: list[float] = torch.softmax(self._module(torch.tensor([rows])), dim=-1)[0].tolist()
        return answer
