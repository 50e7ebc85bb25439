"""A real etcd for the component tests: one process, a data directory in memory, ports that were free a moment ago."""

import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from tests.wait import eventually_sync

MEMORY = Path("/dev/shm")
START_SECONDS = 20.0


class EtcdMember:
    """`start` it, `kill` it, `start` it again on the same data and ports; `remove` it in the end."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="skiff-etcd-", dir=MEMORY if MEMORY.is_dir() else None))
        self._client, self._peer = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._client}"

    def start(self) -> None:
        peer = f"http://127.0.0.1:{self._peer}"
        arguments = {
            "--name": "one", "--data-dir": str(self.directory / "data"), "--logger": "zap", "--log-outputs": "stderr",
            "--listen-client-urls": self.endpoint, "--advertise-client-urls": self.endpoint, "--listen-peer-urls": peer,
            "--initial-advertise-peer-urls": peer, "--initial-cluster": f"one={peer}",
        }  # fmt: skip
        command = ["etcd", *(f"{name}={value}" for name, value in arguments.items())]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually_sync(self._healthy, START_SECONDS, "etcd is healthy")

    def kill(self) -> None:
        """As kill -9 does: what was acknowledged must be there after the next start."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

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
