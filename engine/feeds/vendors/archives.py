"""What an exchange's own archive holds: one text in a zip or gzip file, or unpacked, whole or cut off."""

from dataclasses import dataclass

from engine.feeds.decoded import Rejected, Undecodable
from engine.feeds.formats import SourceFile
from engine.feeds.tables import CUT_OFF
from engine.feeds.unpacking import contents


@dataclass(frozen=True, slots=True)
class ArchivedText:
    """The one text in an archive.

    Attributes
    ----------
    name : str
        Its own name in a zip archive, else the file's without what names its packing.
    data : bytes
        Whole lines only.
    rejected : tuple of Rejected
        The last line, where the file was cut off in it.
    """

    name: str
    data: bytes
    rejected: tuple[Rejected, ...] = ()


def only_member(file: SourceFile) -> tuple[str, bytes]:
    """Name and unpacked bytes of the one file in an archive; of any other file, of itself.

    Raises
    ------
    Undecodable
        Damaged, cut off, empty, too large, or of several files.
    """
    inside = contents(file.path.name.removesuffix(".gz"), file.data)
    if len(inside) > 1:
        raise Undecodable(f"the zip archive holds {len(inside)} files; unpack it and import them one by one")
    name, text = inside[0]
    if not text or text.isspace():
        raise Undecodable("it is empty")
    return name, text


def archived_text(file: SourceFile) -> ArchivedText:
    """Open an archive of a text; a last line without an end is left out of it and told.

    Zip and gzip prove that they are whole, so only a text that lies unpacked can be cut off unseen.

    Raises
    ------
    Undecodable
        See `only_member`; or cut off in the first line.
    """
    name, text = only_member(file)
    if text.endswith((b"\n", b"\r")):
        return ArchivedText(name, text)
    if text is not file.data:
        return ArchivedText(name, text + b"\n")
    whole = text[: text.rfind(b"\n") + 1]
    if not whole:
        raise Undecodable("it is cut off in its first line; fetch it again")
    return ArchivedText(name, whole, (Rejected(CUT_OFF, 1, whole.count(b"\n") + 1),))
