"""Cgroups: a cgroup for every pod, above those of its containers, and what it uses. Version 1 and 2 of the kernel's interface.

The engine makes the containers' cgroups below the pod's. With the systemd driver the pod's slice is systemd's to make, and none
of this is done. https://kubernetes.io/docs/concepts/architecture/cgroups/ · https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kube.api.types import Pod
from kubelet.resources import cgroup_segments, pod_limits
from kubelet.runtime.docker_config import QUOTA_PERIOD
from kubelet.runtime.runtime import Limits

MOUNT = Path("/sys/fs/cgroup")
LIMITED_V1 = ("cpu", "memory")
V2_CONTROLLERS = "+cpu +memory +pids"


class Cgroups:
    def __init__(self, root: str = "", driver: str = "cgroupfs", mount: Path = MOUNT) -> None:
        self._mount = mount
        self._root = root.strip("/")
        self._own = driver == "cgroupfs"
        self.v2 = (mount / "cgroup.controllers").exists()

    def make(self, pod: Pod) -> None:
        """Make the pod's cgroup and set its limits; where it is there already, set them again."""
        if not self._own:
            return
        for directory in self._directories(pod):
            directory.mkdir(parents=True, exist_ok=True)
        if self.v2:
            self._delegate(pod)
        for path, value in self._settings(pod, pod_limits(pod)):
            with suppress(OSError):  # a controller that this kernel lacks limits nothing
                path.write_text(value)

    def remove(self, pod: Pod) -> None:
        """Remove the pod's cgroup, once its containers are gone from it."""
        segments = [part for part in (self._root, *cgroup_segments(pod)) if part]
        everywhere = [self._mount.joinpath(*segments), *(one.joinpath(*segments) for one in self._mount.iterdir() if one.is_dir())]
        for directory in everywhere:  # the engine makes it for controllers that are not limited here, too
            for child in sorted((one for one in directory.glob("*") if one.is_dir()), reverse=True):
                with suppress(OSError):
                    child.rmdir()
            with suppress(OSError):  # gone, or still in use by what the engine is removing
                directory.rmdir()

    def _directories(self, pod: Pod) -> Iterator[Path]:
        segments = [part for part in (self._root, *cgroup_segments(pod)) if part]
        if self.v2:
            yield self._mount.joinpath(*segments)
            return
        for controller in LIMITED_V1:
            yield self._mount.joinpath(controller, *segments)

    def _delegate(self, pod: Pod) -> None:
        """Let the levels above the pod hand their controllers down."""
        directory = self._mount
        for segment in [part for part in (self._root, *cgroup_segments(pod)) if part]:
            with suppress(OSError):
                (directory / "cgroup.subtree_control").write_text(V2_CONTROLLERS)
            directory = directory / segment
        with suppress(OSError):
            (directory / "cgroup.subtree_control").write_text(V2_CONTROLLERS)

    def _settings(self, pod: Pod, limits: Limits) -> Iterator[tuple[Path, str]]:
        if self.v2:
            directory = next(iter(self._directories(pod)))
            yield directory / "cpu.weight", str(weight(limits.cpu_shares))
            yield directory / "cpu.max", f"{limits.cpu_quota or 'max'} {QUOTA_PERIOD}"
            yield directory / "memory.max", str(limits.memory or "max")
            return
        cpu, memory = self._directories(pod)
        yield cpu / "cpu.shares", str(limits.cpu_shares)
        yield cpu / "cpu.cfs_period_us", str(QUOTA_PERIOD)
        yield cpu / "cpu.cfs_quota_us", str(limits.cpu_quota or -1)
        yield memory / "memory.limit_in_bytes", str(limits.memory or -1)


def weight(shares: int) -> int:
    """cpu.shares (2 to 262144) as cpu.weight (1 to 10000), as runc converts them."""
    return 1 + (shares - 2) * 9999 // 262142 if shares else 100
