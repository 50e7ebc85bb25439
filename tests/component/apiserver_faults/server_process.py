"""The API server as a process of its own, to be killed, ended and started again on the same port."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from apiserver.config import Config
from tests.component.apiserver_faults.raw_http import ask
from tests.component.etcd_member import free_port
from tests.wait import eventually

START_SECONDS = 60.0
END_SECONDS = 60.0
REPOSITORY = Path(__file__).resolve().parents[3]


class ServerProcess:
    """`start` it, `kill` it, `end` it; `remove` it at last."""

    def __init__(self, config: Config, directory: Path, flags: Mapping[str, str] | None = None, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = directory / "apiserver.log"
        chosen = {
            "--bind-address": "127.0.0.1", "--secure-port": str(self.port), "--advertise-address": config.advertise_address,
            "--token-auth-file": str(config.token_auth_file), "--etcd-servers": ",".join(config.etcd_servers),
            "--etcd-prefix": config.etcd_prefix, "--service-cluster-ip-range": ",".join(config.service_cluster_ip_range),
            **(flags or {}),
        }  # fmt: skip
        self._command = [sys.executable, "-m", "apiserver", *(f"{name}={value}" for name, value in chosen.items())]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "started"
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """The processes that it consists of, the first one first."""
        others = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, others)]

    async def start(self) -> float:
        """Seconds until it is ready."""
        began = time.monotonic()
        self.launch()
        await eventually(self._ready, START_SECONDS, "the server is ready")
        return time.monotonic() - began

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=REPOSITORY, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self._process is not None, "started"
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        assert self._process is not None, "started"
        self._process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None, "started"
        return self._process.wait(END_SECONDS)

    def remove(self) -> None:
        if self._process is not None:
            self.kill()

    async def _ready(self) -> bool:
        assert self._process is not None, "started"
        assert self._process.poll() is None, self.log.read_text()[-3000:]
        try:
            return (await ask(self.url, "GET", "/readyz")).status == 200
        except OSError:
            return False
