"""Looks at the zip archive that torch's formats are, with the standard library, before torch sees it.

What an archive is can be told by the names of its members. Names, sizes and places are checked first: torch
reads the same archive with another library, and the two must not see two different files in it.
"""

import io
import json
import pickletools
import re
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Literal

MAX_MEMBERS = 20_000
MAX_UNPACKED_BYTES = 2 << 30
MAX_RATIO = 200
MAX_TEXT_BYTES = 16 << 20

type ArchiveKind = Literal[
    "state_dict", "torchscript", "pt2", "torch_package", "mar", "aotinductor", "keras", "unknown"
]


class ArchiveError(ValueError):
    """The archive is not one that an honest program wrote; the text says why."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A checked archive: members by their path below the one folder that torch puts them in."""

    file: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]
    kind: ArchiveKind

    def read(self, name: str) -> bytes:
        """Unpack one small member.

        Raises
        ------
        ArchiveError
            It is larger than a text ever is, or damaged.
        """
        info = self.members[name]
        if info.file_size > MAX_TEXT_BYTES:
            raise ArchiveError(f"its member {name} is larger than {MAX_TEXT_BYTES >> 20} MB")
        try:
            return self.file.read(info)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise ArchiveError(f"its member {name} is damaged") from error


def open_archive(data: bytes) -> Archive:
    """Check names, sizes and places of all members, and tell what kind of archive it is.

    Raises
    ------
    ArchiveError
        Damaged, a zip bomb, or a name that leads elsewhere.
    """
    try:
        file = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise ArchiveError("it is a damaged zip archive") from error
    infos = file.infolist()
    if not 0 < len(infos) <= MAX_MEMBERS:
        raise ArchiveError(f"it has {len(infos):,} members")
    for info in infos:
        _check_member(info)
    names = [info.filename for info in infos]
    if len({name.casefold() for name in names}) != len(names):
        raise ArchiveError("it has two members of one name")
    _check_places(infos, data)
    if file.comment:
        raise ArchiveError("something else stands after its last member")
    if sum(info.file_size for info in infos) > MAX_UNPACKED_BYTES:
        raise ArchiveError(f"it unpacks to more than {MAX_UNPACKED_BYTES >> 30} GB")
    members = _below_root(infos)
    return Archive(file, members, _kind(members))


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename
    parts = PurePosixPath(name).parts
    if not name or "\0" in name or "\\" in name or ":" in name or name.startswith("/") or ".." in parts:
        raise ArchiveError(f"its member {name!r} leads out of the archive")
    if info.flag_bits & 0x1:
        raise ArchiveError("it is encrypted")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ArchiveError(f"its member {name} is packed in a way that torch does not use")
    if info.file_size > MAX_RATIO * max(info.compress_size, 64):
        raise ArchiveError(f"its member {name} unpacks to {MAX_RATIO} times its size (a zip bomb)")
    if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
        raise ArchiveError(f"its member {name} has two sizes")


def _check_places(infos: list[zipfile.ZipInfo], data: bytes) -> None:
    placed = sorted(infos, key=lambda info: info.header_offset)
    if placed[0].header_offset != 0:
        raise ArchiveError("something else stands before its first member")
    for info in infos:
        # zipfile goes by the directory at the end; torch's reader by the header before the member, too.
        head = data[info.header_offset : info.header_offset + 30]
        size = int.from_bytes(head[26:28], "little")
        name = data[info.header_offset + 30 : info.header_offset + 30 + size]
        if head[:4] != b"PK\3\4" or name != info.orig_filename.encode("utf-8"):
            raise ArchiveError("a member's header and the archive's directory differ")
    for one, following in pairwise(placed):
        if one.header_offset + 30 + one.compress_size > following.header_offset:
            raise ArchiveError("its members overlap (a zip bomb)")


def _below_root(infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Members without the folder that all lie in, where there is one such folder."""
    files = [info for info in infos if not info.is_dir()]
    roots = {info.filename.split("/", 1)[0] for info in files}
    if len(roots) == 1 and all("/" in info.filename for info in files):
        return {info.filename.split("/", 1)[1]: info for info in files}
    return {info.filename: info for info in files}


def _kind(members: dict[str, zipfile.ZipInfo]) -> ArchiveKind:  # noqa: PLR0911 - one line per kind reads best
    def within(folder: str) -> bool:
        return any(name.startswith(folder) for name in members)

    if "MAR-INF/MANIFEST.json" in members or "MANIFEST.json" in members:
        return "mar"
    if within("data/aotinductor/") or any(
        name.endswith((".so", ".dll", ".pyd", ".dylib")) for name in members
    ):
        return "aotinductor"
    if ".data/python_version" in members or ".data/extern_modules" in members:
        return "torch_package"
    if "archive_format" in members or within("models/") or within("serialized_exported_program"):
        return "pt2"
    if "model.weights.h5" in members:
        return "keras"
    if "data.pkl" not in members:
        return "unknown"
    if "constants.pkl" in members or "bytecode.pkl" in members or within("code/") or within("constants/"):
        return "torchscript"
    return "state_dict"


# -- what a state dict's pickle names, without running it -------------------------------------------------

_HARMLESS = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_(tensor_v2|parameter)|torch\.storage UntypedStorage|"
    r"torch (\w+Storage|Size|device|(bfloat|float|uint|int)\d+|bool)"
)


@dataclass(frozen=True, slots=True)
class PickleFacts:
    """Names that a pickle would import, and the devices that its tensors were saved from."""

    foreign: tuple[str, ...]
    devices: tuple[str, ...]


def read_pickle_names(data: bytes) -> PickleFacts:
    """List what a pickle names; its operations are read, never run.

    Raises
    ------
    ArchiveError
        It is no pickle that torch.save writes.
    """
    foreign: list[str] = []
    devices: list[str] = []
    try:
        for operation, argument, _place in pickletools.genops(data):
            if operation.name == "GLOBAL" and _HARMLESS.fullmatch(str(argument)) is None:
                foreign.append(str(argument).replace(" ", "."))
            elif operation.name in {"STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"}:
                foreign.append("a name made while it loads")
            elif isinstance(argument, str) and re.fullmatch(r"(cuda|mps|xpu|hpu|npu)(:\d+)?", argument):
                devices.append(argument)
    except Exception as error:  # genops raises whatever its readers do
        raise ArchiveError("its data.pkl is damaged") from error
    return PickleFacts(tuple(dict.fromkeys(foreign)), tuple(sorted(set(devices))))


# -- what a torch.export archive says of itself -----------------------------------------------------------

_EXPORT_DTYPES = {
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    12: "bool",
    13: "bfloat16",
}


def read_json(archive: Archive, name: str) -> Any:
    """Parse one member as JSON.

    Raises
    ------
    ArchiveError
        It is not JSON.
    """
    try:
        return json.loads(archive.read(name))
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"its member {name} is not JSON") from error


def pickled_payloads(archive: Archive) -> list[str]:
    """Members of a torch.export archive that torch would unpickle without restraint."""
    found = []
    for name in archive.members:
        if name.endswith(("_weights_config.json", "_constants_config.json")):
            config = read_json(archive, name).get("config", {})
            found += [key for key, value in config.items() if value.get("use_pickle") is not False]
    return found
