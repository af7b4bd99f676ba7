"""The station's own architectures as torch modules, each readable top to bottom.

Shape letters: B batch, T rows of the window, F feature columns, C outputs. Keys and shapes are those of
`ai.runtime.architectures`; training fills these modules, loading fills them from files of bare weights.
"""
# ruff: noqa: N803, N806 - tensors are named by their shape

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ai.runtime.architectures import expected_shapes


class Mlp(nn.Module):
    """Dense layers over the flattened window."""

    def __init__(self, inputs: int, window: int, hidden: int, layers: int, outputs: int) -> None:
        super().__init__()
        widths = [inputs * window, *[hidden] * layers]
        self.layers = nn.ModuleList(nn.Linear(w, hidden) for w in widths[:-1])
        self.fc = nn.Linear(widths[-1], outputs)

    def forward(self, x_BTF: Tensor) -> Tensor:
        """Return y_BC."""
        h = x_BTF.flatten(1)
        for layer in self.layers:
            h = torch.relu(layer(h))
        y_BC: Tensor = self.fc(h)
        return y_BC


class Lstm(nn.Module):
    """Stacked LSTM, read at the newest row."""

    def __init__(self, inputs: int, hidden: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True)
        self.fc = nn.Linear(hidden, outputs)

    def forward(self, x_BTF: Tensor) -> Tensor:
        """Return y_BC."""
        h_BTH, _ = self.lstm(x_BTF)
        y_BC: Tensor = self.fc(h_BTH[:, -1])
        return y_BC


class Transformer(nn.Module):
    """Encoder over the window, read at the newest row; positions are sines (Vaswani et al. 2017, 3.5)."""

    def __init__(
        self, inputs: int, model: int, heads: int, feedforward: int, layers: int, outputs: int, positions: int
    ) -> None:
        super().__init__()
        self.positions = bool(positions)
        self.embedding = nn.Linear(inputs, model)
        layer = nn.TransformerEncoderLayer(model, heads, feedforward, batch_first=True)
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.fc = nn.Linear(model, outputs)

    def forward(self, x_BTF: Tensor) -> Tensor:
        """Return y_BC."""
        h_BTH = self.embedding(x_BTF)
        if self.positions:
            h_BTH = h_BTH + _sines(h_BTH)
        y_BC: Tensor = self.fc(self.transformer(h_BTH)[:, -1])
        return y_BC


def _sines(h_BTH: Tensor) -> Tensor:
    rows, width = h_BTH.shape[1], h_BTH.shape[2]
    at = torch.arange(rows, device=h_BTH.device, dtype=torch.float32)[:, None]
    turn = torch.exp(
        torch.arange(0, width, 2, device=h_BTH.device, dtype=torch.float32) * (-math.log(1e4) / width)
    )
    waves = torch.stack((torch.sin(at * turn), torch.cos(at * turn)), dim=-1).flatten(1)
    return waves[:, :width].to(h_BTH.dtype)


_MODULES: Mapping[str, Callable[..., nn.Module]] = {"mlp": Mlp, "lstm": Lstm, "transformer": Transformer}


def build(name: str, sizes: Mapping[str, int]) -> nn.Module:
    """Make a module of the named architecture, its weights at random.

    Raises
    ------
    ArchitectureError
        Not one of ours, or sizes that do not fit it.
    """
    expected_shapes(name, sizes)
    return _MODULES[name](**sizes)
