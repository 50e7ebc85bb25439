"""Secret volumes: a secret's keys as files in memory, which follow its changes.

https://kubernetes.io/docs/concepts/storage/volumes/#secret
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from kube.api.types import SecretVolumeSource, Volume
from kubelet.environment import Reference
from kubelet.volumes import atomic_writer, mounts
from kubelet.volumes.payload import DEFAULT_MODE, object_files
from kubelet.volumes.volume import Mounted, VolumeContext, fs_group


class SecretVolume:
    field = "secret"
    plugin = "kubernetes.io~secret"
    read_only = True

    def references(self, volume: Volume) -> Iterator[Reference]:
        yield Reference("Secret", volume.secret.secretName)

    async def set_up(self, source: SecretVolumeSource, context: VolumeContext) -> Mounted:
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        optional = bool(source.optional)
        files = object_files("Secret", source.secretName, context.objects, source.items, mode=mode, optional=optional)
        await asyncio.to_thread(mounts.memory, context.path)
        await asyncio.to_thread(atomic_writer.write, context.path, files, fs_group(context.pod), context.now)
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(mounts.remove, path)
