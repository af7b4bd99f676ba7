"""Files of a recording elsewhere: a folder, a bucket on a local server, an Iceberg warehouse."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs

from engine.errors import UserError
from engine.messages.commands import Finish
from engine.recording.copies import Copies
from engine.recording.lake import Lake
from engine.recording.manifest import Manifest
from engine.recording.outbox import BackgroundOutbox, Target
from engine.recording.recorder import SessionRecorder
from engine.recording.recording import Recording
from engine.recording.writing import Keeping
from engine.store.schema import to_table
from tests.engine.link.fakes import until
from tests.engine.recording.sessions import kept, market, only, same, session

BUCKET = "recordings"


def recorded(root: Path, *targets: Target) -> tuple[Recording, SessionRecorder]:
    """A session whose files go to these targets."""
    recorder = SessionRecorder(Keeping(root=str(root)), outbox=BackgroundOutbox(targets))
    session(root, Finish(), recorder=recorder)
    return only(root), recorder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_every_complete_file_is_copied_and_the_copy_is_a_recording(tmp_path: Path) -> None:
    recording, recorder = recorded(tmp_path / "here", Copies(str(tmp_path / "there")))
    copy = tmp_path / "there" / recording.id
    assert names(copy) == names(recording.folder)
    assert same(kept(Recording(copy)), market())
    assert Recording(copy).manifest == recording.manifest
    assert recorder.status().text == ""


class Failing:
    """Fails so many times."""

    name = "nowhere"

    def __init__(self, times: int) -> None:
        self.times = times
        self.sent: list[str] = []

    def send(self, path: Path, manifest: Manifest) -> None:
        if self.times:
            self.times -= 1
            raise OSError("the network is down")
        self.sent.append(path.name)

    def close(self) -> None:
        pass


def test_what_fails_is_told_tried_again_and_holds_no_other_target_up(tmp_path: Path) -> None:
    failing, other = Failing(3), Failing(0)
    outbox = BackgroundOutbox([failing, other], retry_s=0.01)
    for name in ("a", "b"):
        (tmp_path / name).touch()
    recording, _ = recorded(tmp_path / "here")
    outbox.begin(recording.manifest)
    problems = set()
    outbox.offer(tmp_path / "a")
    outbox.offer(tmp_path / "b")

    def sent() -> bool:
        problems.add(outbox.problem)
        return failing.sent == ["a", "b"]

    until(sent, "the files to be sent")
    until(lambda: outbox.problem == "", "the problem to be over")
    assert "Recordings cannot be sent to nowhere (the network is down); it is tried again." in problems
    assert other.sent == ["a", "b"]
    outbox.close(1.0)


def test_a_target_that_never_answers_is_told_and_the_recording_is_whole(tmp_path: Path) -> None:
    recording, recorder = recorded(tmp_path, Failing(10**9))
    assert same(kept(recording), market())
    assert recorder.status().state == "recording"
    assert recorder.status().text.endswith(
        "were not sent to nowhere (the network is down); send them with 'nexttick recordings send'."
    )


def test_an_address_with_keys_is_refused(tmp_path: Path) -> None:
    recording, _ = recorded(tmp_path)
    for address, says in (
        ("s3://KEY:SECRET@bucket/there", "Keys do not belong in an address"),
        ("ftp://host/there", "give a folder or s3://"),
        ("s3://bucket/there?secret=1", "does not take 'secret'"),
    ):
        with pytest.raises(UserError, match=says):
            Copies(address).send(recording.folder / "manifest.json", recording.manifest)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of an empty bucket on a server in this process, and its keys where AWS's programs look."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    where = f"endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    made = fs.S3FileSystem(
        endpoint_override=f"127.0.0.1:{port}", scheme="http", region="us-east-1", allow_bucket_creation=True
    )
    made.create_dir(BUCKET)
    yield f"s3://{BUCKET}/desk?{where}"
    server.stop()


@pytest.mark.expects_log
def test_recordings_go_to_a_bucket(tmp_path: Path, bucket: str) -> None:
    asked: list[dict[str, str]] = []

    def keys() -> dict[str, str]:
        asked.append({"access_key": "kept", "secret_key": "kept"})
        return asked[-1]

    recording, _ = recorded(tmp_path)
    copies = Copies(bucket, keys)
    for _ in range(2):
        for name in names(recording.folder):
            copies.send(recording.folder / name, recording.manifest)
    copies.close()
    assert len(asked) == 1
    port = bucket.partition("127.0.0.1:")[2].partition("&")[0]
    files = fs.S3FileSystem(endpoint_override=f"127.0.0.1:{port}", scheme="http", region="us-east-1")
    listed = files.get_file_info(fs.FileSelector(f"{BUCKET}/desk/{recording.id}"))
    assert {info.base_name: info.size for info in listed} == {
        name: (recording.folder / name).stat().st_size for name in names(recording.folder)
    }
    with files.open_input_stream(f"{BUCKET}/desk/{recording.id}/quotes-000001.arrows") as stream:
        there = pa.ipc.open_stream(stream).read_all()
    assert there.equals(to_table(kept(recording)["quotes"]), check_metadata=False)


@pytest.mark.expects_log
def test_recordings_go_to_an_iceberg_table_once(tmp_path: Path) -> None:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.utils.concurrent import ExecutorFactory

    warehouse = tmp_path / "lake"
    recording, recorder = recorded(tmp_path / "here")
    lake = Lake(str(warehouse))
    for _ in range(2):
        for name in sorted(names(recording.folder)):
            lake.send(recording.folder / name, recording.manifest)
    lake.close()
    catalog = SqlCatalog(
        "nexttick", uri=f"sqlite:///{warehouse / 'catalog.db'}", warehouse=warehouse.as_uri()
    )
    for kind, columns in market().items():
        table = catalog.load_table(("nexttick", f"BTCUSDT_SIM_{kind}")).scan().to_arrow()
        assert len(table) == len(columns)
        assert table["ts_init"].to_pylist() == columns.ts_init.tolist()
        assert set(table["recording"].to_pylist()) == {recording.id}
    prices = catalog.load_table(("nexttick", "BTCUSDT_SIM_trades")).scan().to_arrow()["price"].to_pylist()
    assert [int(price.scaleb(1)) for price in prices] == market()["trades"].arrays()["price"].tolist()
    events = catalog.load_table(("nexttick", "events")).scan().to_arrow()
    assert events["number"].to_pylist() == [line.number for line in recording.lines()]
    assert recorder.status().text == ""
    catalog.close()
    ExecutorFactory.get_or_create().shutdown()


def test_without_the_package_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.recording.lake.find_spec", lambda name: None)
    recording, recorder = recorded(tmp_path / "here", Lake(str(tmp_path / "lake")))
    assert "pip install 'nexttick-station[lake]'" in recorder.status().text
    assert same(kept(recording), market())
