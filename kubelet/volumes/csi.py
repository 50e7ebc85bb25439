"""CSI volumes: storage that a driver on the node mounts, asked over its socket; a claim's, or written into the pod (ephemeral).

A volume of a claim is attached first, where its driver wants that (a VolumeAttachment says so), staged on the node, where the
driver can, and published for each pod. `vol_data.json` beside it remembers for whom, so that what was left by an earlier kubelet
is given back; the last pod's leaving unstages. https://kubernetes-csi.github.io/docs/ · upstream pkg/volume/csi
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kube.api.types import CSIDriver, Pod, Volume
from kubelet.csi import messages
from kubelet.csi.attachment import NodeObjects
from kubelet.csi.plugins import Driver, Plugins
from kubelet.csi.socket import DriverError
from kubelet.environment import Reference
from kubelet.volumes import mounts, ownership
from kubelet.volumes.volume import Mounted, VolumeContext, VolumeError, change_policy, fs_group

RECORD = "vol_data.json"
POD_INFO = "csi.storage.k8s.io/"


class CSIVolume:
    field = "csi"
    plugin = "kubernetes.io~csi"
    read_only = False

    def __init__(self, plugins: Plugins | None = None) -> None:
        self._plugins = plugins
        self._busy: dict[str, asyncio.Lock] = {}  # by volume: stages and unstages of one follow one another

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: Any, context: VolumeContext) -> Mounted:
        target = context.path / "mount"
        if await asyncio.to_thread(mounts.is_mounted, target):
            return Mounted(target)
        driver, objects = self._driver(source.driver), NodeObjects(self._plugins)
        handle = source.volumeHandle if context.persistent is not None else inline_handle(context.pod, context.path.name)
        if context.persistent is not None and context.persistent.spec.volumeMode == "Block":
            raise VolumeError("this kubelet gives no block devices of CSI drivers")
        async with self._busy.setdefault(handle, asyncio.Lock()):
            try:
                await self._publish(driver, source, handle, context, objects)
            except DriverError as error:
                raise VolumeError(str(error)) from error
        return Mounted(target)

    def _driver(self, name: str) -> Driver:
        driver = self._plugins.drivers.get(name) if self._plugins is not None else None
        if driver is None:
            raise VolumeError(f"driver name {name} not found in the list of registered CSI drivers")
        return driver

    async def _publish(self, driver: Driver, source: Any, handle: str, context: VolumeContext, objects: NodeObjects) -> None:
        told = await objects.driver(driver.name)
        target, persistent = context.path / "mount", context.persistent
        request: dict[str, Any] = {
            "volume_id": handle,
            "volume_capability": capability(source, context, driver),
            "publish_context": await objects.publish_context(driver.name, handle, told) if persistent is not None else {},
        }
        staged = persistent is not None and messages.STAGE_UNSTAGE in driver.capabilities
        await asyncio.to_thread(_remember, context.path, {"driverName": driver.name, "volumeHandle": handle, "staged": staged})
        if staged:
            request["staging_target_path"] = str(self._staging(driver.name, handle))
            await asyncio.to_thread(Path(request["staging_target_path"]).mkdir, parents=True, exist_ok=True)
            secrets = await objects.secret(source.nodeStageSecretRef, context.pod)
            attributes = source.volumeAttributes or {}
            await driver.call(messages.NODE_STAGE, **request, secrets=secrets, volume_context=attributes)
        await driver.call(
            messages.NODE_PUBLISH,
            **request,
            target_path=str(target),
            readonly=bool(source.readOnly),
            secrets=await objects.secret(source.nodePublishSecretRef, context.pod),
            volume_context={**(source.volumeAttributes or {}), **pod_info(told, context.pod, inline=persistent is None)},
        )
        group = fs_group(context.pod)
        if group is not None and wants_group(told, source, context) and messages.VOLUME_MOUNT_GROUP not in driver.capabilities:
            await asyncio.to_thread(ownership.give, target, group, policy=change_policy(context.pod))

    async def tear_down(self, path: Path) -> None:
        record = await asyncio.to_thread(_recall, path)
        if record is not None:
            driver, handle = self._driver(record["driverName"]), record["volumeHandle"]
            async with self._busy.setdefault(handle, asyncio.Lock()):
                try:
                    await driver.call(messages.NODE_UNPUBLISH, volume_id=handle, target_path=str(path / "mount"))
                    await asyncio.to_thread(_forget, path)
                    if record["staged"] and not await asyncio.to_thread(used_by_others, path, record):
                        staging = self._staging(driver.name, handle)
                        await driver.call(messages.NODE_UNSTAGE, volume_id=handle, staging_target_path=str(staging))
                        await asyncio.to_thread(mounts.release, staging)
                except DriverError as error:
                    raise VolumeError(str(error)) from error
        await asyncio.to_thread(mounts.release, path)

    def _staging(self, driver: str, handle: str) -> Path:
        assert self._plugins is not None, "there are no drivers without plugins"
        digest = hashlib.sha256(handle.encode()).hexdigest()
        return self._plugins.root / "plugins" / "kubernetes.io" / "csi" / driver / digest / "globalmount"


def capability(source: Any, context: VolumeContext, driver: Driver) -> dict[str, Any]:
    """What the volume is used as. Pure."""
    mount: dict[str, Any] = {"fs_type": source.fsType or ""}
    group = fs_group(context.pod)
    if group is not None and messages.VOLUME_MOUNT_GROUP in driver.capabilities:
        mount["volume_mount_group"] = str(group)
    mode = messages.SINGLE_NODE_WRITER
    if context.persistent is not None:
        spec = context.persistent.spec
        mount["mount_flags"] = spec.mountOptions or []
        mode = max((messages.ACCESS_MODES.get(one, mode) for one in spec.accessModes or ()), default=mode)
    return {"mount": mount, "access_mode": {"mode": mode}}


def pod_info(told: CSIDriver | None, pod: Pod, *, inline: bool) -> Mapping[str, str]:
    """What a driver that asks for it (podInfoOnMount) learns of the pod. Pure."""
    if told is None or not told.spec.podInfoOnMount:
        return {}
    words = {
        "pod.name": pod.metadata.name,
        "pod.namespace": pod.metadata.namespace,
        "pod.uid": pod.metadata.uid,
        "serviceAccount.name": pod.spec.serviceAccountName or "",
        "ephemeral": "true" if inline else "false",
    }
    return {POD_INFO + name: value or "" for name, value in words.items()}


def wants_group(told: CSIDriver | None, source: Any, context: VolumeContext) -> bool:
    """Whether the files are given to the pod's group, by the driver's fsGroupPolicy. Pure."""
    policy = (told.spec.fsGroupPolicy if told is not None else None) or "ReadWriteOnceWithFSType"
    if policy != "ReadWriteOnceWithFSType":
        return bool(policy == "File")
    modes = context.persistent.spec.accessModes if context.persistent is not None else None
    return bool(source.fsType) and modes == ["ReadWriteOnce"]


def inline_handle(pod: Pod, name: str) -> str:
    """The id of a volume that has none but its place in the pod. Pure."""
    return f"csi-{hashlib.sha256(f'{pod.metadata.uid}{name}'.encode()).hexdigest()}"


def used_by_others(path: Path, record: Mapping[str, Any]) -> bool:
    """Whether another pod of the node has the volume published: `<root>/pods/<uid>/volumes/<plugin>/<name>`."""
    pods = path.parents[3]
    others = (one.parent for one in pods.glob(f"*/volumes/{CSIVolume.plugin}/*/{RECORD}") if one.parent != path)
    return any(_recall(other) == record for other in others)


def _remember(path: Path, record: Mapping[str, Any]) -> None:
    path.mkdir(parents=True, exist_ok=True)
    (path / RECORD).write_text(json.dumps(record))


def _recall(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((path / RECORD).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found


def _forget(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        (path / "mount").rmdir()
    (path / RECORD).unlink(missing_ok=True)
