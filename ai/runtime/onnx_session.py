"""How the station opens an ONNX file: one thread, no spinning, from the bytes that were judged."""

from typing import Any

import onnxruntime as ort  # type: ignore[import-untyped]

from ai.runtime.isolation_messages import Declared

_SEVERITY_FATAL = 4

DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}


def open_session(model: bytes, *, cuda: int | None = None, gpu_memory_bytes: int | None = None) -> Any:
    """Open a session on one CPU thread, or on CUDA device `cuda` where that is given.

    Two threads that spin beside a busy neighbour cost 25 times the latency of one that does not.

    Raises
    ------
    Exception
        Whatever onnxruntime finds wrong with the model; its errors have no common base of their own.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = _SEVERITY_FATAL
    providers: list[Any] = ["CPUExecutionProvider"]
    if cuda is not None:
        settings: dict[str, Any] = {"device_id": cuda}
        if gpu_memory_bytes is not None:
            settings["gpu_mem_limit"] = gpu_memory_bytes
        providers.insert(0, ("CUDAExecutionProvider", settings))
    return ort.InferenceSession(model, options, providers=providers)


def has_cuda() -> bool:
    """Tell whether the installed onnxruntime can use CUDA."""
    return "CUDAExecutionProvider" in ort.get_available_providers()


def declared(ports: Any) -> tuple[Declared, ...]:
    """Inputs or outputs of a session; a free size is told by its name, or by its place where it has none."""
    return tuple(
        Declared(
            port.name,
            DTYPES.get(port.type, port.type),
            tuple(
                size if isinstance(size, int) else str(size or f"free_{at}")
                for at, size in enumerate(port.shape)
            ),
        )
        for port in ports
    )
