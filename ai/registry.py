"""Every model that was taken in, kept by content: what its file is named elsewhere can change, this cannot.

`files/<sha256>-<passport>/` holds a model file and its passport, written once: another passport of the same
file is another model, for it reads or tells something else. `models/<name>/<version>.json` says that this
name's version is that content, with notes, metrics and lineage. Both come into being by one atomic step each,
so two importers at once neither lose nor double a version, and none takes a lock.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ai.loading.inspection import Inspection
from ai.loading.opening import judged_bytes
from ai.passport import PASSPORT_NAME, Passport, parse
from engine.errors import UserError, unknown_name

_NAME = re.compile(r"[\w][\w. +-]{0,79}")
_DRAFT = ".part-"
_DIGITS = 12
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class Lineage(msgspec.Struct, frozen=True):
    """What a model was made of: content hashes of its data, and the training run's own name."""

    data_sha256: tuple[str, ...] = ()
    training_run: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one name.

    Attributes
    ----------
    sha256 : str
        Hash of the file as it lies in the registry.
    passport_sha256 : str
        Hash of the passport beside it; empty where it has none, and in entries of before this was told.
    added_ns : int
        When it was taken in, UTC nanoseconds.
    metrics : dict
        Out-of-sample metrics of the passport, and what was measured here.
    """

    name: str
    version: int
    sha256: str
    file_name: str
    format: str
    size_bytes: int
    added_ns: int
    has_passport: bool
    passport_sha256: str = ""
    notes: str = ""
    metrics: dict[str, float] = {}
    lineage: Lineage = Lineage()


class Registry:
    """Models in one folder.

    Parameters
    ----------
    root : Path
        Made when the first model is taken in.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files = root / "files"
        self._models = root / "models"

    def add(
        self,
        found: Inspection,
        *,
        name: str | None = None,
        passport: Passport | None = None,
        notes: str = "",
        training_run: str = "",
    ) -> Entry:
        """Take in an inspected file under a name (the passport's, or the file's own), as its next version.

        The same file with the same passport under the same name is the version that it already is.

        Raises
        ------
        UserError
            The file was refused, changed since, or the name or the folder cannot be written.
        """
        if not found.accepted:
            raise UserError(f"{found.path} is refused: {found.reason}")
        passport = passport or found.passport
        chosen = name or (passport.name if passport is not None else Path(found.path).stem)
        if _NAME.fullmatch(chosen) is None or _RESERVED.fullmatch(chosen):
            raise UserError(f"{chosen!r} cannot name a model; use letters, digits, spaces, '.', '+' and '-'.")
        try:
            entry = self._entry(found, chosen, passport, notes, training_run)
            file_name = self._keep_files(entry, judged_bytes(found), passport)
            return self._next_version(msgspec.structs.replace(entry, file_name=file_name))
        except OSError as error:
            raise UserError(
                f"{self.root} cannot be written ({(error.strerror or str(error)).lower()}); choose another."
            ) from error

    def entries(self) -> list[Entry]:
        """All versions of all names, by name and version."""
        return [entry for folder in _folders(self._models) for entry in self._versions(folder.name)]

    def find(self, wanted: str) -> Entry:
        """Entry by `name` (newest version), `name:version`, or the first digits of its sha256 (8 or more).

        Raises
        ------
        UserError
            There is none, or the digits begin several.
        """
        name, _, version = wanted.partition(":")
        if (self._models / name).is_dir() and _NAME.fullmatch(name):
            versions = self._versions(name)
            matching = [each for each in versions if not version or str(each.version) == version]
            if matching:
                return matching[-1]
            have = ", ".join(str(each.version) for each in versions)
            raise UserError(f"{name} has no version {version}; choose {have}.")
        if re.fullmatch("[0-9a-f]{8,64}", wanted):
            hits = {e.sha256: e for e in self.entries() if e.sha256.startswith(wanted)}
            if len(hits) == 1:
                return next(iter(hits.values()))
            if hits:
                raise UserError(f"{wanted} begins {len(hits)} models; give more digits.")
        raise unknown_name("model", wanted, {entry.name for entry in self.entries()})

    def path(self, entry: Entry) -> Path:
        """The model file; its passport lies beside it."""
        return self._folder(entry) / entry.file_name

    def passport(self, entry: Entry) -> Passport | None:
        """Passport that was taken in with it."""
        path = self._folder(entry) / PASSPORT_NAME
        return parse(path.read_bytes()) if path.exists() else None

    def annotate(
        self, entry: Entry, *, notes: str | None = None, metrics: dict[str, float] | None = None
    ) -> Entry:
        """Change an entry's notes, or add metrics to it."""
        changed = msgspec.structs.replace(
            entry,
            notes=entry.notes if notes is None else notes,
            metrics=entry.metrics | (metrics or {}),
        )
        path = self._version_path(entry.name, entry.version)
        draft = self._draft(changed)
        draft.replace(path)
        return changed

    # -- keeping ------------------------------------------------------------------------------------------

    def _entry(
        self,
        found: Inspection,
        name: str,
        passport: Passport | None,
        notes: str,
        training_run: str,
    ) -> Entry:
        ranges = passport.ranges if passport is not None else None
        return Entry(
            name=name,
            version=0,
            sha256=found.sha256,
            file_name=Path(found.path).name,
            format=found.format,
            size_bytes=found.size_bytes,
            added_ns=time.time_ns(),
            has_passport=passport is not None,
            passport_sha256=hashlib.sha256(passport.to_json()).hexdigest() if passport is not None else "",
            notes=notes,
            metrics=passport.metrics if passport is not None else {},
            lineage=Lineage(ranges.data_sha256 if ranges is not None else (), training_run),
        )

    def _folder(self, entry: Entry) -> Path:
        told = f"-{entry.passport_sha256[:_DIGITS]}" if entry.passport_sha256 else ""
        return self._files / f"{entry.sha256}{told}"

    def _keep_files(self, entry: Entry, data: bytes, passport: Passport | None) -> str:
        """Write the content's folder whole, then give it its name; whoever comes second finds it there.

        Returns the file's name in there, which is the one under which this content came first.
        """
        target = self._folder(entry)
        self._files.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self._files))
            try:
                (draft / entry.file_name).write_bytes(data)
                if passport is not None:
                    (draft / PASSPORT_NAME).write_bytes(passport.to_json())
                draft.chmod(0o755)
                draft.rename(target)
            except OSError:
                if not target.exists():
                    raise
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return next(path.name for path in target.iterdir() if path.name != PASSPORT_NAME)

    def _next_version(self, entry: Entry) -> Entry:
        folder = self._models / entry.name
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            versions = self._versions(entry.name)
            if same := [each for each in versions if self._content(each) == self._content(entry)]:
                return same[-1]
            numbered = msgspec.structs.replace(entry, version=versions[-1].version + 1 if versions else 1)
            draft = self._draft(numbered)
            try:
                # A link, unlike a rename, never takes the place of a version that another importer made.
                os.link(draft, self._version_path(entry.name, numbered.version))
            except FileExistsError:
                continue
            finally:
                draft.unlink()
            return numbered

    def _content(self, entry: Entry) -> tuple[str, str]:
        """Hashes of the file and of its passport, read from beside the file where the entry tells none."""
        passport = entry.passport_sha256
        if entry.has_passport and not passport:
            passport = hashlib.sha256((self._folder(entry) / PASSPORT_NAME).read_bytes()).hexdigest()
        return entry.sha256, passport

    def _versions(self, name: str) -> list[Entry]:
        paths = (self._models / name).glob("[0-9]*.json")
        found = [msgspec.json.decode(path.read_bytes(), type=Entry) for path in paths]
        return sorted(found, key=lambda entry: entry.version)

    def _version_path(self, name: str, version: int) -> Path:
        return self._models / name / f"{version}.json"

    def _draft(self, entry: Entry) -> Path:
        return self._temporary(self._models / entry.name, msgspec.json.format(msgspec.json.encode(entry)))

    @staticmethod
    def _temporary(folder: Path, data: bytes) -> Path:
        handle, name = tempfile.mkstemp(prefix=_DRAFT, dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return Path(name)


def _folders(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from sorted(path for path in root.iterdir() if path.is_dir())
