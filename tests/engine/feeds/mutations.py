"""Damaged copies of a file, and what every decoder owes for each: an answer in time, or one sentence."""

import random
import time
from collections.abc import Callable, Iterator

from engine.feeds.decoded import Decoded, Undecodable
from engine.feeds.formats import SourceFile

LONGEST_S = 20.0
"""No decoder may hang; a small file takes milliseconds, and the machine may be busy."""


def mutations(data: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """Yield `count` damaged copies: cut, bytes flipped, inserted, repeated, swapped, zeroed."""
    rng = random.Random(seed)
    for _ in range(count):
        yield _mutated(data, rng)


def _mutated(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        if not out:
            break
        at = rng.randrange(len(out))
        span = min(len(out) - at, rng.choice((1, 2, 8, 64)))
        match rng.randrange(7):
            case 0:
                del out[at:]
            case 1:
                out[at] ^= 1 << rng.randrange(8)
            case 2:
                out[at:at] = rng.randbytes(span)
            case 3:
                out[at:at] = out[at : at + span]
            case 4:
                other = rng.randrange(len(out))
                out[at], out[other] = out[other], out[at]
            case 5:
                out[at : at + span] = bytes(span)
            case _:
                out[at : at + span] = rng.choice((b"", b",", b"nan", b"-", b"9" * 30, b"\n", b'"', b"1e400"))
    return bytes(out)


def survives(decode: Callable[[SourceFile], Decoded], file: SourceFile) -> Decoded | None:
    """Decode a damaged file; None where it was refused in one sentence.

    Any other exception than `Undecodable` fails the test, as do rows that are not equally long, prices that
    are not above 0 in ticks, and an answer that takes too long.
    """
    started = time.monotonic()
    found, told = None, ""
    try:
        found = decode(file)
    except Undecodable as reason:
        told = str(reason)
    finally:
        assert time.monotonic() - started < LONGEST_S, "the decoder must not hang"
    if found is None:
        assert told, "a refusal says why"
        assert "\n" not in told, "a refusal is one sentence"
        return None
    for kind, columns in found.columns.items():
        lengths = {len(array) for array in columns.arrays().values()}
        assert lengths == {len(columns)}, f"rows of {kind} are equally long"
        assert len(columns), f"kinds without rows are left out, {kind} too"
    return found
