"""The torch runtime serves machines that hold only torch, NumPy and polars."""

import subprocess
import sys

_PROGRAM = """
import sys
for absent in ("msgspec", "onnxruntime", "nautilus_trader", "PySide6", "psutil"):
    sys.modules[absent] = None
import warnings
warnings.simplefilter("ignore")
import numpy as np
import ai.runtime.choosing, ai.runtime.devices
assert "torch" not in sys.modules
from ai.runtime.modules import build
from ai.runtime.predictor import InputPort, Signature
from ai.runtime.torch_predictor import TorchPredictor
module = build("mlp", {"inputs": 4, "window": 5, "hidden": 8, "layers": 1, "outputs": 3})
signature = Signature((InputPort("x", "float32", 4),), ("y",), 0, 5)
predictor = TorchPredictor(module, signature, ai.runtime.devices.resolve_device("cpu"))
print(predictor.predict(np.zeros((2, 5, 4), np.float32)).shape)
"""


def test_torch_predicts_without_the_stations_other_packages() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "(2, 3)"), done.stderr
