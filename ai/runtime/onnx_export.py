"""Writes a torch module as ONNX, batch size free, with what torch 2.13 alone can do."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

OPSET = 17


def export_onnx(module: Any, inputs: dict[str, npt.NDArray[Any]], output_names: tuple[str, ...]) -> bytes:
    """Trace or script `module` on example inputs.

    Parameters
    ----------
    module : torch.nn.Module or torch.jit.ScriptModule
    inputs : dict of arrays
        Examples in the module's order; their names become the ONNX inputs' names.
    output_names : tuple of str

    Returns
    -------
    bytes
        ONNX of opset 17.

    Raises
    ------
    Exception
        Whatever torch cannot express.
    """
    tensors = tuple(torch.from_numpy(np.array(array)) for array in inputs.values())
    axes = {name: {0: "batch"} for name in (*inputs, *output_names)}
    out: Any = io.BytesIO()  # the older exporter writes to streams too, whatever the annotation says
    with warnings.catch_warnings(), _without_onnx_package(), _without_fast_path(), torch.no_grad():
        # The exporter says that it is the older one, and that an LSTM's batch must be the example's; the
        # converted model is compared with its origin at other batch sizes, so neither needs saying.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tensors,
            out,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(output_names),
            dynamic_axes=axes,
        )
    model: bytes = out.getvalue()
    return model


@contextmanager
def _without_fast_path() -> Iterator[None]:
    """Trace a transformer's own operations, not the one fused operation that they are run as."""
    kept = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(kept)


@contextmanager
def _without_onnx_package() -> Iterator[None]:
    """Skip the step that inserts onnxscript functions; there are none, and it alone imports `onnx`.

    WORKAROUND(torch 2.13: torch.onnx.export(dynamo=False) needs the onnx package only to look for onnxscript
    functions in the finished model.)
    """
    kept = onnx_proto_utils._add_onnxscript_fn  # noqa: SLF001
    onnx_proto_utils._add_onnxscript_fn = lambda model_bytes, custom_opsets: model_bytes  # noqa: ARG005, SLF001
    try:
        yield
    finally:
        onnx_proto_utils._add_onnxscript_fn = kept  # noqa: SLF001
