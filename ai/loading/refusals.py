"""Formats that are refused whatever they hold: why, and the export that makes a file which is welcome."""

_EXPORT = "torch.onnx.export(model.eval(), (example,), 'model.onnx')"

REFUSALS = {
    "pickle": f"A pickle runs code of its maker while it loads; export the model instead: {_EXPORT}.",
    "joblib": (
        "A joblib file is a pickle, which runs code of its maker while it loads; export the model instead: "
        "skl2onnx.to_onnx(model, example)."
    ),
    "module_pickle": (
        "This is a pickled module, which runs code of its maker while it loads (it names {names}); save "
        f"torch.save(model.state_dict(), 'model.pt') or export it: {_EXPORT}."
    ),
    "torch_legacy": (
        "This is torch's format from before 1.6, a bare pickle; load it where you trust it and save "
        "torch.save(model.state_dict(), 'model.pt') with a newer torch."
    ),
    "torch_package": (
        f"A torch.package archive holds Python code that runs while it loads; export the model: {_EXPORT}."
    ),
    "mar": f"A .mar archive is a TorchServe bundle of code and pickles; export its model: {_EXPORT}.",
    "aotinductor": (
        f"An AOTInductor package is machine code of its maker; export the model it was made of: {_EXPORT}."
    ),
    "shared_library": f"This is machine code, not a model; export the model it was made of: {_EXPORT}.",
    "keras": "A Keras file may hold Python code; use model.export('model.onnx', format='onnx').",
    "tflite": "TFLite files are not run here; convert it: python -m tf2onnx.convert --tflite model.tflite.",
    "ort": ("ORT format is bound to one onnxruntime; bring the .onnx file that it was made of."),
    "tar": "A tar archive is not opened, since what it holds may run code; bring the model file alone.",
    "compressed": "The file is compressed; unpack it, or export the model to ONNX if it is a joblib pickle.",
    "unknown": (
        "This is no model format that the station knows; bring ONNX, safetensors or a torch state dict."
    ),
}
