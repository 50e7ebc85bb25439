"""DownwardAPI volumes: the pod's own fields as files, which follow its labels and annotations.

https://kubernetes.io/docs/concepts/storage/volumes/#downwardapi
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from kube.api.types import DownwardAPIVolumeSource, Volume
from kubelet.environment import Reference
from kubelet.volumes import atomic_writer, mounts
from kubelet.volumes.payload import DEFAULT_MODE, downward_files
from kubelet.volumes.volume import Mounted, VolumeContext, fs_group


class DownwardAPIVolume:
    field = "downwardAPI"
    plugin = "kubernetes.io~downward-api"
    read_only = True

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: DownwardAPIVolumeSource, context: VolumeContext) -> Mounted:
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        files = downward_files(context.pod, source.items, mode, context.facts)
        await asyncio.to_thread(mounts.memory, context.path)
        await asyncio.to_thread(atomic_writer.write, context.path, files, fs_group(context.pod), context.now)
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(mounts.remove, path)
