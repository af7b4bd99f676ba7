"""How any source is asked: one file of Tardis' form stands for all."""

import gzip
import random
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from engine.downloads.downloading import Missing
from engine.downloads.plan import Order
from engine.errors import UserError
from engine.progress import Cancelled
from engine.store.locking import exclusive
from tests.engine.downloads.fakes import FakeClock, downloads
from tests.engine.downloads.server import Request, Serve, Vendor, vendor

BODY = gzip.compress(random.Random(7).randbytes(300_000))
ORDER = Order(instrument="BTCUSDT.BINANCE", first=date(2024, 9, 1), last=date(2024, 9, 1))
PATH = "/v1/binance/trades/2024/09/01/BTCUSDT.csv.gz"
TAGGED = {"ETag": '"one"'}


@pytest.fixture
def tardis() -> object:
    with vendor() as here:
        yield here


def kept(folder: Path) -> list[str]:
    """Names of all files below the source's folder, but that of its lock."""
    root = folder / "tardis"
    files = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(name for name in files if name != ".lock")


def whole(folder: Path) -> bool:
    return (folder / f"tardis/{PATH.removeprefix('/v1/')}").read_bytes() == BODY


@pytest.mark.parametrize(
    "answer",
    [Serve(body=BODY), Serve(body=BODY, chunked=True), Serve(body=BODY, block=40_000, pause_s=0.05)],
    ids=["with a length", "in chunks", "slow but moving"],
)
def test_a_good_answer_is_kept_and_nothing_else(answer: Serve, tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = answer
    got = downloads("tardis", tardis.url, tmp_path, stall_s=0.25).fetch(ORDER)
    assert whole(tmp_path)
    assert kept(tmp_path) == [PATH.removeprefix("/v1/")]
    assert (got.report.fetched, got.report.repeated, got.report.size_bytes) == (1, 0, len(BODY))


@pytest.mark.parametrize(
    "bad",
    [
        Serve(status=500),
        Serve(status=503),
        Serve(body=BODY, cut_at=100_000),
        Serve(body=BODY, cut_at=0),
        Serve(body=BODY, cut_at=100_000, chunked=True),
        Serve(body=BODY, stall_at=100_000),
        Serve(body=BODY[:-1], length=False),
        Serve(body=b"<html>please log in</html>"),
    ],
    ids=["500", "503", "cut off", "no body", "chunks cut off", "stalled", "no end told", "a login page"],
)
def test_what_fails_once_is_asked_for_again(bad: Serve, tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = [bad, Serve(body=BODY)]
    clock = FakeClock()
    got = downloads("tardis", tardis.url, tmp_path, clock=clock).fetch(ORDER)
    assert whole(tmp_path)
    assert got.report.repeated == 1
    (pause,) = [wait for wait in clock.waits if wait > 0]
    assert pause <= 1


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Serve(status=500), r"it has a fault of its own \(500\)"),
        (Serve(body=BODY, cut_at=100_000), "the answer was cut off"),
        (Serve(body=BODY, length=False), "the answer does not tell where it ends"),
        (Serve(body=b"<html>please log in</html>"), "a login page"),
    ],
)
def test_what_fails_for_ever_is_never_kept(bad: Serve, said: str, tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = bad
    with pytest.raises(UserError, match=rf"could not be fetched in \d attempts: .*{said}"):
        downloads("tardis", tardis.url, tmp_path, retries=2).fetch(ORDER)
    assert [name for name in kept(tmp_path) if not name.endswith(".part")] == []


def test_the_rest_of_a_file_is_asked_for_where_it_broke_off(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = [
        Serve(body=BODY, headers=TAGGED, cut_at=100_000),
        Serve(body=BODY, headers=TAGGED, cut_at=50_000),  # of the rest
        Serve(body=BODY, headers=TAGGED),
    ]
    got = downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert whole(tmp_path)
    assert [request.headers.get("Range") for request in tardis.requests] == [
        None,
        "bytes=100000-",
        "bytes=150000-",
    ]
    assert tardis.requests[1].headers["If-Range"] == '"one"'
    assert got.report.size_bytes == len(BODY)
    assert kept(tmp_path) == [PATH.removeprefix("/v1/")]


def test_another_day_goes_on_where_the_last_one_stopped(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = Serve(body=BODY, headers=TAGGED, cut_at=100_000, ranges=False)
    with pytest.raises(UserError, match="what was fetched is kept"):
        downloads("tardis", tardis.url, tmp_path, retries=0).fetch(ORDER)
    tardis.answers[PATH] = Serve(body=BODY, headers=TAGGED)
    got = downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert whole(tmp_path)
    assert got.report.size_bytes == len(BODY) - 100_000


def test_the_beginning_from_one_address_is_not_gone_on_with_from_another(
    tardis: Vendor, tmp_path: Path
) -> None:
    tardis.answers[PATH] = Serve(body=b"\x1f\x8bolder" * 30_000, headers=TAGGED, cut_at=100_000, ranges=False)
    with pytest.raises(UserError, match="what was fetched is kept"):
        downloads("tardis", tardis.url, tmp_path, retries=0).fetch(ORDER)
    with vendor() as mirror:
        mirror.answers[PATH] = Serve(body=BODY, headers=TAGGED)
        downloads("tardis", mirror.url, tmp_path).fetch(ORDER)
        assert "Range" not in mirror.requests[0].headers
    assert whole(tmp_path)


@pytest.mark.parametrize(
    "second",
    [
        Serve(body=BODY, headers=TAGGED, ranges=False),
        Serve(body=BODY, headers={"ETag": '"two"'}),
    ],
    ids=["knows no ranges", "has another file by now"],
)
def test_a_rest_that_is_not_given_starts_over(second: Serve, tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = [Serve(body=b"\x1f\x8bolder" * 30_000, headers=TAGGED, cut_at=100_000), second]
    downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert whole(tmp_path)


@pytest.mark.parametrize(
    "second",
    [
        Serve(status=416),
        Serve(status=206, body=BODY[7:], headers={"Content-Range": "bytes 7-9/10"}),
        Serve(status=206, body=BODY[7:]),
        Serve(status=206, body=BODY[100_000:], headers={"Content-Range": "bytes 100000-299999/*"}),
    ],
)
def test_a_rest_that_does_not_fit_is_thrown_away(second: Serve, tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = [Serve(body=BODY, headers=TAGGED, cut_at=100_000), second, Serve(body=BODY)]
    downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert whole(tmp_path)
    assert tardis.requests[-1].headers.get("Range") is None


def test_a_rest_that_comes_in_parts_is_asked_for_to_its_end(tardis: Vendor, tmp_path: Path) -> None:
    part = Serve(
        status=206,
        body=BODY[100_000:150_000],
        headers={**TAGGED, "Content-Range": f"bytes 100000-149999/{len(BODY)}"},
    )
    tardis.answers[PATH] = [
        Serve(body=BODY, headers=TAGGED, cut_at=100_000),
        part,
        Serve(body=BODY, headers=TAGGED),
    ]
    downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert whole(tmp_path)
    assert tardis.requests[-1].headers["Range"] == "bytes=150000-"


def test_without_a_tag_nothing_is_pieced_together(tardis: Vendor, tmp_path: Path) -> None:
    weak = {"ETag": 'W/"one"'}
    tardis.answers[PATH] = [Serve(body=BODY, headers=weak, cut_at=100_000), Serve(body=BODY, headers=weak)]
    downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert whole(tmp_path)
    assert all("Range" not in request.headers for request in tardis.requests)


def test_a_file_that_gets_on_in_small_pieces_is_not_given_up(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = Serve(body=BODY, headers=TAGGED, cut_at=30_000)
    got = downloads("tardis", tardis.url, tmp_path, retries=1).fetch(ORDER)
    assert whole(tmp_path)
    assert got.report.repeated == 10


def test_retry_after_is_heeded_by_all_connections(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = [Serve(status=429, headers={"Retry-After": "42"}), Serve(body=BODY)]
    clock = FakeClock()
    downloads("tardis", tardis.url, tmp_path, clock=clock).fetch(ORDER)
    assert whole(tmp_path)
    assert clock.monotonic() >= 42


def test_a_wait_that_is_too_long_is_told_instead(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = Serve(status=429, headers={"Retry-After": "3600"})
    with pytest.raises(UserError, match="asks to wait 3,600 s before the next request"):
        downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert len(tardis.requests) == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Serve(status=404), r"has no file binance/trades/2024/09/01/BTCUSDT.csv.gz; check symbol, kind and"),
        (
            Serve(status=404, body=b'{"message": "no such\\nsymbol."}'),
            r"BTCUSDT.csv.gz \(no such symbol\); check symbol",
        ),
        (Serve(status=403), r"refuses .* \(403\); set your key with: nexttick keys set tardis"),
        (Serve(status=400, body=b'{"error": {"message": "bad"}}'), r"was not served \(400\) \(bad\); check"),
    ],
)
def test_a_refusal_is_one_sentence_and_final(
    answer: Serve, said: str, tardis: Vendor, tmp_path: Path
) -> None:
    tardis.answers[PATH] = answer
    with pytest.raises(UserError, match=said) as error:
        downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert "\n" not in str(error.value)
    assert len(tardis.requests) == 1
    assert kept(tmp_path) == []


def test_a_source_that_is_not_there_leaves_what_the_cache_has(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = Serve(body=BODY)
    downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    two_days = Order(instrument="BTCUSDT.BINANCE", first=date(2024, 9, 1), last=date(2024, 9, 2))
    with pytest.raises(UserError, match=r"cannot be reached, .*refused; 1 of the 2 files are in the cache"):
        downloads("tardis", "http://127.0.0.1:1", tmp_path, retries=1).fetch(two_days)
    with pytest.raises(Missing, match=r"1 of 2 files .* \(binance/trades/2024/09/02/BTCUSDT.csv.gz\)"):
        downloads("tardis", "http://127.0.0.1:1", tmp_path).fetch(two_days, offline=True)
    assert downloads("tardis", "http://127.0.0.1:1", tmp_path).fetch(ORDER, offline=True).paths


def test_cancelling_ends_transfers_that_wait(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = Serve(body=BODY, headers=TAGGED, stall_at=100_000)
    with pytest.raises(Cancelled):
        downloads("tardis", tardis.url, tmp_path, stall_s=60).fetch(ORDER, cancelled=tardis.stalled.is_set)
    tardis.answers[PATH] = Serve(body=BODY, headers=TAGGED)
    got = downloads("tardis", tardis.url, tmp_path).fetch(ORDER)
    assert whole(tmp_path)
    assert got.report.size_bytes == len(BODY) - 100_000


def test_one_failure_ends_all_transfers(tardis: Vendor, tmp_path: Path) -> None:
    month = Order(instrument="BTCUSDT.BINANCE", first=date(2024, 8, 1), last=date(2024, 8, 31))
    first = "/v1/binance/trades/2024/08/01/BTCUSDT.csv.gz"
    second = first.replace("/01/B", "/02/B")
    tardis.answers[second] = Serve(body=BODY, stall_at=100)
    tardis.answers[first] = lambda _request: _after(tardis.stalled, Serve(status=403))
    with pytest.raises(UserError, match="refuses"):
        downloads("tardis", tardis.url, tmp_path, stall_s=60, connections=2).fetch(month)
    assert len(tardis.requests) == 2


def _after(event: threading.Event, answer: Serve) -> Serve:
    assert event.wait(5)
    return answer


def test_no_more_connections_are_open_than_were_agreed(tardis: Vendor, tmp_path: Path) -> None:
    month = Order(instrument="BTCUSDT.BINANCE", first=date(2024, 8, 1), last=date(2024, 8, 31))
    here, most, lock = [0], [0], threading.Lock()
    all_here = threading.Barrier(3, timeout=5)

    def answer(number: int) -> Callable[[Request], Serve]:
        def count(_request: Request) -> Serve:
            with lock:
                here[0] += 1
                most[0] = max(most[0], here[0])
            if number < 3:
                all_here.wait()
            with lock:
                here[0] -= 1
            return Serve(body=BODY)

        return count

    for number in range(31):
        tardis.answers[f"/v1/binance/trades/2024/08/{number + 1:02}/BTCUSDT.csv.gz"] = answer(number)
    told: list[tuple[float, str]] = []
    got = downloads("tardis", tardis.url, tmp_path, connections=3).fetch(
        month, progress=lambda fraction, what: told.append((fraction, what))
    )
    assert most == [3]
    assert len(got.paths) == 31
    assert told == sorted(told, key=lambda each: each[0])
    assert told[-2:] == [(1.0, "31 of 31 files, 9.3 MB (Tardis.dev)"), (1.0, "Done")]


def test_a_full_disk_is_told(tardis: Vendor, tmp_path: Path) -> None:
    tardis.answers[PATH] = Serve(body=BODY)
    (tmp_path / "tardis").mkdir()
    (tmp_path / "tardis/binance").write_text("in the way")
    with pytest.raises(UserError, match="tardis cannot be written"):
        downloads("tardis", tardis.url, tmp_path).fetch(ORDER)


def test_downloads_of_one_source_wait_for_each_other(tardis: Vendor, tmp_path: Path) -> None:
    told: list[str] = []
    with exclusive(tmp_path / "tardis", "Tardis.dev"), pytest.raises(Cancelled):
        downloads("tardis", tardis.url, tmp_path).fetch(
            ORDER, progress=lambda _fraction, what: told.append(what), cancelled=lambda: len(told) == 2
        )
    assert told == ["Waiting for another download of Tardis.dev"] * 2
    assert tardis.requests == []
