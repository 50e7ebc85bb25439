"""A real etcd for the component tests: processes, data directories in memory, ports that were free a moment ago."""

import json
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.wait import eventually_sync

MEMORY = Path("/dev/shm")
START_SECONDS = 20.0


class EtcdMember:
    """`start` it, `kill` it, `start` it again on the same data and ports; `remove` it in the end.

    `flags` are further ones of etcd's; `cluster` has the peer addresses of all members by name, itself among them.
    """

    def __init__(self, name: str = "one", flags: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.directory = Path(tempfile.mkdtemp(prefix="skiff-etcd-", dir=MEMORY if MEMORY.is_dir() else None))
        self._flags = dict(flags or {})
        self._client, self._peer = free_port(), free_port()
        self.cluster = {name: self.peer}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._client}"

    @property
    def peer(self) -> str:
        return f"http://127.0.0.1:{self._peer}"

    def start(self) -> None:
        self.launch()
        self.wait()

    def launch(self) -> None:
        arguments = {
            "--name": self.name, "--data-dir": str(self.directory / "data"), "--logger": "zap", "--log-outputs": "stderr",
            "--listen-client-urls": self.endpoint, "--advertise-client-urls": self.endpoint, "--listen-peer-urls": self.peer,
            "--initial-advertise-peer-urls": self.peer,
            "--initial-cluster": ",".join(f"{name}={peer}" for name, peer in self.cluster.items()), **self._flags,
        }  # fmt: skip
        command = ["etcd", *(f"{name}={value}" for name, value in arguments.items())]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait(self) -> None:
        """Until it answers."""
        eventually_sync(self._healthy, START_SECONDS, "etcd is healthy")

    def kill(self) -> None:
        """As kill -9 does: what was acknowledged must be there after the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """It answers nothing, and closes nothing."""
        assert self._process is not None, "started"
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None, "started"
        self._process.send_signal(signal.SIGCONT)

    def call(self, path: str, question: Mapping[str, Any]) -> Any:
        """Ask its JSON gateway (https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/)."""
        asked = urllib.request.Request(f"{self.endpoint}/v3/{path}", json.dumps(question).encode())
        with urllib.request.urlopen(asked, timeout=START_SECONDS) as answer:
            return json.load(answer)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.directory)

    def _healthy(self) -> bool:
        assert self._process is not None, "started"
        assert self._process.poll() is None, f"etcd ended: {(self.directory / 'log').read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(f"{self.endpoint}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except (urllib.error.URLError, OSError):
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
