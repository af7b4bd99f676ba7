"""An engine process that is killed, stopped, talks nonsense, is left and joined again."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from engine.errors import UserError
from engine.link.connection import listen
from engine.link.endpoint import new_door, read_endpoint
from engine.link.process import ProcessLink
from engine.link.protocols import LinkDown
from engine.messages.commands import Acknowledge, AnyCommand, Attach, Play, Seek, SetSpeed
from engine.messages.run import Run
from engine.messages.wire import decode_command
from tests.engine.link.conftest import ENGINE, Spawn
from tests.engine.link.fakes import CHATTER, HANG, until
from tests.engine.link.test_links import gather


def ended(link: ProcessLink, timeout_s: float = 10.0) -> LinkDown:
    until(lambda: link.down, "the link to go down", timeout_s)
    assert link.down is not None
    return link.down


def test_a_killed_engine_says_so_at_once_with_its_last_words(spawn: Spawn) -> None:
    link = spawn()
    link.send(Seek(CHATTER))
    link.send(SetSpeed(1))
    gather(link, 2)
    os.kill(link.pid, signal.SIGKILL)
    down = ended(link, 2.0)
    assert not down.expected
    assert "killed by signal 9" in down.reason
    assert "Restart" in down.reason
    assert down.log_tail == [f"log line {i}" for i in range(30, 50)]
    link.send(Play())
    assert link.drain() == []
    again = spawn()
    gather(again, 1)


def test_a_stopped_engine_grows_silent_and_never_blocks_who_sends(spawn: Spawn) -> None:
    link = spawn()
    gather(link, 1)
    os.kill(link.pid, signal.SIGSTOP)
    link.drain()
    started = time.monotonic()
    for number in range(100_000):
        link.send(Acknowledge(number))
    assert time.monotonic() - started < 2.0
    until(lambda: (link.drain(), link.silent_s > 0.7)[1], "silence")
    assert link.down is None
    link.close()
    assert link.join(10), "a stopped process was not killed"
    assert not psutil.pid_exists(link.pid)


def test_a_session_that_hangs_is_ended_by_force(spawn: Spawn) -> None:
    link = spawn()
    gather(link, 1)
    link.send(Seek(HANG))
    link.close()
    assert link.join(10)
    assert not psutil.pid_exists(link.pid)


def test_a_mistake_in_the_run_arrives_as_one_sentence(spawn: Spawn) -> None:
    down = ended(spawn(strategy="unknown"))
    assert down.reason == "Unknown strategy 'unknown'; choose none."
    assert "Traceback" not in "".join(down.log_tail)


def test_a_program_that_cannot_start_is_reported_with_its_output(tmp_path: Path) -> None:
    link = ProcessLink.spawn(
        Run(instrument="X.Y"),
        command=(sys.executable, "-c", "import sys; sys.exit('no such thing')"),
        log_folder=tmp_path,
    )
    down = ended(link)
    assert "exit code 1" in down.reason
    assert down.log_tail == ["no such thing"]
    link.close()
    assert link.join(5)


def test_nonsense_from_the_engine_ends_the_link_with_a_sentence() -> None:
    door = new_door()
    listener = listen(door.address, door.key)

    def talk_nonsense() -> None:
        with listener.accept() as connection:
            heard.append(decode_command(connection.recv_bytes()))
            connection.send_bytes(b"\xc1 not a frame")
            with pytest.raises(EOFError):
                connection.recv_bytes()

    heard: list[AnyCommand] = []
    speaker = threading.Thread(target=talk_nonsense)
    speaker.start()
    link = ProcessLink(door, os.getpid(), None, 0)
    link._reader.start()
    assert "cannot be read" in ended(link).reason
    link.close()
    assert link.join(5)
    speaker.join(5)
    assert heard == [Attach(0)]
    listener.close()
    Path(door.address).parent.rmdir()


def test_secrets_stand_in_no_command_line_environment_or_log(spawn: Spawn, tmp_path: Path) -> None:
    link = spawn(on_watcher_lost="keep", run_folder=tmp_path / "run")
    gather(link, 1)
    file = tmp_path / "run" / f"{link.pid}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    endpoint = read_endpoint(file)
    assert endpoint.door is not None
    process = psutil.Process(link.pid)
    seen = " ".join([*process.cmdline(), *process.environ().values()]).encode()
    assert link.log is not None
    for key in (endpoint.door.key, endpoint.kill_door.key):
        for form in (key, key.hex().encode()):
            assert form not in seen + link.log.read_bytes()
        assert str(key) not in repr(endpoint)


def test_an_engine_that_is_kept_is_joined_again_and_misses_nothing(spawn: Spawn, tmp_path: Path) -> None:
    first = spawn(on_watcher_lost="keep", run_folder=tmp_path / "run")
    first.send(SetSpeed(10))
    seen = [each.number for frame in gather(first, 11) for each in frame.events]
    first.send(SetSpeed(10))
    gather(first, 10)
    first.detach()
    assert first.join(5)
    assert psutil.pid_exists(first.pid)
    file = tmp_path / "run" / f"{first.pid}.json"
    second = ProcessLink.attach(file, last_event=seen[-1])
    frames = gather(second, 10)
    assert [each.number for frame in frames for each in frame.events] == list(range(12, 22))
    second.close()
    assert second.join(5)
    assert psutil.pid_exists(first.pid), "leaving an engine of someone else's ended it"
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(first.pid), "the engine to be reaped")
    with pytest.raises(UserError, match="has ended"):
        ProcessLink.attach(file)
    assert not file.exists()
    with pytest.raises(UserError, match="has ended"):
        ProcessLink.attach(file)


def test_a_file_that_is_no_endpoint_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "1.json"
    file.write_text("{}")
    with pytest.raises(UserError, match="delete it"):
        ProcessLink.attach(file)


@pytest.mark.parametrize("trouble", ["none", "hang"])
def test_no_engine_outlives_its_window(tmp_path: Path, trouble: str) -> None:
    window = f"""
import os, sys, time
from pathlib import Path
from engine.link.process import ProcessLink
from engine.messages.commands import Seek
from engine.messages.run import Run
from engine.messages.wire import decode_command
link = ProcessLink.spawn(Run(instrument="X.Y"), command={ENGINE!r}, log_folder=Path({str(tmp_path)!r}))
while not link.drain(): time.sleep(0.01)
if {trouble!r} == "hang":
    link.send(Seek({HANG}))
    time.sleep(0.3)
print(link.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    result = subprocess.run(
        [sys.executable, "-c", window], stdout=subprocess.PIPE, text=True, timeout=20, check=False
    )
    engine = int(result.stdout)
    until(lambda: not _runs(engine), "the orphan to end")


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
