"""One file from its source into the cache: asked for again while that may help, and kept only when whole."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import InvalidHeader

from engine.downloads.answer import Answer, Interrupted
from engine.downloads.cache import Validator
from engine.downloads.checksums import checksum_file, matches_published
from engine.downloads.line import Line
from engine.downloads.pace import backoff
from engine.downloads.plan import RemoteFile
from engine.downloads.settings import DownloadSettings
from engine.errors import UserError
from engine.progress import Cancelled

_WHOLE: Final = 200
_REST: Final = 206
_ABSENT: Final = frozenset({404, 410})
_BAD_RANGE: Final = 416
_TOO_MANY: Final = frozenset({418, 429, 503})
"""Say in Retry-After how long to wait; 418 is Binance's for those who did not heed 429."""

_PASSING: Final = frozenset({408, 425, 500, 502, 504})
_REFUSED: Final = frozenset({401, 402, 403})
_ERROR_BYTES: Final = 16 << 10


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one remote file.

    Attributes
    ----------
    path : Path
        Where it lies now, or would if the source had it.
    size_bytes : int
        What came over the network for it, in all attempts.
    attempts : int
        How often it was asked for.
    is_absent : bool
        The source has no such file, which by the plan means one without rows.
    is_missing : bool
        The source does not have it, which by the plan may be; nothing was kept.
    is_verified : bool
        It has the checksum that the source publishes.
    """

    path: Path
    size_bytes: int
    attempts: int
    is_absent: bool = False
    is_missing: bool = False
    is_verified: bool = False


class Absent(Exception):  # noqa: N818 - it reads as what is said of a file
    """The source has no such file, and by the plan it should.

    Attributes
    ----------
    name : str
        Of the file in the cache.
    said : str
        What the source says of it, in brackets; may be empty.
    """

    def __init__(self, name: str, said: str) -> None:
        super().__init__(name)
        self.name, self.said = name, said


class Unreachable(Exception):  # noqa: N818 - it reads as what is said of a source
    """No connection could be made; its text is the reason."""


class Transfer:
    """One file's way over a `Line`.

    Parameters
    ----------
    on_bytes : callable
        Told of each block: the file's bytes so far, and its length where the source tells it.
    """

    def __init__(
        self,
        line: Line,
        file: RemoteFile,
        on_bytes: Callable[[int, int | None], None] = lambda _done, _total: None,
    ) -> None:
        self._line, self._file, self._on_bytes = line, file, on_bytes
        self._partial = line.cache.partial(file)
        self._host = urlsplit(file.url).netloc
        self._received = 0
        self._attempts = 0
        self._has_begun = False

    def run(self) -> Fetched:
        """Fetch the file into the cache.

        Raises
        ------
        UserError
            The source refuses it, or it cannot be had whole; the sentence names it.
        Absent
            There is no such file.
        Unreachable
            No connection can be made.
        Cancelled
            The line was hung up.
        """
        failures, furthest = 0, self._partial.size
        while True:
            try:
                return self._attempt()
            except Interrupted as failure:
                self._check_line()
                failures += 1
                if self._partial.size > furthest:  # it gets on, if in pieces
                    failures, furthest = 0, self._partial.size
                self._check_patience(failure, failures)
                again = max(0, failures - 1)
                self._pause(backoff(again, self._settings.backoff_s, self._settings.longest_pause_s))

    @property
    def _settings(self) -> DownloadSettings:
        return self._line.settings

    def _attempt(self) -> Fetched:
        validator = self._partial.validator(self._file)
        offset = self._partial.size if validator is not None else 0
        headers = dict(self._line.access.headers)
        if validator is not None:
            headers |= {"Range": f"bytes={offset}-", "If-Range": validator.if_range}
        self._line.limit.take(self._host, self._line.stop)
        self._check_line()
        self._attempts += 1
        answer = self._line.transport.ask(self._file, headers)
        with self._line.reading(answer):
            if answer.status in _ABSENT:
                return self._absent(answer)
            self._check_status(answer, offset)
            self._has_begun = True
            if answer.status == _WHOLE:
                offset = 0
                self._partial.begin(self._validator(answer))
            self._gather(answer, offset)
        return self._kept()

    def _gather(self, answer: Answer, offset: int) -> None:
        total, done = _total(answer), offset
        with self._partial.path.open("ab") as file:
            for block in answer.blocks():
                file.write(block)
                done += len(block)
                self._received += len(block)
                self._check_line()
                self._on_bytes(done, total)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and done != total:
            raise Interrupted("the answer was cut off")

    def _kept(self) -> Fetched:
        """Check what was gathered as a whole, and put it in place."""
        with self._partial.path.open("rb") as file:
            head = file.read(len(self._file.begins))
        if head and head != self._file.begins:
            self._partial.discard()
            raise Interrupted("what was served is no such file (a login page?)")
        is_verified = self._is_verified()
        path = self._line.cache.keep(self._file, final=self._line.clock.now() >= self._file.final_at)
        return Fetched(path, self._received, self._attempts, is_verified=is_verified)

    def _is_verified(self) -> bool:
        """Compare with the published checksum: False where there is none, Interrupted where it differs."""
        published = checksum_file(self._file)
        if published is None:
            return False
        path = self._line.cache.find(published) or Transfer(self._line, published).run().path
        if not path.stat().st_size:
            return False
        if not matches_published(self._partial.path, path):
            self._partial.discard()
            path.unlink()
            raise Interrupted("its bytes do not have the checksum that is published for it")
        return True

    def _absent(self, answer: Answer) -> Fetched:
        if self._file.absence == "error":
            raise Absent(self._file.name, self._line.access.said(_body(answer)))
        if self._file.absence == "missing":
            self._partial.discard()
            return Fetched(self._partial.path, self._received, self._attempts, is_missing=True)
        self._partial.begin(None)
        path = self._line.cache.keep(self._file, final=self._line.clock.now() >= self._file.final_at)
        return Fetched(path, self._received, self._attempts, is_absent=True)

    def _check_status(self, answer: Answer, offset: int) -> None:
        status = answer.status
        if status in _TOO_MANY:
            self._heed(answer)
            raise Interrupted(f"it asks for fewer requests ({status})")
        if status in _PASSING:
            raise Interrupted(f"it has a fault of its own ({status})")
        if status == _BAD_RANGE or (status == _REST and not _continues(answer, offset)):
            self._partial.discard()
            raise Interrupted("the rest of the file does not continue its beginning")
        if status in _REFUSED:
            raise self._refusal(answer)
        if status not in {_WHOLE, _REST}:
            said = self._line.access.said(_body(answer))
            raise UserError(f"{self._named} was not served ({status}){said}; check symbol, kind and days.")
        if not answer.is_delimited:
            raise Interrupted("the answer does not tell where it ends")

    def _heed(self, answer: Answer) -> None:
        """Let nobody ask this host for as long as it says."""
        try:
            seconds = urllib3.Retry().parse_retry_after(answer.headers.get("Retry-After") or "0")
        except InvalidHeader:
            return
        if seconds > self._settings.longest_pause_s:
            raise UserError(
                f"{self._line.source.title} asks to wait {seconds:,.0f} s before the next request; "
                "what was fetched is kept, so run this again after that."
            )
        self._line.limit.close(self._host, seconds)

    def _refusal(self, answer: Answer) -> UserError:
        source, said = self._line.source, self._line.access.said(_body(answer))
        if source.authorization is None:
            next_step = "check the symbol, or try again later"
        elif self._line.access.headers:
            next_step = (
                f"check your key and what it may fetch, and set it with: nexttick keys set {source.name}"
            )
        else:
            next_step = f"set your key with: nexttick keys set {source.name}"
        return UserError(f"{source.title} refuses {self._file.name} ({answer.status}){said}; {next_step}.")

    def _check_patience(self, failure: Interrupted, failures: int) -> None:
        if self._file.paid and self._has_begun:
            raise UserError(
                f"{self._named} was not fetched whole: {failure}; it was not asked for again because each "
                "answer is charged, so order it again if you want it."
            ) from failure
        if failures <= self._settings.retries:
            return
        if failure.is_unreachable:
            raise Unreachable(str(failure)) from failure
        raise UserError(
            f"{self._named} could not be fetched in {self._attempts} attempts: {failure}; "
            "what was fetched is kept, so run this again later."
        ) from failure

    def _pause(self, seconds: float) -> None:
        self._line.clock.wait(seconds, self._line.stop)
        self._check_line()

    def _check_line(self) -> None:
        if self._line.stop.is_set():
            raise Cancelled

    def _validator(self, answer: Answer) -> Validator | None:
        """What the rest can be asked for with, should this answer break off."""
        tag = answer.headers.get("ETag", "")
        if_range = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
        return Validator(self._file.url, if_range) if if_range and not self._file.form else None

    @property
    def _named(self) -> str:
        return f"{self._file.name} of {self._line.source.title}"


def _continues(answer: Answer, offset: int) -> bool:
    """Whether a partial answer begins where ours ends, and tells how long the whole file is."""
    starts = answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
    return bool(offset) and starts and _total(answer) is not None


def _total(answer: Answer) -> int | None:
    """Bytes of the whole file; a partial answer may be shorter than the rest of it."""
    if answer.status == _REST:
        length = answer.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _body(answer: Answer) -> bytes:
    """Beginning of the body of an error."""
    body = b""
    for block in answer.blocks():
        body += block
        if len(body) > _ERROR_BYTES:
            break
    return body[:_ERROR_BYTES]
