"""A key is planted where keys belong; then all that a session can write is searched for it.

Commands run as a person runs them, with a vault as on a machine without a keyring; engines run in processes
of their own. Output counts as an artefact too, as do the arguments and the environment of every process.
"""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
import zstandard
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app import passphrase
from app.__main__ import main
from app.engines import in_process, secrets_of
from app.errors import Bug, BugCollector
from app.profiles import Profiles, kept_of
from app.secrets import Secrets
from app.windows.connections_dialog import ConnectionsDialog
from engine.link.process import ProcessLink
from engine.messages.commands import Finish, SetArmState
from engine.messages.connection import Connection
from engine.messages.events import Phase
from engine.messages.run import Run
from tests.app.keyrings import FakeKeyring
from tests.engine.link.fakes import until
from tests.planted import forms, found_in, places_of
from tests.venue import Setup, ThreadVenue, levels

KEY = "PlantedKey0123456789abcdefWXYZ"
PRIVATE = "PlantedSecret+9876543210/zyxwvutABCD"
WORDS = "planted passphrase of the vault"
PLANTED = (KEY, PRIVATE, WORDS)
_OVER = {Phase.FINISHED, Phase.FAILED}  # one that fails must keep its keys to itself as well
_ROOT = Path(__file__).parents[2]

type Command = Callable[..., str]


@pytest.fixture
def venue() -> Iterator[ThreadVenue]:
    with ThreadVenue(Setup(key=KEY, secret=PRIVATE)) as made:
        made.show(*levels("2000.00", "2000.10"))
        yield made


@pytest.fixture
def profile(own_home: Path, venue: ThreadVenue) -> Connection:
    """A connection to the local exchange; sessions record all."""
    made = Connection(
        name="local",
        adapter="binance_futures",
        parameters={
            "environment": "testnet",
            "base_url_http": venue.at.http,
            "base_url_ws": venue.at.ws,
            "base_url_ws_trading": venue.at.trading,
        },
    )
    Profiles().save(made)
    (own_home / "settings.toml").write_text('record = "all"\n')
    return made


@pytest.fixture
def command(own_home: Path, tmp_path: Path) -> Command:
    """Run the program in a process of its own; gives all that it said."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "NEXTTICK_HOME": str(own_home),
        "PYTHONPATH": str(_ROOT),
        "QT_QPA_PLATFORM": "offscreen",
        passphrase.VARIABLE: WORDS,
    }

    def run(*arguments: str, sent: str = "", code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            input=sent,
            text=True,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
            timeout=100,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    return run


@pytest.mark.timeout(300)  # a dozen processes, one after another
@pytest.mark.skipif(sys.platform == "win32", reason="there the system's keyring is always there")
@pytest.mark.usefixtures("profile")
def test_no_command_leaves_a_key_behind(
    command: Command, venue: ThreadVenue, own_home: Path, tmp_path: Path
) -> None:
    keys = json.dumps({"api_key": KEY, "api_secret": PRIVATE})
    run = ["--simulate", "crypto", "--end", "2026-01-05T09:00:20", "--strategy", "buy_and_hold"]
    market = ["--profile", "local", "--instrument", "ETHUSDT-PERP.BINANCE", "--strategy", "buy_and_hold"]
    said = [
        command("keys", "set", "local", "--stdin", sent=keys),
        command("keys", "list", "--json", "list.json"),
        command("keys", "test", "local", "--json", "test.json"),
        command("keys", "set", "local", "--stdin", sent=keys[:-1], code=2),
        command("keys", "set", "local", "--stdin", sent=keys.replace("api_key", "api_kee"), code=2),
        command("paper", *run, "--speed", "max", "--json", "paper.json", "--fills", "fills.csv"),
        command("backtest", *run, "--json", "backtest.json"),
        command("demo", "--seconds", "2", "--offscreen", "--screenshot", "demo.png", "--json", "demo.json"),
        command("live", *market, code=2),
        command("paper", *market, "--minutes", "0.05", "--json", "paper_live.json"),
        command("live", *market, "--arm", "local", "--minutes", "0.2", "--json", "live.json"),
    ]
    assert venue.truth().fills, "nothing was traded with the key, so nothing was searched"
    assert (own_home / "vault" / "keys.vault").exists()
    assert list((own_home / "recordings").rglob("*")), "nothing was recorded, so nothing was searched"
    for planted in PLANTED:
        assert places_of(planted, own_home, tmp_path) == []
        assert found_in("\n".join(said).encode(), planted) == []


@pytest.mark.usefixtures("profile")
def test_an_engine_is_told_its_keys_and_keeps_them_to_itself(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = FakeKeyring()
    monkeypatch.setattr("app.secrets.system_keyring", lambda: keyring)
    Secrets().set(kept_of(Profiles().get("local")), {"api_key": KEY, "api_secret": PRIVATE})
    connection = Profiles().get("local")
    run = Run(
        instrument="BTCUSDT.SIM",
        simulate="crypto",
        strategy="buy_and_hold",
        end_ns=1_767_603_620_000_000_000,
        connection=connection,
        mode="live",
    )
    told = secrets_of(run)
    assert told == {"local": {"api_key": KEY, "api_secret": PRIVATE}}
    link = in_process(msgspec.structs.replace(run, mode="replay"), "keep", told)
    try:
        seen = _watched(link)
        process = psutil.Process(link.pid)
        outside = json.dumps([process.cmdline(), process.environ()]).encode()
        endpoints = list((own_home / "run").glob("*.json"))
        assert endpoints, "the engine left no endpoint, so none was searched"
        for planted in PLANTED:
            assert found_in(outside, planted) == []
            assert found_in(seen, planted) == []
            assert places_of(planted, own_home, tmp_path) == []
    finally:
        link.close()
        assert link.join(10)
    for planted in PLANTED:
        assert places_of(planted, own_home, tmp_path) == []
    assert list((own_home / "logs").iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="there a process is ended without such a signal")
@pytest.mark.parametrize("way", ["ABRT", "SEGV", "KILL"])
def test_a_live_engine_that_crashes_takes_its_keys_with_it(
    way: str,
    profile: Connection,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    keyring = FakeKeyring()
    monkeypatch.setattr("app.secrets.system_keyring", lambda: keyring)
    monkeypatch.chdir(tmp_path)  # where a core would be written
    Secrets().set(kept_of(profile), {"api_key": KEY, "api_secret": PRIVATE})
    run = Run(
        instrument="ETHUSDT-PERP.BINANCE",
        strategy="buy_and_hold",
        mode="live",
        connection=Profiles().get("local"),
    )
    link = in_process(run, "keep", secrets_of(run))
    seen: list[str] = []

    def tells(word: str) -> bool:
        assert link.down is None, link.down
        seen.extend(map(repr, link.drain()))
        return any(word in frame for frame in seen)

    try:
        until(lambda: tells("Phase.PLAYING"), "the session to begin", 30.0)
        link.send(SetArmState(state="live", account="local"))
        until(lambda: tells("Filled("), "the strategy to trade", 30.0)
        os.kill(link.pid, getattr(signal, f"SIG{way}"))
        until(lambda: link.down is not None, "the window to see it", 30.0)
    finally:
        link.close()
        assert link.join(10)
    (recording,) = (own_home / "recordings").iterdir()
    export = str(tmp_path / "audit.csv")
    assert main(["recordings", "audit", recording.name, "--export", export]) == 1  # it has no seal
    logs = b"".join(path.read_bytes() for path in (own_home / "logs").iterdir())
    assert (b"Fatal Python error" in logs) is (way != "KILL"), "no stacks were written, so none was searched"
    assert (tmp_path / "audit.csv").stat().st_size > 1_000
    assert list((own_home / "memory").iterdir())
    said = "\n".join([*seen, repr(link.down)]).encode() + b"".join(capfdbinary.readouterr())
    for planted in PLANTED:
        assert places_of(planted, own_home, tmp_path) == []
        assert found_in(said, planted) == []


def test_paper_is_not_told_what_could_trade(profile: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = FakeKeyring()
    monkeypatch.setattr("app.secrets.system_keyring", lambda: keyring)
    Secrets().set(kept_of(profile), {"api_key": KEY, "api_secret": PRIVATE})
    connection = Profiles().get("local")
    assert secrets_of(Run(instrument="ETHUSDT-PERP.BINANCE", connection=connection, mode="paper")) == {}


@pytest.mark.expects_log
def test_the_window_and_a_fault_in_it_show_no_key(
    qtbot: QtBot,
    profile: Connection,
    own_home: Path,
    venue: ThreadVenue,
    caplog: pytest.LogCaptureFixture,
) -> None:
    secrets = Secrets(FakeKeyring())
    dialog = ConnectionsDialog(Profiles(), secrets)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.keys.type_key("api_key", KEY)
    dialog.keys.type_key("api_secret", PRIVATE)
    with qtbot.waitSignal(dialog.keys.changed):
        dialog.save()
    dialog.test()
    qtbot.waitUntil(lambda: "answers in" in dialog.told)
    bugs: list[Bug] = []
    collector = BugCollector(bugs.append)

    def fault() -> None:
        kept = secrets.get(kept_of(profile))
        raise ValueError(f"{kept} of {secrets} is at fault")

    try:
        fault()
    except ValueError as error:
        collector.take(error)
    caplog.clear()
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    shown = "\n".join([dialog.told, dialog.keys.told, str(dialog.keys.shown), *texts, bugs[0].report])
    assert "at fault" in shown
    for planted in (KEY, PRIVATE):
        assert found_in(shown.encode(), planted) == []
        assert places_of(planted, own_home) == []


# The search itself


@pytest.mark.parametrize("form", forms(KEY))
def test_the_search_finds_what_was_written(form: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    text = b"before " + forms(KEY)[form] + b" after"
    (tmp_path / "deep" / "file").write_bytes(text)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(text))
    (tmp_path / "packed.zst").write_bytes(zstandard.compress(text))
    found = " ".join(places_of(KEY, tmp_path))
    assert all(name in found for name in ("deep", "packed.gz", "packed.zst"))
    assert places_of(PRIVATE, tmp_path) == []


def _watched(link: ProcessLink) -> bytes:
    """Run to the end; all frames, as text."""
    seen: list[str] = []

    def finished() -> bool:
        assert link.down is None, link.down
        frames = link.drain()
        seen.extend(map(repr, frames))
        return any(frame.transport.phase in _OVER for frame in frames)

    link.send(Finish())
    until(finished, "the results", 60.0)
    return "\n".join(seen).encode()
