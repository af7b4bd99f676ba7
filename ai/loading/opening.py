"""Opens an accepted model for predictions, and tells which runtimes could."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ai.loading.inspection import Inspection
from ai.loading.mapping import FORMATS
from ai.loading.trial import made_inputs
from ai.passport import Passport
from ai.runtime.choosing import Candidate, Choice, Expected, choose_runtime
from ai.runtime.devices import Device
from ai.runtime.isolation import IsolatedModel
from ai.runtime.predictor import InputPort, Predictor, Signature
from engine.errors import UserError

GPU_MEMORY_BYTES = 4 << 30
_CPU = Device(None, "")


def signature_of(found: Inspection) -> Signature:
    """How windows of features become this model's inputs; without a passport, as its ports tell.

    Raises
    ------
    UserError
        Without a passport the ports do not tell rows and columns.
    """
    if found.passport is not None:
        return _passport_signature(found.passport)
    ports = []
    windows = set()
    for port in found.inputs:
        if len(port.shape) not in {2, 3} or not isinstance(port.shape[-1], int):
            raise UserError(
                f"{found.path} does not tell the shape of {port.name}; write a passport for it first."
            )
        ports.append(InputPort(port.name, port.dtype, port.shape[-1], has_window=len(port.shape) == 3))
        if len(port.shape) == 3:
            windows.add(port.shape[1] if isinstance(port.shape[1], int) else 1)
    if not ports or len(windows) > 1:
        raise UserError(
            f"{found.path} does not tell one window for its inputs; write a passport for it first."
        )
    first = found.inputs[0].shape[0]
    return Signature(
        inputs=tuple(ports),
        outputs=tuple(port.name for port in found.outputs),
        used=0,
        window=windows.pop() if windows else 1,
        batch=first if isinstance(first, int) else None,
    )


def _passport_signature(passport: Passport) -> Signature:
    first = passport.inputs[0].shape[0]
    normaliser = passport.normaliser
    fitted = normaliser.kind == "zscore"
    return Signature(
        inputs=tuple(
            InputPort(each.name, each.dtype, len(each.columns), has_window=len(each.shape) == 3)
            for each in passport.inputs
        ),
        outputs=tuple(each.name for each in passport.outputs),
        used=next(at for at, each in enumerate(passport.outputs) if each.meaning != "unused"),
        window=passport.window,
        batch=first if isinstance(first, int) else None,
        mean=np.array(normaliser.mean, np.float32) if fitted else None,
        std=np.array(normaliser.std, np.float32) if fitted else None,
    )


def runtimes(found: Inspection, device: Device) -> list[Candidate]:
    """Every runtime that could run the model, those that are not here with the reason."""
    if not found.accepted:
        raise UserError(f"{found.path} is refused: {found.reason}")
    signature = signature_of(found)
    if found.format == "onnx":
        return _onnx_runtimes(found, signature, device)
    if found.passport is not None and found.passport.architecture is not None:
        return _torch_runtimes(found, found.passport, signature, device)
    if found.format in {"torchscript", "pt2"}:
        return [Candidate("isolated", lambda: _isolated(found, signature))]
    raise UserError(f"{found.path} cannot run without a passport: {found.reason}")


def open_predictor(found: Inspection, device: Device, name: str | None = None) -> Predictor:
    """Open the model in the named runtime, or in the first that is here.

    Raises
    ------
    UserError
        The inspection refused it, or that runtime is not here.
    """
    for candidate in runtimes(found, device):
        if candidate.open is not None and name in {None, candidate.name}:
            return candidate.open()
    raise UserError(f"{found.path} cannot run in {name}; see 'nexttick model bench' for what can.")


def measure_runtimes(found: Inspection, device: Device) -> Choice:
    """Measure every runtime on this model and pick the fastest that is right."""
    golden = found.passport.golden if found.passport is not None else None
    if golden is None:
        expected = Expected(made_inputs(found.inputs, found.passport), None)
    else:
        expected = Expected(
            {name: tensor.array() for name, tensor in golden.inputs.items()},
            {name: tensor.array() for name, tensor in golden.outputs.items()},
            golden.rtol,
            golden.atol,
        )
    return choose_runtime(runtimes(found, device), expected)


def judged_bytes(found: Inspection) -> bytes:
    """The file's bytes, if they are still those that were inspected.

    Raises
    ------
    UserError
        The file changed since.
    """
    data = Path(found.path).read_bytes()
    if hashlib.sha256(data).hexdigest() != found.sha256:
        raise UserError(f"{found.path} changed since it was inspected; inspect it again.")
    return data


def _onnx_runtimes(found: Inspection, signature: Signature, device: Device) -> list[Candidate]:
    from ai.runtime.onnx_predictor import OnnxPredictor  # noqa: PLC0415 - 45 MB, only to run
    from ai.runtime.onnx_session import has_cuda  # noqa: PLC0415

    def opening(where: Device) -> Callable[[], Predictor]:
        return lambda: OnnxPredictor(
            judged_bytes(found),
            signature,
            where,
            gpu_memory_bytes=GPU_MEMORY_BYTES,
            host_bytes=found.memory_bytes,
        )

    if device.cuda is None:
        gpu = Candidate("onnxruntime-cuda", None, device.told)
    elif not has_cuda():
        gpu = Candidate("onnxruntime-cuda", None, "The installed onnxruntime is built for the CPU only.")
    else:
        gpu = Candidate("onnxruntime-cuda", opening(device))
    return [Candidate("onnxruntime-cpu", opening(_CPU)), gpu]


def _torch_runtimes(
    found: Inspection, passport: Passport, signature: Signature, device: Device
) -> list[Candidate]:
    def opening(where: Device, precision: str) -> Callable[[], Predictor]:
        def open_here() -> Predictor:
            from ai.runtime import torch_files  # noqa: PLC0415 - 224 MB, only to run
            from ai.runtime.torch_predictor import TorchPredictor  # noqa: PLC0415

            if passport.architecture is None:
                raise UserError(f"{found.path} has no architecture; name it in its passport.")
            module = torch_files.filled(
                torch_files.read_weights(judged_bytes(found), FORMATS[found.format]), passport.architecture
            )
            return TorchPredictor(
                module,
                signature,
                where,
                precision="bfloat16" if precision == "bfloat16" else "float32",
                gpu_memory_bytes=GPU_MEMORY_BYTES,
            )

        return open_here

    candidates = [Candidate("torch-cpu", opening(_CPU, "float32"))]
    if device.cuda is None:
        return [*candidates, Candidate("torch-cuda", None, device.told)]
    candidates.append(Candidate("torch-cuda", opening(device, "float32")))
    if "bfloat16" in passport.precision:
        candidates.append(Candidate("torch-cuda-bfloat16", opening(device, "bfloat16")))
    return candidates


def _isolated(found: Inspection, signature: Signature) -> Predictor:
    from ai.runtime.isolated_predictor import IsolatedPredictor  # noqa: PLC0415

    model = IsolatedModel(
        Path(found.path), found.sha256, FORMATS[found.format], None, None, signature.outputs
    )
    return IsolatedPredictor(model, signature)
