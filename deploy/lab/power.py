"""A host's power switch: everything in it dies at once, and what a real machine's memory held is gone.

Killed are the processes in its network namespace (programs, engine) and in its cgroup (containers, whose namespaces are their own).
Its disk (what is below the state directory) stays; mounts, sockets, process ids and the namespace with its links and rules do not.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy import host as machine
from deploy.cluster import Cluster
from deploy.lab import disk, network
from deploy.lab.plan import Lab
from deploy.supervise import marked, wait_until_gone

CGROUPS = Path("/sys/fs/cgroup")
GONE_SECONDS = 15


def off(host: Cluster) -> int:
    """kill -9 for everything; returns how many processes there were."""
    killed: set[int] = set()
    deadline = time.monotonic() + GONE_SECONDS
    while found := processes(host):
        for pid in found:
            _kill(pid)
        killed |= found
        wait_until_gone(found, deadline)
    machine.unmount_below(host.state)
    shutil.rmtree(host.run, ignore_errors=True)
    disk.detach(host)
    remove_cgroups(host.cgroup_root)
    network.remove(host.netns)
    return len(killed)


def on(lab: Lab, host: Cluster) -> None:
    """The namespace and its link; the programs are for who starts them."""
    disk.attach(host, lab.disk)
    network.add_host(lab, host)
    host.run.mkdir(mode=0o700, parents=True, exist_ok=True)


def environment(host: Cluster) -> dict[str, str]:
    """Of a command that is run on it: its kubeconfig and its engine's socket."""
    admin = host.kubeconfig("admin")
    return {
        "KUBECONFIG": str(admin if admin.exists() else host.kubeconfig("kubelet")),
        "DOCKER_HOST": f"unix://{host.docker_socket}",
        "PATH": f"{Path(sys.executable).parent}:{machine.PATH}",
    }


def processes(host: Cluster) -> set[int]:
    """Those that live: in the host's network, in its cgroups, or started by its supervisor in another network (the door)."""
    found = {*_in_network(host), *in_cgroups(host.cgroup_root), *marked(host)} - {os.getpid()}
    return {pid for pid in found if not _ended(pid)}


def _in_network(host: Cluster) -> set[int]:
    if not (network.NAMESPACES / host.netns).exists():
        return set()
    done = subprocess.run(["ip", "netns", "pids", host.netns], capture_output=True, text=True, env={"PATH": machine.PATH})
    return {int(line) for line in done.stdout.split()}


def in_cgroups(name: str) -> set[int]:
    """Processes of a cgroup and of all below it, in any hierarchy."""
    return {pid for root in _cgroups(name) for cgroup, _, _ in os.walk(root) for pid in _members(Path(cgroup))}


def _members(cgroup: Path) -> list[int]:
    """Its processes; none of one that is removed meanwhile (ENODEV if it goes between open and read)."""
    try:
        return [int(pid) for pid in (cgroup / "cgroup.procs").read_text().split()]
    except OSError as error:
        if error.errno in (errno.ENODEV, errno.ENOENT):
            return []
        raise


def remove_cgroups(name: str) -> None:
    """A cgroup without processes, and all below it."""
    for root in _cgroups(name):
        for directory in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
            directory.rmdir()
        root.rmdir()


def _cgroups(name: str) -> list[Path]:
    """Its directories: one a hierarchy with version 1, one at all with version 2."""
    inner = name.strip("/")
    return [path for path in (CGROUPS / inner, *(one / inner for one in CGROUPS.iterdir() if one.is_dir())) if path.is_dir()]


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
