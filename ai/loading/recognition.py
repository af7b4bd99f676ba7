"""Tells what a file is by its bytes; its name only breaks ties, so a renamed pickle stays a pickle."""

import pickletools

_MAGIC = (
    (b"\x7fELF", 0, "shared_library"),
    (b"MZ", 0, "shared_library"),
    (b"\xcf\xfa\xed\xfe", 0, "shared_library"),
    (b"\xca\xfe\xba\xbe", 0, "shared_library"),
    (b"\x89HDF", 0, "keras"),
    (b"TFL3", 4, "tflite"),
    (b"ORTM", 4, "ort"),
    (b"ustar", 257, "tar"),
    (b"\x1f\x8b", 0, "compressed"),
    (b"BZh", 0, "compressed"),
    (b"\xfd7zXZ", 0, "compressed"),
    (b"\x28\xb5\x2f\xfd", 0, "compressed"),
    (b"\x04\x22\x4d\x18", 0, "compressed"),
)
_BY_SUFFIX = {
    ".joblib": "joblib",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".mar": "mar",
    ".so": "shared_library",
    ".h5": "keras",
    ".keras": "keras",
    ".onnx": "onnx",
    ".safetensors": "safetensors",
}
# First number in a file of torch.save before version 1.6 (torch.serialization.MAGIC_NUMBER).
_TORCH_LEGACY = 0x1950A86A20F9469CFC6C
_LOOKED_AT = 1 << 16


def recognise(data: bytes, suffix: str) -> str:
    """Name the format: `zip`, `onnx`, `safetensors`, a key of `REFUSALS`, or `unknown`.

    Of `zip`, `ai.loading.archives` tells more. `onnx` is a guess that the reader of ONNX proves.
    """
    if data.startswith(b"PK\x03\x04"):
        return "zip"
    for magic, at, name in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return "joblib" if name == "compressed" and suffix == ".joblib" else name
    if data[:1] == b"\x80" and data[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return _pickle_kind(data, suffix)
    if len(data) > 8 and data[8:9] == b"{" and int.from_bytes(data[:8], "little") < 1 << 40:
        return "safetensors"
    # An ONNX file begins with its version (field 1, a number), by every writer there is.
    return "onnx" if data[:1] == b"\x08" else _BY_SUFFIX.get(suffix, "unknown")


def _pickle_kind(data: bytes, suffix: str) -> str:
    try:
        for count, (_operation, argument, _place) in enumerate(pickletools.genops(data[:_LOOKED_AT])):
            if argument == _TORCH_LEGACY:
                return "torch_legacy"
            if count > 8:
                break
    except Exception:  # noqa: BLE001, S110 - genops raises whatever its readers do; it is a pickle all the same
        pass
    return "joblib" if suffix == ".joblib" else "pickle"
