"""Fixtures of the node tests: a container engine of our own, in a network namespace of its own.

The engine has its own data, socket and containerd, and is gone afterwards. Without root, or without Docker's programs, the
tests fail and say so.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import docker
import pytest

from deploy.images.build import busybox_tar, find_busybox, pause_tar
from kubelet.cleanup import remove_cgroups
from tests.wait import eventually_sync

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
START_SECONDS = 20.0
TEST_CGROUP = "/skiff-test"  # what the node tests' kubelets and runtimes make pods' cgroups below


class Engine(NamedTuple):
    socket: Path
    namespace: str  # of the network: a kubelet for this engine runs in it

    @property
    def endpoint(self) -> str:
        return f"unix://{self.socket}"

    def inside(self, *argv: str) -> list[str]:
        """A command line that runs in the engine's network namespace."""
        return ["nsenter", f"--net=/var/run/netns/{self.namespace}", *argv]


@pytest.fixture(scope="package")
def docker_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if os.geteuid() != 0:
        pytest.fail("node tests need root: they make network namespaces and run a container engine")
    missing = [name for name in ("containerd", "dockerd", "ip", "nsenter") if shutil.which(name, path=PATH) is None]
    if missing:
        pytest.fail(f"node tests need {', '.join(missing)}: install docker.io, containerd and iproute2")
    directory = tmp_path_factory.mktemp("engine")
    namespace = f"skiff-engine-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", namespace], check=True, env={"PATH": PATH})
    engine = Engine(directory / "docker.sock", namespace)
    subprocess.run(engine.inside("ip", "link", "set", "lo", "up"), check=True, env={"PATH": PATH})
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(_start(engine, directory / "containerd.log", _containerd(directory)))
        eventually_sync((directory / "containerd.sock").exists, START_SECONDS, "containerd's socket")
        started.append(_start(engine, directory / "dockerd.log", _dockerd(directory, engine)))
        eventually_sync(lambda: _answers(engine), START_SECONDS, "an answer of the container engine")
        _load_images(engine)
        yield engine
        _remove_containers(engine)
        remove_cgroups(TEST_CGROUP)
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)
        subprocess.run(["ip", "netns", "delete", namespace], check=True, env={"PATH": PATH})


def _containerd(directory: Path) -> list[str]:
    root, state, socket = (str(directory / name) for name in ("containerd", "containerd-state", "containerd.sock"))
    return ["containerd", "--root", root, "--state", state, "--address", socket, "--log-level", "warn"]


def _dockerd(directory: Path, engine: Engine) -> list[str]:
    return [
        "dockerd",
        f"--containerd={directory / 'containerd.sock'}",
        f"--data-root={directory / 'docker'}",
        f"--exec-root={directory / 'docker-run'}",
        f"--host={engine.endpoint}",
        f"--pidfile={directory / 'docker.pid'}",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--ip-masq=false",
        "--live-restore=true",
    ]


def _start(engine: Engine, log: Path, argv: list[str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(engine.inside(*argv), stdout=output, stderr=output, env={**os.environ, "PATH": PATH})


def _answers(engine: Engine) -> bool:
    if not engine.socket.exists():
        return False
    try:
        client = docker.APIClient(base_url=engine.endpoint, version="auto")
    except docker.errors.DockerException:
        return False
    client.close()
    return True


def _load_images(engine: Engine) -> None:
    client = docker.APIClient(base_url=engine.endpoint, version="auto", timeout=60)
    for archive in (pause_tar(), busybox_tar(find_busybox())):
        list(client.load_image(archive))  # type: ignore[no-untyped-call]
    client.close()


def _remove_containers(engine: Engine) -> None:
    client = docker.APIClient(base_url=engine.endpoint, version="auto", timeout=60)
    for row in client.containers(all=True):
        client.remove_container(row["Id"], force=True, v=True)
    client.close()
