"""A host's own disk, where one is asked for: a file with an ext4 file system in it, mounted where the host's state is kept.

Filling it harms nobody else. The file is sparse: it takes from the machine's disk what is written, not what it could hold.
Switching a host off unmounts it, as power does; what is on it stays.
"""

import subprocess
from pathlib import Path

from deploy.cluster import Cluster
from deploy.host import PATH
from deploy.progress import StepFailed


def attach(host: Cluster, size: str) -> None:
    """Make it (`size` as truncate(1) has it: 2G) where it is not, mount it where it is not mounted; "" is no disk."""
    if not size:
        return
    file = _file(host)
    if not file.exists():
        _run("truncate", f"--size={size}", str(file))
        _run("mkfs.ext4", "-q", "-m", "0", str(file))
    host.state.mkdir(mode=0o700, exist_ok=True)
    if not host.state.is_mount():
        _run("mount", "-o", "loop", str(file), str(host.state))
        host.state.chmod(0o700)


def detach(host: Cluster) -> None:
    if host.state.is_mount():
        _run("umount", "--lazy", str(host.state))


def remove(host: Cluster) -> None:
    detach(host)
    _file(host).unlink(missing_ok=True)


def _file(host: Cluster) -> Path:
    return host.state.with_suffix(".disk")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": PATH})
    if done.returncode != 0:
        raise StepFailed(
            f"{' '.join(command)}: {done.stderr.strip()}", "hosts' own disks need loop devices and ext4; or leave --disk"
        )
