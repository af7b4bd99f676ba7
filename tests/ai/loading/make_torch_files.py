"""Makes torch's files of all kinds in one folder; run by tests in a process of its own, so that torch's
import and its warnings stay out of theirs. Arguments: the folder, and the marker that hostile files write.
"""

import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ai.runtime.modules import build

LSTM = {"inputs": 4, "hidden": 8, "layers": 2, "outputs": 3}
TRANSFORMER = {
    "inputs": 4, "model": 8, "heads": 2, "feedforward": 16, "layers": 1, "outputs": 3, "positions": 1,
}  # fmt: skip
MLP = {"inputs": 4, "window": 5, "hidden": 8, "layers": 2, "outputs": 3}


class Writer(nn.Module):
    """TorchScript that writes to a file when it runs: a file mapping that is shared is made and grown."""

    def __init__(self, marker: str) -> None:
        super().__init__()
        self.marker = marker

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0 * torch.from_file(self.marker, shared=True, size=1000).sum()


class OnCuda(nn.Module):
    """Its code names a device, which no re-mapping reaches."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.zeros(1, device=torch.device("cuda:0"))


class Hostile:
    """Writes the marker when it is unpickled."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _write, (self.marker,)


def _write(path: str) -> None:
    Path(path).write_text("ran")


def rewritten(source: Path, target: Path, change: dict[str, bytes]) -> None:
    """Copy an archive with some members replaced or added, by their path below its folder."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        root = old.namelist()[0].split("/")[0]
        for name in old.namelist():
            new.writestr(name, change.get(name.split("/", 1)[1], old.read(name)))
        known = {name.split("/", 1)[1] for name in old.namelist()}
        for name, data in change.items():
            if name not in known:
                new.writestr(f"{root}/{name}", data)


def safetensors(weights: dict[str, torch.Tensor]) -> bytes:
    header, data = {}, b""
    for key, value in weights.items():
        raw = value.numpy().astype("<f4").tobytes()
        header[key] = {
            "dtype": "F32",
            "shape": list(value.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def main(folder: Path, marker: str) -> None:
    """All of them in one process: the import of torch and of its compiler is most of the time."""
    torch.manual_seed(3)
    x = torch.randn(2, 5, 4)
    golden: dict[str, Any] = {"x": x.numpy()}
    for name, sizes in (("lstm", LSTM), ("transformer", TRANSFORMER), ("mlp", MLP)):
        module = build(name, sizes).eval()
        torch.save(module.state_dict(), folder / f"{name}.pt")
        (folder / f"{name}.safetensors").write_bytes(safetensors(module.state_dict()))
        with torch.no_grad():
            golden[name] = module(x).numpy()
    np.savez(folder / "golden.npz", **golden)
    module = build("lstm", LSTM).eval()
    torch.save({"epoch": 3, "state_dict": module.state_dict()}, folder / "checkpoint.pt")
    torch.save(module, folder / "module.pt")
    torch.save({"w": Hostile(marker)}, folder / "hostile.pt")
    torch.save(Hostile(marker), folder / "legacy.pt", _use_new_zipfile_serialization=False)
    rewritten(
        folder / "lstm.pt",
        folder / "on_cuda.pt",
        {
            "data.pkl": zipfile.ZipFile(folder / "lstm.pt")
            .read("lstm/data.pkl")
            .replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0")
        },
    )
    torch.jit.script(Writer(marker)).save(folder / "writer.ts")  # type: ignore[no-untyped-call]
    torch.jit.script(OnCuda()).save(folder / "code_on_cuda.ts")  # type: ignore[no-untyped-call]
    torch.jit.script(build("mlp", MLP).eval()).save(folder / "mlp.ts")  # type: ignore[no-untyped-call]
    torch.export.save(torch.export.export(build("mlp", MLP).eval(), (x,)), folder / "mlp.pt2")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), sys.argv[2])
