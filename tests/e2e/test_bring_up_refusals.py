"""What `make up` says where it cannot: one clear line, exit 1, nothing left half-started.

Each runs in a network namespace of its own, so that a port can be taken there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import REPOSITORY


@pytest.fixture
def netns() -> Iterator[str]:
    name = f"skiff-refuse-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


def up(netns: str, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        "nsenter", f"--net=/run/netns/{netns}", sys.executable, "-m", "deploy.local", "up",
        "--state", str(state), "--docker-socket", f"{state}/run/docker.sock",
    ]  # fmt: skip
    return subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60)


def leftovers(state: Path) -> list[str]:
    """Processes of this state directory that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if f"SKIFF_STATE={state}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((entry / "comm").read_text().strip())
            except OSError:
                continue
    return found


@pytest.mark.parametrize(("port", "who"), [(6443, "kube-apiserver"), (2379, "etcd")])
def test_taken_port_is_named_with_who_needs_it(netns: str, tmp_path: Path, port: int, who: str) -> None:
    code = f"import socket; taken = socket.create_server(('127.0.0.1', {port})); print('taken', flush=True); input()"
    taker = subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{netns}", sys.executable, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert taker.stdout.readline() == "taken\n"
        done = up(netns, tmp_path / "state")
    finally:
        taker.communicate("\n", timeout=10)
    assert done.returncode == 1
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert len(lines) == 1
    assert f"port {port} is taken, and {who} needs it" in lines[0]
    assert not (tmp_path / "state").exists()
    assert leftovers(tmp_path / "state") == []


def test_ordinary_user_is_told_to_use_sudo(netns: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    code = (
        "import os; from deploy.preflight import *; from deploy.cluster import Cluster; os.setgid(65534); os.setuid(65534); "
        "[print(p) for p in problems(Cluster(), observe(Cluster(), running=True, engine_answers=True))]"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=30)
    assert "not root: a cluster changes the machine's network and mounts; run `sudo make up`" in done.stdout, done.stderr


def test_machine_without_engine_and_apt_is_told_what_is_missing(netns: str, tmp_path: Path) -> None:
    """A PATH that has neither Docker nor apt-get, and no socket that answers."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for program in ("etcd", "ip", "nft", "iptables", "conntrack", "busybox", "nsenter"):
        (tools / program).symlink_to(shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") or program)
    code = (
        f"import deploy.host as host; host.PATH = '{tools}'; from deploy.preflight import *; from deploy.cluster import Cluster; "
        "[print(p) for p in problems(Cluster(), observe(Cluster(), running=True, engine_answers=False))]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env={**os.environ, "PATH": str(tools)}, capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip
    assert "there is no apt-get to install it: containerd docker.io" in done.stdout, done.stderr


def test_full_disk_is_told_before_anything_starts(netns: str, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", small], check=True)
    try:
        done = up(netns, small / "state")
        assert done.returncode == 1
        assert "disk full: " in done.stderr
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
