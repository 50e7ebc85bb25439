"""Container logs on disk: the engine's files read across rotation, and the files in CRI form that are made of them."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kube.component.clock import SystemClock
from kubelet.cri_log import CriFile, cri_lines, rotated
from kubelet.engine_log import EngineLog
from kubelet.log_keeper import LogKeeper
from kubelet.runtime.runtime import LogPolicy, PodIdentity, RuntimeContainer
from tests.wait import eventually

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WITHIN = 10.0


def entry(number: int, text: str = "", *, stream: str = "stdout") -> bytes:
    line = {"log": text or f"line {number}\n", "stream": stream, "time": f"2026-01-02T03:04:05.{number:09d}Z"}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def cri(*numbers: int) -> bytes:
    return b"".join(f"2026-01-02T03:04:05.{one:09d}Z stdout F line {one}\n".encode() for one in numbers)


async def shown(path: Path, expected: bytes, what: str) -> None:
    """Wait until a log and what was put away of it are these lines."""

    def reads() -> bool:
        return path.exists() and b"".join(one.read_bytes() for one in (*rotated(path), path)) == expected

    async def look() -> bool:
        return reads()

    await eventually(look, WITHIN, what)


def texts(log: EngineLog) -> list[int]:
    return [int(json.loads(line)["log"].split()[1]) for block in log.blocks() for line in block]


def test_a_whole_line_is_full_and_a_cut_one_partial_in_cri_form() -> None:
    """Rule: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md"""
    entries = [entry(1, 'say "<hi>"\t\n'), entry(2, "part", stream="stderr"), b"not json\n", entry(3, "of it\n", stream="stderr")]
    assert cri_lines(entries).decode() == (
        '2026-01-02T03:04:05.000000001Z stdout F say "<hi>"\t\n'
        "2026-01-02T03:04:05.000000002Z stderr P part\n"
        "2026-01-02T03:04:05.000000003Z stderr F of it\n"
    )


def test_the_engines_files_are_read_on_from_any_place_across_rotations(tmp_path: Path) -> None:
    """Rule: behaviour E.5.61: a log is read across rotation without a gap or a repeat"""
    path = tmp_path / "x-json.log"
    for first in (1, 2):
        path.with_name("x-json.log.1").write_bytes(entry(1) + entry(2))
        path.write_bytes(entry(3) + entry(4)[:20])
        with EngineLog.whole(path) if first == 1 else EngineLog.tail(path, 2) as log:
            assert texts(log) == list(range(first, 4)), "a half line is left for the next time"
            path.write_bytes(entry(3) + entry(4))
            path.rename(path.with_name("x-json.log.2"))
            path.with_name("x-json.log.1").write_bytes(entry(5))
            path.write_bytes(entry(6))
            assert texts(log) == [4, 5, 6]
        path.with_name("x-json.log.2").unlink()
    with EngineLog.after(path, b"2026-01-02T03:04:05.000000005Z") as log:
        assert texts(log) == [6]
    with EngineLog.after(path, b"2026-01-02T03:04:04.000000005Z") as log:
        assert texts(log) == [5, 6], "the place is not there any more"
    with pytest.raises(FileNotFoundError):
        EngineLog.whole(tmp_path / "absent")


class Growing(io.FileIO):
    """A file that seems to end at each of these places, once: there the reader caught up with the writer."""

    def __init__(self, path: Path, ends: list[int]) -> None:
        super().__init__(path)
        self._ends = ends

    def readinto(self, buffer: Any) -> int:
        here, view = self.tell(), memoryview(buffer)
        end = next((one for one in self._ends if one >= here), here + len(view))
        if end == here:
            self._ends.remove(here)
            return 0
        return super().readinto(view[: end - here])


def test_a_reader_who_catches_up_with_a_half_line_waits_for_the_rest_of_it(tmp_path: Path) -> None:
    """Rule: behaviour E.5.61: a log is read without a gap"""
    path = tmp_path / "x-json.log"
    long = entry(3, "line 3 " + "x" * 100_000 + "\n")
    content = entry(1) + entry(2) + long + entry(4)
    path.write_bytes(content)
    first = len(entry(1))
    ends = [10, first, first + 10, first + 11, len(entry(1) + entry(2)) + 70_000, len(content) - 5]
    with EngineLog(path, io.BufferedReader(Growing(path, ends))) as log:
        read: list[int] = []
        while len(read) < 4:
            read += texts(log)
    assert read == [1, 2, 3, 4]


def test_files_that_are_held_are_read_though_the_engine_removed_them(tmp_path: Path) -> None:
    """Rule: a log is written faster than it is copied; behaviour E.5.61"""
    path = tmp_path / "x-json.log"
    path.write_bytes(entry(0))
    with EngineLog.whole(path) as held, EngineLog.whole(path) as bare:
        for number in range(1, 6):
            path.replace(path.with_name("x-json.log.1"))  # the engine keeps two
            path.write_bytes(entry(number))
            assert held.hold() == number
        assert texts(held) == [0, 1, 2, 3, 4, 5]
        assert held.gaps == 0
        assert texts(bare) == [0, 4, 5]
        assert bare.gaps == 1


def test_a_reader_who_does_not_follow_has_an_end_even_where_the_writer_has_none(tmp_path: Path) -> None:
    path = tmp_path / "x-json.log"
    path.write_bytes(entry(1) + entry(2))
    with EngineLog.whole(path) as log:
        with path.open("ab") as file:
            file.write(entry(3))
        assert [len(block) for block in log.blocks_of_now()] == [2]


def test_a_full_file_is_put_away_and_all_but_the_newest_are_compressed(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-rotation"""
    path = tmp_path / "0.log"
    file = CriFile(path, LogPolicy(max_size=20, max_files=4))
    assert file.last_stamp() == b""
    for number in range(6):
        file.write(b"t%d stdout F xxxxxxxxxx\n" % number, NOW + timedelta(seconds=number))
    assert [one.name for one in rotated(path)] == ["0.log.20260102-030408", "0.log.20260102-030409", "0.log.20260102-030410"]
    file.write(b"t6 stdout F xxxxxxxxxx\n", NOW + timedelta(seconds=5))  # at most one a second is put away
    assert path.read_bytes() == b"t6 stdout F xxxxxxxxxx\n"
    file.compress()
    assert [one.name[-3:] for one in rotated(path)] == [".gz", ".gz", "410"]
    with gzip.open(rotated(path)[0]) as compressed:
        assert compressed.read() == b"t3 stdout F xxxxxxxxxx\n"
    file.remove()
    assert list(tmp_path.iterdir()) == []


def test_files_that_grew_beyond_their_size_are_kept_fewer(tmp_path: Path) -> None:
    """Rule: containerLogMaxSize x containerLogMaxFiles is what a container's log takes; behaviour E.5.61 (10 Mi x 5)"""
    path = tmp_path / "0.log"
    file = CriFile(path, LogPolicy(max_size=10, max_files=4))
    for number in range(6):
        file.write(b"t%d stdout F xx\n" % number, NOW + timedelta(seconds=number))  # 15 bytes
    assert [one.name[-6:] for one in rotated(path)] == ["030409", "030410"]
    file.close()


def test_a_file_is_gone_on_with_after_its_last_whole_line(tmp_path: Path) -> None:
    """What a kubelet that was killed wrote by half is written anew by the next one."""
    path = tmp_path / "0.log"
    path.write_bytes(b"t1 stdout F one\nt2 stdout F tw")
    assert CriFile(path, LogPolicy()).last_stamp() == b"t1"
    assert path.read_bytes() == b"t1 stdout F one\n"
    path.rename(tmp_path / "0.log.20260102-030408")
    assert CriFile(path, LogPolicy()).last_stamp() == b"t1", "a file just begun has no last line; the one before has"


def test_a_log_that_cannot_be_compressed_stays_as_it_is_and_ends_nothing(tmp_path: Path) -> None:
    """# what if the disk is full: the kubelet has to live, for it is who frees the disk

    Rule: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
    """
    source = tmp_path / "x-json.log"
    record = RuntimeContainer("id", PodIdentity("ns", "pod", "uid"), "main", 0, "running", NOW, log_path=str(source))
    path = tmp_path / "pods/ns_pod_uid/main/0.log"
    path.parent.mkdir(parents=True)
    for stamp in ("20260102-030405", "20260102-030406"):
        path.with_name(f"0.log.{stamp}").write_bytes(cri(1))
    path.with_name("0.log.20260102-030405.tmp").mkdir()  # in the way of the compressed one

    async def check() -> None:
        source.write_bytes(entry(2))
        async with keeping(tmp_path) as keeper:
            keeper.follow(record)
            await shown(path, cri(1, 1, 2), "the first line")
            with source.open("ab") as file:
                file.write(entry(3))
            await shown(path, cri(1, 1, 2, 3), "a line that came after it")

    asyncio.run(check())
    assert len(rotated(path)) == 2


@asynccontextmanager
async def keeping(root: Path) -> AsyncIterator[LogKeeper]:
    keeper = LogKeeper(root / "pods", LogPolicy(max_size=180, max_files=3), SystemClock())
    task = asyncio.create_task(keeper.run())
    yield keeper
    task.cancel()
    await asyncio.wait([task])


def test_a_kept_log_has_every_line_once_whenever_kubelets_end_and_engines_rotate(tmp_path: Path) -> None:
    """Rule: https://kubernetes.io/docs/concepts/cluster-administration/logging/#log-location-node"""
    source = tmp_path / "x-json.log"
    record = RuntimeContainer("id", PodIdentity("ns", "pod", "uid"), "main", 0, "running", NOW, log_path=str(source))
    path = tmp_path / "pods/ns_pod_uid/main/0.log"
    link = tmp_path / "containers/pod_ns_main-id.log"

    async def check() -> None:
        source.write_bytes(entry(1))
        async with keeping(tmp_path) as keeper:
            keeper.follow(record)
            await shown(path, cri(1), "the first line")
            assert link.read_bytes() == cri(1)
            with source.open("ab") as file:
                file.write(entry(2))
            await shown(path, cri(1, 2), "a line that was added")
        source.rename(source.with_name("x-json.log.1"))
        source.write_bytes(entry(3))
        async with keeping(tmp_path) as keeper:
            keeper.follow(record)
            keeper.follow(record)
            await shown(path, cri(1, 2, 3), "what came while no kubelet ran")
            source.with_name("x-json.log.1").rename(source.with_name("x-json.log.2"))
            source.rename(source.with_name("x-json.log.1"))
            source.write_bytes(entry(4))
            await shown(path, cri(1, 2, 3, 4), "the lines behind a rotation")
            assert len(rotated(path)) == 1
            await keeper.forget(["id"])
            assert not link.is_symlink()
            assert list(path.parent.iterdir()) == []

    asyncio.run(check())
