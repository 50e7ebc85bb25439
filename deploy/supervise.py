"""The supervisor of the programs: start it, ask it, stop it.

Talks XML-RPC over the supervisor's Unix socket, which only root may open. http://supervisord.org/api.html
"""

import os
import signal
import subprocess
import time
import xmlrpc.client
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.cluster import Cluster
from deploy.programs import MARK, STOP_SECONDS, Program, supervisor_argv, supervisor_config

START_SECONDS = 10
PRIORITIES = 4  # the supervisor ends programs of one priority together, and each after what was started later


class Supervisor:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._socket = cluster.run / "supervisor.sock"

    def running(self) -> bool:
        try:
            return bool(self._ask("getState")["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def start(self, wanted: list[Program]) -> bool:
        """Run exactly these programs; returns whether anything had to be started or changed."""
        text = supervisor_config(self._cluster, wanted)
        path = self._cluster.supervisor_config
        if self.running():
            if path.read_text() == text:
                return self._start_stopped()
            self.stop()
        kill_leftovers(self._cluster)
        path.write_text(text)
        self._socket.unlink(missing_ok=True)
        subprocess.run(supervisor_argv(self._cluster), check=True, stdin=subprocess.DEVNULL, capture_output=True)
        _wait_until(self.running, START_SECONDS, "the supervisor does not answer")
        return True

    def processes(self) -> list[dict[str, Any]]:
        """name, statename, description, pid, ... of every program."""
        found: list[dict[str, Any]] = self._ask("getAllProcessInfo")
        return found

    def stop_program(self, name: str) -> None:
        try:
            self._ask("stopProcess", name)
        except xmlrpc.client.Fault:
            return  # not running, or not one of these programs

    def start_program(self, name: str) -> None:
        self._ask("startProcess", name, False)

    def stop(self) -> None:
        """Stop every program, then the supervisor itself."""
        pid = int(self._ask("getPID"))
        self._ask("shutdown")
        _wait_until(lambda: not _alive(pid), PRIORITIES * STOP_SECONDS + START_SECONDS, "the supervisor does not end")

    def _start_stopped(self) -> bool:
        stopped = [one["name"] for one in self.processes() if one["statename"] in ("STOPPED", "FATAL", "EXITED")]
        for name in stopped:
            self.start_program(name)
        return bool(stopped)

    def _ask(self, method: str, *words: Any) -> Any:
        transport: Any = SupervisorTransport(None, None, f"unix://{self._socket}")  # type: ignore[no-untyped-call]  # its own
        with closing(transport):
            server: Any = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
            return getattr(server.supervisor, method)(*words)


def kill_leftovers(cluster: Cluster) -> list[int]:
    """End programs of this cluster that outlived their supervisor (it was killed); returns their process ids.

    Containers' own helpers are left alone: what they hold runs on.
    """
    found = [pid for pid in marked(cluster) if not _name(pid).startswith(("containerd-shim", "runc"))]
    for pid in found:
        _signal(pid, signal.SIGTERM)
    for pid in found:
        try:
            _wait_until(lambda pid=pid: not _alive(pid), START_SECONDS, "")
        except TimeoutError:
            _signal(pid, signal.SIGKILL)
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended by itself
        os.kill(pid, number)


def marked(cluster: Cluster) -> list[int]:
    """Every process outside of containers that was started for this cluster: known by the mark in its environment."""
    mark = f"{MARK}={cluster.state}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
        if mark in environment and not _in_container(entry):
            found.append(int(entry.name))
    return found


def wait_until_gone(pids: Iterable[int], deadline: float) -> None:
    """Until none of them lives, by the monotonic clock. Raises TimeoutError."""
    for pid in pids:
        _wait_until(lambda pid=pid: not _alive(pid), deadline - time.monotonic(), f"process {pid} does not end")


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _in_container(entry: Path) -> bool:
    """Whether the process has a process-id namespace of its own kind: then it is a pod's."""
    try:
        return (entry / "ns" / "pid").readlink() != Path("/proc/self/ns/pid").readlink()
    except OSError:
        return True


def _alive(pid: int) -> bool:
    """A zombie that its parent has not collected yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait_until(done: Any, seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.05)
