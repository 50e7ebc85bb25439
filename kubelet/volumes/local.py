"""Local volumes: a directory, or a block device, of the node that a PersistentVolume stands for.

The volume's node affinity brings its pods here. A directory is bound into the pod's place, so that what the pod is given can be
unmounted without a hand on the data. https://kubernetes.io/docs/concepts/storage/volumes/#local · upstream pkg/volume/local
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from kube.api.types import LocalVolumeSource, Volume
from kubelet.disk_usage import VolumeUsage
from kubelet.environment import Reference
from kubelet.volumes import mounts, ownership
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError, change_policy, fs_group


class LocalVolume:
    field = "local"
    plugin = "kubernetes.io~local-volume"
    read_only = False

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: LocalVolumeSource, context: VolumeContext) -> Mounted:
        path, device = Path(source.path), context.persistent is not None and context.persistent.spec.volumeMode == "Block"
        await asyncio.to_thread(_check, path, device)
        if device:
            return Mounted(path, device=True)
        await asyncio.to_thread(_show, path, context)
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(mounts.release, path)

    async def usage(self, path: Path) -> VolumeUsage | None:
        return await mounts.usage(path)


def _check(path: Path, device: bool) -> None:
    if not path.exists():
        raise VolumeError(f'path "{path}" does not exist')
    if device and not path.is_block_device():
        raise VolumeError(f'path "{path}" is not a block device')
    if not device and not path.is_dir():
        raise VolumeError(f'path "{path}" is not a directory')


def _show(path: Path, context: VolumeContext) -> None:
    """Bound once; the group is given then, too."""
    if mounts.is_mounted(context.path):
        return
    group = fs_group(context.pod)
    if group is not None:
        ownership.give(path, group, policy=change_policy(context.pod))
    context.path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY)
    try:
        mounts.bind(descriptor, context.path)
    finally:
        os.close(descriptor)
