"""`nexttick series`: from a file or a local server into the store, and back in the order of publication."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.__main__ import main
from tests.engine.feeds.test_news import CALENDAR, RSS


@pytest.fixture
def server() -> Iterator[str]:
    """Address of a server that answers `/news` with a feed, and nothing else."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/news"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(RSS.encode() if found else b"")

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def answer(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    assert main(["series", *map(str, words), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_a_calendar_is_kept_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "calendar.csv"
    file.write_text(CALENDAR)
    words = ("import", file, "--name", "calendar", "--store", tmp_path / "store")
    assert answer(capsys, *words)["added"] == 2
    assert answer(capsys, *words)["duplicates"] == 2
    assert answer(capsys, "list", "--store", tmp_path / "store") == {"series": {"calendar": 2}}
    shown = answer(capsys, "show", "calendar", "--rows", 1, "--store", tmp_path / "store")
    assert [row["title"] for row in shown["newest"]] == ["Factory orders"]  # type: ignore[attr-defined]
    assert main(["series", "show", "calendar", "--store", str(tmp_path / "store")]) == 0
    assert "2019-02-04 13:30:00 UTC  USD  Nonfarm payrolls  304K" in capsys.readouterr().out


def test_a_feed_comes_from_a_local_server(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(capsys, "import", f"{server}/news", "--name", "wire", "--store", tmp_path)["added"] == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{server}/nothing", "answers 404"),
        ("http://127.0.0.1:9/x", "gives no answer"),
        ("no.csv", "check the path"),
    ],
)
def test_what_gives_nothing_is_one_sentence(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, said: str
) -> None:
    words = ["import", source.format(server=server), "--name", "wire", "--store", str(tmp_path)]
    assert main(["series", *words]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert said in told
