"""Pod volumes: sets up all of a pod's volumes, keeps them fresh, and tears them down.

What to tear down is read from the disk, so that a pod which ended while no kubelet ran is cleaned up too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from kube.api.types import Container, Pod, Volume
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.downward import PodFacts
from kubelet.environment import Objects, Reference, references
from kubelet.pod_files import PodFiles
from kubelet.pod_state import every_container
from kubelet.runtime.runtime import Mount
from kubelet.volumes import VOLUMES, mounts, subpath
from kubelet.volumes.volume import Mounted, Token, VolumeContext, VolumeError, VolumeType

log = get_logger("kubelet.volumes")

PROPAGATION = {"HostToContainer": "rslave", "Bidirectional": "rshared"}

TokenSource = Callable[[Pod, str, int], Awaitable[Token]]


class MountedVolumes(NamedTuple):
    paths: Mapping[str, Path]  # by the volume's name
    refresh_at: datetime | None


def volume_type(volume: Volume) -> VolumeType:
    """Raises VolumeError for a volume of a type that is not in VOLUMES."""
    for one in VOLUMES:
        if getattr(volume, one.field) is not None:
            return one
    raise VolumeError(f'MountVolume.SetUp failed for volume "{volume.name}" : no volume plugin matched')


def pod_references(pod: Pod) -> Iterator[Reference]:
    """Every config map and secret that the pod's volumes and variables name."""
    for volume in pod.spec.volumes or ():
        for one in VOLUMES:
            if getattr(volume, one.field) is not None:
                yield from one.references(volume)
    for container in every_container(pod):
        yield from references(container)


class PodVolumes:
    def __init__(self, token: TokenSource, clock: Clock) -> None:
        self._token = token
        self._clock = clock

    async def set_up(self, pod: Pod, files: PodFiles, objects: Objects, facts: PodFacts) -> MountedVolumes:
        """Make every volume, or bring it up to date. Raises VolumeError naming the first that cannot be had."""

        async def token(audience: str, seconds: int) -> Token:
            return await self._token(pod, audience, seconds)

        async def one(volume: Volume) -> Mounted:
            kind = volume_type(volume)
            path = files.volumes / kind.plugin / volume.name
            context = VolumeContext(pod, path, objects, facts, token, self._clock.now())
            try:
                return await kind.set_up(volume, context)
            except (VolumeError, OSError) as error:
                raise VolumeError(f'MountVolume.SetUp failed for volume "{volume.name}" : {error}') from error

        volumes = pod.spec.volumes or []
        mounted = await asyncio.gather(*(one(volume) for volume in volumes), return_exceptions=True)
        for result in mounted:
            if isinstance(result, BaseException):
                raise result
        found = {volume.name: result for volume, result in zip(volumes, mounted, strict=True) if isinstance(result, Mounted)}
        times = [result.refresh_at for result in found.values() if result.refresh_at is not None]
        return MountedVolumes({name: result.path for name, result in found.items()}, min(times, default=None))

    async def tear_down(self, files: PodFiles) -> None:
        await asyncio.to_thread(mounts.remove, files.subpaths)
        for kind in VOLUMES:
            directory = files.volumes / kind.plugin
            for path in sorted(directory.iterdir()) if directory.is_dir() else ():
                await kind.tear_down(path)


def container_mounts(
    pod: Pod, container: Container, volumes: Mapping[str, Path], files: PodFiles, expand: Callable[[str], str]
) -> tuple[Mount, ...]:
    """The container's volume mounts, subpaths prepared. Raises VolumeError."""
    mounts: list[Mount] = []
    fixed = {one.name for one in pod.spec.volumes or () if volume_type(one).read_only}
    for index, wanted in enumerate(container.volumeMounts or ()):
        source = volumes.get(wanted.name)
        if source is None:
            raise VolumeError(f"failed to resolve symlink: volume {wanted.name} is not mounted")
        part = expand(wanted.subPathExpr) if wanted.subPathExpr else wanted.subPath
        if part:
            subpath.check(part)
            source = _part(source, part, files.subpaths / wanted.name / container.name / str(index), wanted.name, container.name)
        propagation = PROPAGATION.get(wanted.mountPropagation or "", "")
        mounts.append(Mount(str(source), wanted.mountPath, bool(wanted.readOnly) or wanted.name in fixed, propagation))
    return tuple(mounts)


def _part(source: Path, part: str, target: Path, volume: str, container: str) -> Path:
    """What is told is upstream's; why, the log says."""
    try:
        return subpath.mount(source, part, target)
    except VolumeError as error:
        log.warning("subPath refused", volume=volume, container=container, subpath=part, reason=error)
        raise VolumeError(f'failed to prepare subPath for volumeMount "{volume}" of container "{container}"') from error
