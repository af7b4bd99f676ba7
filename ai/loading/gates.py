"""One gate per format: what must hold before a library may open the file, and in which process it then is.

The rules are the policy table of the AI layer's design; each gate notes what it found and raises
`RefusedError` with the reason and the next step.
"""

from collections.abc import Callable, Mapping

from ai.loading import archives, torch_text
from ai.loading.archives import Archive, ArchiveError
from ai.loading.inspection import Findings, Fit, Question, RefusedError, UntrustedError
from ai.loading.onnx_model import STANDARD, OnnxFacts, read_onnx
from ai.loading.passports import find_passport
from ai.loading.refusals import REFUSALS
from ai.loading.trial import try_out
from ai.loading.wire import WireError
from ai.passport import Architecture
from ai.runtime import safetensors
from ai.runtime.architectures import ARCHITECTURES, ArchitectureError, faults_of, fitting
from ai.runtime.devices import cuda_devices
from ai.runtime.isolation_messages import Declared
from ai.runtime.safetensors import SafetensorsError

type Gate = Callable[[Findings, Question], None]

# Domains whose operators are part of onnxruntime; any other would come from a library beside the file.
KNOWN_DOMAINS = {STANDARD, "ai.onnx.ml", "com.microsoft"}
# Operators of known domains that read compiled code or files by a path in the model.
_FORBIDDEN_OPERATORS = {"com.microsoft.EPContext"}

_LOOKED_AT = 4_096

_MAP_INPUTS = "It has no passport: map its inputs to features before it is armed."


def onnx_gate(found: Findings, question: Question) -> None:
    """Accept what runs from its own bytes with onnxruntime's own operators, within the limits."""
    found.format = "onnx"
    # Every writer begins with the version (field 1, a number); what does not never was ONNX.
    if found.data[:1] != b"\x08" and _is_text(found.data):
        raise RefusedError("This is no ONNX file but a text; export the model to ONNX and bring that file.")
    try:
        facts = read_onnx(found.data)
    except WireError as error:
        raise RefusedError(f"This is no whole ONNX file: {error}; bring it again.") from error
    found.inputs = tuple(Declared(port.name, port.dtype, port.shape) for port in facts.inputs)
    found.outputs = tuple(Declared(port.name, port.dtype, port.shape) for port in facts.outputs)
    _refuse_strange_onnx(facts, question)
    if facts.bare != found.data:
        found.content_sha256 = Findings.of(found.path, facts.bare).sha256
    find_passport(found, facts.metadata)
    found.runtime = "onnxruntime-cpu"
    try_out(found, question, "onnx")
    if found.passport is None:
        found.next_step = _MAP_INPUTS


def _is_text(data: bytes) -> bool:
    return data[:_LOOKED_AT].isascii() and b"\0" not in data[:_LOOKED_AT]


def _refuse_strange_onnx(facts: OnnxFacts, question: Question) -> None:
    if facts.external:
        raise RefusedError(
            f"It reads tensors from other files ({facts.external[0]!r}); save it as one file: "
            "onnx.save(model, 'model.onnx', save_as_external_data=False)."
        )
    foreign = sorted((facts.domains | set(facts.opsets)) - KNOWN_DOMAINS - facts.own_functions)
    if foreign:
        raise RefusedError(
            f"It needs operators of a library of its own ({', '.join(foreign)}), a stranger's machine "
            "code; export it with standard operators."
        )
    if forbidden := sorted(facts.operators & _FORBIDDEN_OPERATORS):
        raise RefusedError(f"Its operator {forbidden[0]} loads compiled code; export it without a compiler.")
    if facts.has_training:
        raise RefusedError("It holds a training graph; export it for inference (model.eval()).")
    if facts.declared_bytes > question.limits.memory_bytes:
        raise RefusedError(
            f"Its tensors ask for {facts.declared_bytes / 2**30:,.1f} GB and may have "
            f"{question.limits.memory_bytes / 2**30:,.1f} GB; bring a smaller model."
        )
    if facts.short:
        raise RefusedError(f"Its tensor {facts.short[0]!r} lacks data; the file is damaged, bring it again.")


def safetensors_gate(found: Findings, question: Question) -> None:
    """Accept weights that fill an architecture of the station's exactly."""
    found.format = "safetensors"
    try:
        entries, _metadata = safetensors.read_header(found.data)
    except SafetensorsError as error:
        raise RefusedError(f"This is no sound safetensors file: {error}.") from error
    found.weights = tuple(Declared(k, safetensors.NAMES[e.dtype], e.shape) for k, e in entries.items())
    find_passport(found, {})
    _judge_weights(found)
    _note_ports(found)
    if found.passport is not None:
        found.runtime = "torch-cpu"
        try_out(found, question, "weights")


def state_dict_gate(found: Findings, question: Question, archive: Archive) -> None:
    """Accept tensors by name, read with `weights_only=True`; nothing else is tried when that fails."""
    facts = archives.read_pickle_names(archive.read("data.pkl"))
    if facts.foreign:
        found.format = "module_pickle"
        raise RefusedError(REFUSALS["module_pickle"].replace("{names}", ", ".join(facts.foreign[:3])))
    if facts.devices:
        found.warnings.append(
            f"Its weights were saved on {', '.join(facts.devices)} and are read to the CPU."
        )
    find_passport(found, {})
    architecture = found.passport.architecture if found.passport is not None else None
    if found.passport is not None and architecture is None:
        raise RefusedError(_no_architecture())
    found.runtime = "torch-cpu" if architecture is not None else None
    _note_ports(found)
    try_out(found, question, "state_dict")
    _judge_weights(found)


def _judge_weights(found: Findings) -> None:
    """Hold the weights against the passport's architecture, or find one of ours that they fit."""
    wrong = [entry for entry in found.weights if entry.dtype != "float32"]
    if wrong:
        raise RefusedError(f"Its {wrong[0].name} is {wrong[0].dtype}; save the weights as float32.")
    shapes = {entry.name: entry.shape for entry in found.weights}
    architecture = found.passport.architecture if found.passport is not None else None
    if architecture is not None:
        _hold_against(shapes, architecture)
    elif found.passport is not None:
        raise RefusedError(_no_architecture())
    elif (fit := fitting(shapes)) is None:
        raise RefusedError(
            f"Its {len(shapes)} weights fit none of the station's own ({', '.join(ARCHITECTURES)}), "
            "and weights alone do not tell how they are wired; export the model to ONNX instead."
        )
    else:
        found.fit = Fit(*fit)
        sizes = ", ".join(f"{size} {value}" for size, value in fit[1].items())
        found.next_step = (
            f"Its weights fit the station's {fit[0]} ({sizes}); they do not tell how the model was wired, so "
            "write a passport with that architecture and golden outputs before it is armed."
        )


def _hold_against(shapes: Mapping[str, tuple[int | str, ...]], architecture: Architecture) -> None:
    try:
        faults = faults_of(shapes, architecture.name, architecture.sizes)
    except ArchitectureError as error:
        raise RefusedError(str(error)) from error
    if faults:
        raise RefusedError(
            f"It is not the {architecture.name} that its passport says: it {'; it '.join(faults[:5])}."
        )


def _no_architecture() -> str:
    return f"Its passport names no architecture for the weights; name one: {', '.join(ARCHITECTURES)}."


def _note_ports(found: Findings) -> None:
    if found.passport is not None:
        found.inputs = tuple(Declared(e.name, e.dtype, e.shape) for e in found.passport.inputs)
        found.outputs = tuple(Declared(e.name, e.dtype, e.shape) for e in found.passport.outputs)


def torchscript_gate(found: Findings, question: Question, archive: Archive) -> None:
    """Refuse unless exactly this file is trusted; then it runs in a process of its own."""
    if "bytecode.pkl" in archive.members:
        raise RefusedError("This is TorchScript for phones (lite); export the model to ONNX instead.")
    code = torch_text.read_code(archive)
    found.inputs, found.outputs = torch_text.script_ports(archive, code)
    devices = torch_text.fixed_devices(code)
    _refuse_missing_cuda(devices)
    find_passport(found, {})
    _demand_trust(found, question, "TorchScript")
    found.runtime = "torchscript-isolated"
    try_out(found, question, "torchscript")
    if found.passport is None:
        found.next_step = (
            "It is trusted and runs apart; convert it to ONNX with a passport before it is armed."
        )


def export_gate(found: Findings, question: Question, archive: Archive) -> None:
    """Refuse what torch would unpickle or load as machine code; the rest is as TorchScript."""
    if pickled := archives.pickled_payloads(archive):
        raise RefusedError(
            f"Its {pickled[0]} is a pickle, which runs code while it loads; save it with plain tensors, or "
            "export the model to ONNX."
        )
    models = [name for name in archive.members if name.startswith("models/") and name.endswith(".json")]
    if len(models) != 1 or "archive_format" not in archive.members:
        raise RefusedError(
            "It is of an older torch.export or holds several models; save it with torch 2.8 or newer."
        )
    program = archives.read_json(archive, models[0])
    found.inputs, found.outputs = torch_text.export_ports(program)
    _refuse_missing_cuda(torch_text.export_devices(program))
    find_passport(found, {})
    _demand_trust(found, question, "A torch.export archive")
    found.runtime = "torch-export-isolated"
    try_out(found, question, "pt2")
    if found.passport is None:
        found.next_step = (
            "It is trusted and runs apart; convert it to ONNX with a passport before it is armed."
        )


def _refuse_missing_cuda(devices: tuple[str, ...]) -> None:
    if devices and cuda_devices() == 0:
        raise RefusedError(
            f"Its code is bound to {devices[0]}, and this machine has no CUDA device; move the model to the "
            "CPU (model.cpu()) and export it again."
        )


def _demand_trust(found: Findings, question: Question, what: str) -> None:
    if question.trust == found.sha256:
        return
    if question.trust:
        raise RefusedError(
            f"The trust was given to another file ({question.trust[:12]}…); this one is {found.sha256}."
        )
    raise UntrustedError(
        f"{what} runs code of its maker; if you know the maker, trust exactly this file (--trust "
        f"{found.sha256}) and convert it to ONNX with 'nexttick model convert'."
    )


def archive_gate(found: Findings, question: Question) -> None:
    """Tell torch's formats apart by the members' names, then pass on."""
    try:
        archive = archives.open_archive(found.data)
        found.format = archive.kind
        match archive.kind:
            case "state_dict":
                state_dict_gate(found, question, archive)
            case "torchscript":
                torchscript_gate(found, question, archive)
            case "pt2":
                export_gate(found, question, archive)
            case kind:
                raise RefusedError(REFUSALS[kind])
    except ArchiveError as error:
        raise RefusedError(f"This archive is not opened: {error}.") from error


GATES: Mapping[str, Gate] = {
    "onnx": onnx_gate,
    "safetensors": safetensors_gate,
    "zip": archive_gate,
}
