"""Image volumes: the files of an image, read-only, from the layers that the engine keeps.

The image is pulled by its pull policy as a container's is. Its layers are laid over one another by the kernel (overlay), nothing is
copied; a pod that holds such a volume keeps its image on the node.
https://kubernetes.io/docs/concepts/storage/volumes/#image (KEP-4639)
"""

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from kube.api.types import ImageVolumeSource, Pod, Volume
from kubelet.container_error import StartError
from kubelet.environment import Reference
from kubelet.images import with_tag
from kubelet.volumes import mounts
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError


class ImageVolume:
    field = "image"
    plugin = "kubernetes.io~image"
    read_only = True

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: ImageVolumeSource, context: VolumeContext) -> Mounted:
        if await asyncio.to_thread(mounts.is_mounted, context.path):
            return Mounted(context.path)
        try:
            image = await context.image(source.reference or "", source.pullPolicy or "")
        except StartError as error:
            raise VolumeError(f"{error.reason}: {error.message}") from error
        if not image.layers:
            raise VolumeError("the container engine's storage driver does not show the layers of images: overlay2 does")
        await asyncio.to_thread(_lay, image.layers, context.path)
        return Mounted(context.path)

    async def tear_down(self, path: Path) -> None:
        await asyncio.to_thread(mounts.release, path)


def _lay(layers: Sequence[str], target: Path) -> None:
    """The top layer first. Open directories have short names: a mount's options are a page at most."""
    target.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        opened = []
        for layer in layers:
            opened.append(os.open(layer, os.O_PATH | os.O_DIRECTORY))
            stack.callback(os.close, opened[-1])
        if len(opened) == 1:
            mounts.bind(opened[0], target)
        else:
            mounts.overlay([f"/proc/self/fd/{one}" for one in opened], target)


def images_of(pods: Iterable[Pod]) -> set[str]:
    """The images that pods have as volumes: they are in use, though no container has them."""
    return {
        with_tag(volume.image.reference)
        for pod in pods
        for volume in pod.spec.volumes or ()
        if volume.image is not None and volume.image.reference
    }
