"""Pod files: where the kubelet keeps what belongs to a pod, below --root-dir and --log-dir.

    pods/<uid>/{etc-hosts,resolv.conf,hostname}
    pods/<uid>/volumes/<plugin>/<volume>       pods/<uid>/volume-subpaths/<volume>/<container>/<n>
    pods/<uid>/containers/<container>/<attempt>     the termination message
    <log-dir>/<namespace>_<name>_<uid>/<container>/<attempt>.log     see log_keeper.py

https://kubernetes.io/docs/reference/node/kubelet-files/
"""

import shutil
from pathlib import Path

from kubelet.runtime.runtime import PodIdentity
from kubelet.volumes.mounts import mounted_below

DIRECTORY_MODE = 0o750
MESSAGE_MODE = 0o666  # the container's user, whoever that is, writes it


def log_directory(root: Path, pod: PodIdentity) -> Path:
    """Of a pod's logs, below --log-dir."""
    return root / f"{pod.namespace}_{pod.name}_{pod.uid}"


def pods_on_disk(root: Path) -> list[str]:
    """Uids of the pods that have files here."""
    directory = root / "pods"
    return sorted(one.name for one in directory.iterdir()) if directory.is_dir() else []


def link_directory(logs: Path) -> Path:
    """Of the links to all containers' logs: of /var/log/pods it is /var/log/containers."""
    return logs.parent / "containers"


class PodFiles:
    """The paths of one pod."""

    def __init__(self, root: Path, log_root: Path, pod: PodIdentity) -> None:
        self.directory = root / "pods" / pod.uid
        self.logs = log_directory(log_root, pod)

    @property
    def etc_hosts(self) -> Path:
        return self.directory / "etc-hosts"

    @property
    def resolv_conf(self) -> Path:
        return self.directory / "resolv.conf"

    @property
    def hostname(self) -> Path:
        return self.directory / "hostname"

    @property
    def volumes(self) -> Path:
        return self.directory / "volumes"

    @property
    def subpaths(self) -> Path:
        return self.directory / "volume-subpaths"

    def termination_message(self, container: str, attempt: int) -> Path:
        return self.directory / "containers" / container / str(attempt)

    def make(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
        self.directory.chmod(0o755)  # a container without root reads its hosts file through here

    def make_termination_message(self, container: str, attempt: int) -> Path:
        """An empty file for the container to write to."""
        path = self.termination_message(container, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        path.chmod(MESSAGE_MODE)
        return path

    def forget_attempt(self, container: str, attempt: int) -> None:
        self.termination_message(container, attempt).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove everything; volumes must have been torn down before, or it refuses."""
        left = mounted_below(self.directory)
        assert not left, f"a volume is still mounted at {left[0]}"
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.logs, ignore_errors=True)
