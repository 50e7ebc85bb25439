"""The measured programs: an etcd and an API server as processes of their own, on ports that were free a moment ago."""

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bench.apiserver.objects import TOKEN
from tests.bench.cost import cpu_seconds, memory_mib
from tests.certificates import Authority
from tests.component.etcd_member import EtcdMember, free_port

REPOSITORY = Path(__file__).parents[3]
START_SECONDS = 60.0
SETTLING = 8  # requests, so that every worker has some


OURS = (sys.executable, "-m", "apiserver")


class ApiServer:
    """`start` it and it is ready; `stop` it, `start` it again on the same data.

    `program` is ours or another with the same flags. An issuer of tokens and its key are among them, as upstream's wants them.
    """

    def __init__(self, etcd: EtcdMember, directory: Path, program: tuple[str, ...] = OURS) -> None:
        directory.mkdir(exist_ok=True)
        self.port = free_port()
        self._log = directory / "apiserver.log"
        self._process: subprocess.Popen[bytes] | None = None
        authority = Authority(directory)
        pair = authority.issue("apiserver")
        self.trust = ssl.create_default_context(cafile=str(authority.certificate))
        self.ca = authority.certificate
        tokens = directory / "tokens.csv"
        tokens.write_text(f'{TOKEN},bench,1,"system:masters"\n')
        signing = directory / "service-account.key"
        key = rsa.generate_private_key(65537, 2048)  # in the form that every version of upstream reads
        signing.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
        flags = {
            "--bind-address": "127.0.0.1", "--secure-port": self.port, "--advertise-address": "192.0.2.1",
            "--tls-cert-file": pair.certificate, "--tls-private-key-file": pair.key, "--client-ca-file": authority.certificate,
            "--token-auth-file": tokens, "--etcd-servers": etcd.endpoint, "--service-cluster-ip-range": "10.96.0.0/16",
            "--service-account-issuer": "https://kubernetes.default.svc", "--service-account-key-file": signing,
            "--service-account-signing-key-file": signing, "--authorization-mode": "Node,RBAC",
        }  # fmt: skip
        self._command = [*program, *(f"{name}={value}" for name, value in flags.items())]

    @property
    def pid(self) -> int:
        assert self._process is not None, "started"
        return self._process.pid

    def start(self) -> dict[str, float]:
        """Seconds until /readyz answers ok, and what was spent by then."""
        began = time.monotonic()
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # as `make` and the supervisor start it
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() - began > START_SECONDS:
                raise SystemExit(f"the API server does not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.01)
        seconds = time.monotonic() - began
        return {"ready_s": seconds, "cpu_s": cpu_seconds(self.pid), **memory_mib(self.pid)}

    def stop(self) -> float:
        """Seconds from SIGTERM to the end."""
        assert self._process is not None, "started"
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        self._process = None
        return time.monotonic() - began

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def settle(self) -> None:
        """Until each worker has loaded what it loads once it is ready: it must not be counted to the first requests."""
        for _ in range(SETTLING):
            self._asked("/api", 30)

    def _ready(self) -> bool:
        try:
            return self._asked("/readyz", 2) == 200
        except (urllib.error.URLError, OSError):
            return False

    def _asked(self, path: str, seconds: float) -> int:
        """The answer's code, on a connection of its own."""
        asked = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(asked, timeout=seconds, context=self.trust) as answer:
            return int(answer.status)
