"""EmptyDir volumes: a directory that lives as long as its pod, on disk, in memory or in huge pages.

https://kubernetes.io/docs/concepts/storage/volumes/#emptydir · KEP-1967 (how large one in memory is)
"""

import asyncio
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from kube.api import quantity
from kube.api.types import Container, EmptyDirVolumeSource, Pod, Volume
from kubelet.environment import Reference
from kubelet.pod_state import all_containers
from kubelet.resources import pod_limits
from kubelet.volumes import mounts
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError, fs_group

MODE = 0o777
HUGE_PAGES, PAGES = "HugePages", "hugepages-"  # the medium; the resources
GROUP_MODE = 0o2777  # what is made in it belongs to the group too


class EmptyDirVolume:
    field = "emptyDir"
    plugin = "kubernetes.io~empty-dir"
    read_only = False

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: EmptyDirVolumeSource, context: VolumeContext) -> Mounted:
        mount = _mount_of(source, context)
        await asyncio.to_thread(_make, context.path, mount, fs_group(context.pod))
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(mounts.remove, path)


def _mount_of(source: EmptyDirVolumeSource, context: VolumeContext) -> Callable[[Path], None] | None:
    """What puts the volume's medium there; None for the node's disk."""
    medium = source.medium or ""
    if medium == "Memory":
        return partial(mounts.memory, size=memory_size(context.pod, source, context.facts.allocatable))
    if medium == HUGE_PAGES or medium.startswith(f"{HUGE_PAGES}-"):
        return partial(mounts.huge_pages, size=page_size(context.pod, medium))
    if medium:
        raise VolumeError(f'unknown storage medium "{medium}"')
    return None


def memory_size(pod: Pod, source: EmptyDirVolumeSource, allocatable: Mapping[str, str]) -> int:
    """In bytes: the volume's own limit, but no more than the pod may use, nor than all pods may; 0 where nothing is said. Pure."""
    stated = quantity.value(source.sizeLimit) if source.sizeLimit is not None else 0
    bounds = (stated, pod_limits(pod).memory, quantity.value(allocatable.get("memory", "0")))
    return min((bound for bound in bounds if bound > 0), default=0)


def page_size(pod: Pod, medium: str) -> int:
    """In bytes: what the medium says, else the one size that the pod's containers ask for. Raises VolumeError. Pure."""
    named = medium.partition("-")[2]
    asked = {name.removeprefix(PAGES) for one in all_containers(pod) for name in requested(one) if name.startswith(PAGES)}
    if (named and named not in asked) or not asked:
        raise VolumeError(f"{medium} storage requested, but there is no resource request for huge pages of that size")
    if not named and len(asked) > 1:
        raise VolumeError("medium HugePages can be used only if container requests use one huge page size")
    return quantity.value(named or asked.pop())


def requested(container: Container) -> set[str]:
    """The names of the resources that it asks for."""
    stated = (getattr(container.resources, side, None) or {} for side in ("requests", "limits"))
    return {name for side in stated for name in side}


def _make(path: Path, mount: Callable[[Path], None] | None, group: int | None) -> None:
    """Made once: what the pod then does to its mode or owner is its own. The top of a tmpfs is sticky, and stays so."""
    if path.is_dir() and mounts.is_mounted(path) == (mount is not None):
        return
    path.mkdir(parents=True, exist_ok=True)
    if mount is not None:
        mount(path)
    if group is not None:
        os.chown(path, -1, group)
    sticky = path.stat().st_mode & stat.S_ISVTX
    path.chmod((MODE if group is None else GROUP_MODE) | sticky)
