"""EmptyDir volumes: a directory that lives as long as its pod, on disk or in memory.

https://kubernetes.io/docs/concepts/storage/volumes/#emptydir · KEP-1967 (how large one in memory is)
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from kube.api import quantity
from kube.api.types import EmptyDirVolumeSource, Pod, Volume
from kubelet.environment import Reference
from kubelet.resources import pod_limits
from kubelet.volumes import mounts
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError, fs_group

MODE = 0o777
GROUP_MODE = 0o2777  # what is made in it belongs to the group too


class EmptyDirVolume:
    field = "emptyDir"
    plugin = "kubernetes.io~empty-dir"
    read_only = False

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: EmptyDirVolumeSource, context: VolumeContext) -> Mounted:
        if source.medium not in (None, "", "Memory"):
            raise VolumeError(f'unknown storage medium "{source.medium}"')
        size = memory_size(context.pod, source, context.facts.allocatable) if source.medium == "Memory" else 0
        await asyncio.to_thread(_make, context.path, source.medium == "Memory", size, fs_group(context.pod))
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(mounts.remove, path)


def memory_size(pod: Pod, source: EmptyDirVolumeSource, allocatable: Mapping[str, str]) -> int:
    """In bytes: the volume's own limit, but no more than the pod may use, nor than all pods may; 0 where nothing is said. Pure."""
    stated = quantity.value(source.sizeLimit) if source.sizeLimit is not None else 0
    bounds = (stated, pod_limits(pod).memory, quantity.value(allocatable.get("memory", "0")))
    return min((bound for bound in bounds if bound > 0), default=0)


def _make(path: Path, in_memory: bool, size: int, group: int | None) -> None:
    """Made once: what the pod then does to its mode or owner is its own."""
    if path.is_dir() and mounts.is_mounted(path) == in_memory:
        return
    path.mkdir(parents=True, exist_ok=True)
    if in_memory:
        mounts.memory(path, size)
    if group is not None:
        os.chown(path, -1, group)
    path.chmod(MODE if group is None else GROUP_MODE)
