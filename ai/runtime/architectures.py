"""The station's own architectures by name and sizes: the only ones that a file of bare weights may fill.

The tables say every key and shape without torch, so that a file is judged before torch is imported; the
modules themselves are in `ai.runtime.modules`, and a test holds the two together.
"""

from collections.abc import Callable, Mapping

type Shapes = dict[str, tuple[int, ...]]

MAX_SIZE = 16_384
MAX_LAYERS = 64


class ArchitectureError(ValueError):
    """No architecture of that name or of those sizes; the text says which there are."""


def _mlp(sizes: Mapping[str, int]) -> Shapes:
    shapes: Shapes = {}
    width = sizes["inputs"] * sizes["window"]
    for layer in range(sizes["layers"]):
        shapes[f"layers.{layer}.weight"] = (sizes["hidden"], width)
        shapes[f"layers.{layer}.bias"] = (sizes["hidden"],)
        width = sizes["hidden"]
    return shapes | _linear("fc", sizes["outputs"], width)


def _lstm(sizes: Mapping[str, int]) -> Shapes:
    shapes: Shapes = {}
    width, hidden = sizes["inputs"], sizes["hidden"]
    for layer in range(sizes["layers"]):
        shapes[f"lstm.weight_ih_l{layer}"] = (4 * hidden, width)
        shapes[f"lstm.weight_hh_l{layer}"] = (4 * hidden, hidden)
        shapes[f"lstm.bias_ih_l{layer}"] = (4 * hidden,)
        shapes[f"lstm.bias_hh_l{layer}"] = (4 * hidden,)
        width = hidden
    return shapes | _linear("fc", sizes["outputs"], hidden)


def _transformer(sizes: Mapping[str, int]) -> Shapes:
    model, forward = sizes["model"], sizes["feedforward"]
    shapes = _linear("embedding", model, sizes["inputs"])
    for layer in range(sizes["layers"]):
        at = f"transformer.layers.{layer}"
        shapes[f"{at}.self_attn.in_proj_weight"] = (3 * model, model)
        shapes[f"{at}.self_attn.in_proj_bias"] = (3 * model,)
        shapes |= _linear(f"{at}.self_attn.out_proj", model, model)
        shapes |= _linear(f"{at}.linear1", forward, model)
        shapes |= _linear(f"{at}.linear2", model, forward)
        for norm in ("norm1", "norm2"):
            shapes[f"{at}.{norm}.weight"] = shapes[f"{at}.{norm}.bias"] = (model,)
    return shapes | _linear("fc", sizes["outputs"], model)


def _linear(name: str, outputs: int, inputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


_TABLES: Mapping[str, tuple[tuple[str, ...], Callable[[Mapping[str, int]], Shapes]]] = {
    "mlp": (("inputs", "window", "hidden", "layers", "outputs"), _mlp),
    "lstm": (("inputs", "hidden", "layers", "outputs"), _lstm),
    "transformer": (
        ("inputs", "model", "heads", "feedforward", "layers", "outputs", "positions"),
        _transformer,
    ),
}

ARCHITECTURES = tuple(_TABLES)


def expected_shapes(name: str, sizes: Mapping[str, int]) -> Shapes:
    """Shape of every weight by its key, in the order of a state dict.

    Raises
    ------
    ArchitectureError
        Not one of ours, or sizes that lack one, have one too many or are out of range.
    """
    if name not in _TABLES:
        raise ArchitectureError(f"There is no architecture {name!r}; choose {' or '.join(_TABLES)}.")
    needed, table = _TABLES[name]
    if set(sizes) != set(needed):
        raise ArchitectureError(f"The sizes of {name} are {', '.join(needed)}; given are {', '.join(sizes)}.")
    for size, value in sizes.items():
        least = 0 if size in {"layers", "positions"} and name != "lstm" else 1
        most = {"layers": MAX_LAYERS, "positions": 1}.get(size, MAX_SIZE)
        if not least <= value <= most:
            raise ArchitectureError(f"{size} of {name} must be from {least} to {most:,}, not {value:,}.")
    if name == "transformer" and sizes["model"] % sizes["heads"]:
        raise ArchitectureError("model of transformer must be a multiple of heads.")
    return table(sizes)


def faults_of(shapes: Mapping[str, tuple[int | str, ...]], name: str, sizes: Mapping[str, int]) -> list[str]:
    """Tell where a file's keys and shapes differ from the architecture's; empty where they are the same."""
    expected = expected_shapes(name, sizes)
    faults = [f"lacks {key}" for key in expected if key not in shapes]
    faults += [f"has {key} besides" for key in shapes if key not in expected]
    faults += [
        f"{key} is {list(shapes[key])} and should be {list(shape)}"
        for key, shape in expected.items()
        if key in shapes and tuple(shapes[key]) != shape
    ]
    return faults


def fitting(shapes: Mapping[str, tuple[int | str, ...]]) -> tuple[str, dict[str, int]] | None:
    """Find the architecture whose weights have these keys and shapes, with the sizes that weights tell.

    Of a transformer the weights do not tell `heads` and `positions`, of an MLP not `window`.
    """
    numbers = {key: tuple(int(size) for size in shape) for key, shape in shapes.items()}
    for name, guess in (("lstm", _lstm_sizes), ("transformer", _transformer_sizes), ("mlp", _mlp_sizes)):
        try:
            sizes = guess(numbers)
            told = {"heads": 1, "positions": 0, "window": 1, **sizes}
            complete = {size: told[size] for size in _TABLES[name][0]}
            if not faults_of(shapes, name, complete):
                return name, sizes
        except (KeyError, IndexError, ArchitectureError):
            continue
    return None


def _count(shapes: Shapes, pattern: str) -> int:
    layer = 0
    while pattern.format(layer) in shapes:
        layer += 1
    return layer


def _lstm_sizes(shapes: Shapes) -> dict[str, int]:
    return {
        "inputs": shapes["lstm.weight_ih_l0"][1],
        "hidden": shapes["lstm.weight_hh_l0"][1],
        "layers": _count(shapes, "lstm.weight_ih_l{}"),
        "outputs": shapes["fc.weight"][0],
    }


def _transformer_sizes(shapes: Shapes) -> dict[str, int]:
    return {
        "inputs": shapes["embedding.weight"][1],
        "model": shapes["embedding.weight"][0],
        "feedforward": shapes["transformer.layers.0.linear1.weight"][0],
        "layers": _count(shapes, "transformer.layers.{}.linear1.weight"),
        "outputs": shapes["fc.weight"][0],
    }


def _mlp_sizes(shapes: Shapes) -> dict[str, int]:
    return {
        "inputs": shapes["layers.0.weight"][1],
        "hidden": shapes["layers.0.weight"][0],
        "layers": _count(shapes, "layers.{}.weight"),
        "outputs": shapes["fc.weight"][0],
    }
