"""A control plane for unmodified clients: etcd, kube-apiserver over TLS and kube-controller-manager, each its own process.

No node: what needs a running pod is in tests/e2e. Certificates and kubeconfig are those that `make up` makes.
"""

import os
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.certs import make_certificates
from deploy.cluster import Cluster
from deploy.programs import api_server_flags, controller_manager_flags
from tests.component.etcd_member import EtcdMember
from tests.wait import eventually_sync

REPOSITORY = Path(__file__).parents[2]
START_SECONDS, STOP_SECONDS = 60.0, 20.0


@dataclass(frozen=True)
class ControlPlane:
    """Where it is, and how to run a client against it."""

    cluster: Cluster
    directory: Path  # of the client's own: its working directory and home

    @property
    def kubeconfig(self) -> Path:
        return self.cluster.kubeconfig("admin")

    @property
    def environment(self) -> dict[str, str]:
        """What a client sees: this cluster alone, and no proxy between."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
        return {**kept, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.directory), "NO_COLOR": "1"}

    def python(self, program: Path, *, within: float = 120) -> str:
        """Run a Python client of tests/interop/programs; what it printed. It must end with 0."""
        command = [sys.executable, "-W", "error::DeprecationWarning:__main__", str(program)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=within, cwd=self.directory, env=self.environment, check=False
        )
        assert done.returncode == 0, f"{program.name} exited with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout


@contextmanager
def running(directory: Path) -> Iterator[ControlPlane]:
    """A control plane whose namespaces are there, in `directory`; ended and nothing left at the exit."""
    with api_server(directory) as cluster:
        manager = {"secure-port": _free_ports(1)[0], "leader-elect": "false"}
        with _process("controller_manager", controller_manager_flags(cluster) | manager, directory):
            yield ControlPlane(cluster, directory / "home")


@contextmanager
def api_server(directory: Path) -> Iterator[Cluster]:
    """etcd and an API server that is ready, and no controller."""
    cluster = Cluster(state=directory / "state", node_ip="127.0.0.1", api_port=_free_ports(1)[0])
    cluster.state.mkdir()
    make_certificates(cluster)
    (directory / "home").mkdir()
    with ExitStack() as stack:
        etcd = EtcdMember()
        stack.callback(etcd.remove)
        etcd.start()
        flags = api_server_flags(cluster) | {
            "bind-address": "127.0.0.1", "advertise-address": "192.0.2.1", "etcd-servers": etcd.endpoint,
            "etcd-cafile": "", "etcd-certfile": "", "etcd-keyfile": "",
        }  # fmt: skip
        given = {name: value for name, value in flags.items() if value != ""}
        stack.enter_context(_process("apiserver", given, directory))
        eventually_sync(lambda: _ready(cluster), START_SECONDS, "the API server is ready")
        yield cluster


@contextmanager
def _process(package: str, flags: Mapping[str, object], directory: Path) -> Iterator[None]:
    command = [sys.executable, "-m", package, *(f"--{name}={value}" for name, value in flags.items())]
    with (directory / f"{package}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(cluster: Cluster) -> bool:
    context = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
    try:
        with urllib.request.urlopen(f"{cluster.server}/readyz", timeout=2, context=context) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, each another."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
