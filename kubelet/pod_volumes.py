"""Pod volumes: sets up all of a pod's volumes, keeps them fresh, and tears them down.

What to tear down is read from the disk, so that a pod which ended while no kubelet ran is cleaned up too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from kube.api.meta import Tree
from kube.api.types import Container, PersistentVolume, PersistentVolumeSpec, Pod, Volume
from kube.api.views import view
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.claims import Claims, names_claim
from kubelet.downward import PodFacts
from kubelet.environment import Objects, Reference, references
from kubelet.images import Images
from kubelet.pod_files import PodFiles
from kubelet.pod_state import every_container
from kubelet.runtime.runtime import Device, Image, Mount, RuntimeFailure
from kubelet.volume_wait import VolumesFailed
from kubelet.volumes import VOLUMES, mounts, subpath
from kubelet.volumes.volume import Mounted, NotAttached, Token, VolumeContext, VolumeError, VolumeType

log = get_logger("kubelet.volumes")

PROPAGATION = {"HostToContainer": "rslave", "Bidirectional": "rshared"}

TokenSource = Callable[[Pod, str, int], Awaitable[Token]]


class MountedVolumes(NamedTuple):
    paths: Mapping[str, Path]  # by the volume's name
    refresh_at: datetime | None
    devices: frozenset[str] = frozenset()  # names of those that are block devices, not file systems


NOTHING_MOUNTED = MountedVolumes({}, None)


def volume_type(holder: Volume | PersistentVolumeSpec, name: str, types: Sequence[VolumeType] = VOLUMES) -> VolumeType:
    """Raises VolumeError for a volume of a type that is not in VOLUMES."""
    for one in types:
        if getattr(holder, one.field, None) is not None:
            return one
    raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : no volume plugin matched')


def pod_references(pod: Pod) -> Iterator[Reference]:
    """Every config map and secret that the pod's volumes and variables name."""
    for volume in pod.spec.volumes or ():
        for one in VOLUMES:
            if getattr(volume, one.field, None) is not None:
                yield from one.references(volume)
    for container in every_container(pod):
        yield from references(container)


class PodVolumes:
    def __init__(
        self, token: TokenSource, claims: Claims, images: Images, clock: Clock, types: Sequence[VolumeType] = VOLUMES
    ) -> None:
        self._types = types
        self._token = token
        self._claims = claims
        self._images = images
        self._clock = clock

    async def set_up(self, pod: Pod, files: PodFiles, objects: Objects, facts: PodFacts) -> MountedVolumes:
        """Make every volume, or bring it up to date. Raises VolumesFailed naming those that cannot be had."""

        async def token(audience: str, seconds: int) -> Token:
            return await self._token(pod, audience, seconds)

        async def image(name: str, reference: str, policy: str) -> Image:
            wanted: Tree = {"name": name, "image": reference, "imagePullPolicy": policy or None}
            return await self._images.ensure(pod, view(Container, wanted))

        async def one(volume: Volume) -> Mounted:
            persistent = await self._claims.volume_of(pod, volume) if names_claim(volume) else None
            holder = volume if persistent is None else persistent.spec
            name = volume.name if persistent is None else persistent.metadata.name
            kind = volume_type(holder, name, self._types)
            _check_mode(pod, volume, persistent)
            path = files.volumes / kind.plugin / name
            pulled = partial(image, volume.name)
            growth = self._claims.growth(pod, volume, persistent) if persistent is not None else None
            now, fixed = self._clock.now(), persistent is not None and _read_only(volume)
            context = VolumeContext(pod, path, objects, facts, token, pulled, now, persistent, growth, fixed)
            try:
                if persistent is not None and "ReadWriteOncePod" in (persistent.spec.accessModes or ()):
                    await asyncio.to_thread(_check_alone, path)
                return await kind.set_up(getattr(holder, kind.field), context)
            except NotAttached:
                raise
            except (VolumeError, OSError) as error:
                raise VolumeError(f'{_step(persistent)} failed for volume "{name}" : {error}') from error

        wanted = pod.spec.volumes or []
        results = await asyncio.gather(*(one(volume) for volume in wanted), return_exceptions=True)
        failures: dict[str, VolumeError] = {}
        mounted: dict[str, Mounted] = {}
        for volume, result in zip(wanted, results, strict=True):
            if isinstance(result, VolumeError):
                failures[volume.name] = result
            elif isinstance(result, BaseException):
                raise result
            else:
                mounted[volume.name] = result
        if failures:
            raise VolumesFailed(failures)
        times = [one.refresh_at for one in mounted.values() if one.refresh_at is not None]
        paths = {name: one.path for name, one in mounted.items()}
        devices = frozenset(name for name, one in mounted.items() if one.device)
        return MountedVolumes(paths, min(times, default=None), devices)

    async def tear_down(self, pod: Pod, files: PodFiles) -> None:
        """All that can be. Raises RuntimeFailure where something is left: the pod's end is tried again."""
        await asyncio.to_thread(mounts.remove, files.subpaths)
        failures = []
        for kind in self._types:
            directory = files.volumes / kind.plugin
            for path in sorted(directory.iterdir()) if directory.is_dir() else ():
                try:
                    await kind.tear_down(path)
                except (VolumeError, OSError) as error:
                    failures.append(f'UnmountVolume.TearDown failed for volume "{path.name}" : {error}')
        if failures:
            raise RuntimeFailure("; ".join(failures))
        self._claims.forget(pod.metadata.uid)


def _check_alone(path: Path) -> None:
    """No other pod has the volume: `<root>/pods/<uid>/volumes/<plugin>/<name>`. Raises VolumeError."""
    pods, own = path.parents[3], path.parents[2]
    if not path.exists() and any(one.parents[2] != own for one in pods.glob(f"*/volumes/{path.parent.name}/{path.name}")):
        raise VolumeError("volume uses the ReadWriteOncePod access mode and is already in use by another pod")


def _step(persistent: PersistentVolume | None) -> str:
    """What is tried, in upstream's words."""
    device = persistent is not None and persistent.spec.volumeMode == "Block"
    return "MapVolume.SetUpDevice" if device else "MountVolume.SetUp"


def _check_mode(pod: Pod, volume: Volume, persistent: PersistentVolume | None) -> None:
    """A device is not mounted, a file system is no device. Raises VolumeError."""
    mode = (persistent.spec.volumeMode if persistent is not None else None) or "Filesystem"
    field = "volumeMounts" if mode == "Block" else "volumeDevices"
    for container in every_container(pod):
        if any(one.name == volume.name for one in getattr(container, field) or ()):
            raise VolumeError(f"volume {volume.name} has volumeMode {mode}, but is specified in {field}")


def _read_only(volume: Volume) -> bool:
    """For every container."""
    if names_claim(volume):
        return bool(volume.persistentVolumeClaim is not None and volume.persistentVolumeClaim.readOnly)
    return volume_type(volume, volume.name).read_only


def container_devices(container: Container, volumes: MountedVolumes) -> tuple[Device, ...]:
    """The container's block devices. Raises VolumeError."""
    found = []
    for wanted in container.volumeDevices or ():
        if wanted.name not in volumes.devices:
            raise VolumeError(f"volume {wanted.name} is not a block device that is there")
        found.append(Device(str(volumes.paths[wanted.name]), wanted.devicePath))
    return tuple(found)


def container_mounts(
    pod: Pod, container: Container, volumes: MountedVolumes, files: PodFiles, expand: Callable[[str], str]
) -> tuple[Mount, ...]:
    """The container's volume mounts, subpaths prepared. Raises VolumeError."""
    mounts: list[Mount] = []
    fixed = {one.name for one in pod.spec.volumes or () if _read_only(one)}
    for index, wanted in enumerate(container.volumeMounts or ()):
        source = volumes.paths.get(wanted.name)
        if source is None:
            raise VolumeError(f"failed to resolve symlink: volume {wanted.name} is not mounted")
        if wanted.recursiveReadOnly == "Enabled":
            text = f'volume "{wanted.name}" requested recursive read-only mode, but it is not supported by the runtime'
            raise VolumeError(text)
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
    except (VolumeError, OSError) as error:
        log.warning("subPath refused", volume=volume, container=container, subpath=part, reason=error)
        raise VolumeError(f'failed to prepare subPath for volumeMount "{volume}" of container "{container}"') from error
