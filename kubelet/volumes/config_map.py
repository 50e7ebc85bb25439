"""ConfigMap volumes: a config map's keys as files, which follow its changes.

https://kubernetes.io/docs/concepts/storage/volumes/#configmap
"""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

from kube.api.types import ConfigMapVolumeSource, Volume
from kubelet.environment import Reference
from kubelet.volumes import atomic_writer
from kubelet.volumes.payload import DEFAULT_MODE, object_files
from kubelet.volumes.volume import Mounted, VolumeContext, fs_group


class ConfigMapVolume:
    field = "configMap"
    plugin = "kubernetes.io~configmap"
    read_only = True

    def references(self, volume: Volume) -> Iterator[Reference]:
        yield Reference("ConfigMap", volume.configMap.name)

    async def set_up(self, source: ConfigMapVolumeSource, context: VolumeContext) -> Mounted:
        mode = DEFAULT_MODE if source.defaultMode is None else source.defaultMode
        optional = bool(source.optional)
        files = object_files("ConfigMap", source.name, context.objects, source.items, mode=mode, optional=optional)
        await asyncio.to_thread(atomic_writer.write, context.path, files, fs_group(context.pod), context.now)
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(shutil.rmtree, path, True)
