"""CSI volumes: storage that a driver on the node mounts, asked over its socket; a claim's, or written into the pod (ephemeral).

A volume of a claim is attached first, where its driver wants that, staged on the node, where the driver can, and published for
each pod. A record beside it (`csi/record.py`) remembers for whom, so that what was left by an earlier kubelet is given back; the
last pod's leaving unstages, and only then is the volume no longer in use here. While a pod runs, a driver that wants it
(requiresRepublish) publishes again every minute, with fresh tokens; and a volume that has grown has its file system grown.
https://kubernetes-csi.github.io/docs/ · upstream pkg/volume/csi
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from kube.api.types import CSIDriver, Volume
from kubelet.csi import messages
from kubelet.csi.attachment import NodeObjects, NotAttachedYet
from kubelet.csi.plugins import Driver, Plugins
from kubelet.csi.record import PLUGIN, Record, forget, recall, remember, used_by_others
from kubelet.csi.socket import DriverError
from kubelet.disk_usage import FileSystem, Taken, VolumeUsage
from kubelet.environment import Reference
from kubelet.volumes import csi_request as request
from kubelet.volumes import mounts, ownership
from kubelet.volumes.pod_tokens import PodTokens
from kubelet.volumes.volume import Mounted, NotAttached, VolumeContext, VolumeError, change_policy, fs_group

AGAIN = timedelta(minutes=1)  # upstream looks at a running pod as often


@dataclass(frozen=True)
class _Use:
    """One pod's use of a volume."""

    driver: Driver
    told: CSIDriver | None
    source: Any
    context: VolumeContext
    record: Record
    target: Path
    staging: Path

    @property
    def words(self) -> dict[str, Any]:
        """What several calls have in common."""
        staged = {"staging_target_path": str(self.staging)} if self.record.staged else {}
        capability = request.capability(self.source, self.context, self.driver)
        return {"volume_id": self.record.handle, "volume_capability": capability, **staged}

    @property
    def grows(self) -> bool:
        return self.context.growth is not None and messages.EXPAND_VOLUME in self.driver.capabilities


class CSIVolume:
    field = "csi"
    plugin = PLUGIN
    read_only = False

    def __init__(self, plugins: Plugins | None = None) -> None:
        self._given = plugins
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(
            asyncio.Lock
        )  # by volume: its stages and unstages follow one another
        self._tokens = PodTokens()

    @property
    def _plugins(self) -> Plugins:
        assert self._given is not None, "there are no drivers without plugins"
        return self._given

    def references(self, volume: Volume) -> Iterator[Reference]:
        return iter(())

    async def set_up(self, source: Any, context: VolumeContext) -> Mounted:
        inline, device = context.persistent is None, request.is_device(context.persistent)
        handle = request.inline_handle(context.pod, context.path.name) if inline else source.volumeHandle
        async with self._busy[handle]:
            record = Record(source.driver, handle, context.path.name, device=device)
            target = request.target(self._plugins.root, context.path, record)
            there = await asyncio.to_thread(_is_there, context.path, target, device)
            if there and source.driver not in self._plugins.drivers:
                return Mounted(target, context.now + AGAIN, device)  # the driver is being replaced: its volumes stay
            try:
                return await self._set_up(self._driver(source.driver), source, context, record, there)
            except NotAttachedYet as error:
                raise NotAttached(str(error)) from error
            except DriverError as error:
                raise VolumeError(str(error)) from error

    def _driver(self, name: str) -> Driver:
        driver = self._plugins.drivers.get(name)
        if driver is None:
            raise VolumeError(f"kubernetes.io/csi: driver name {name} not found in the list of registered CSI drivers")
        return driver

    async def _set_up(self, driver: Driver, source: Any, context: VolumeContext, record: Record, there: bool) -> Mounted:
        objects, inline = NodeObjects(self._plugins), context.persistent is None
        try:
            told = await objects.driver(driver.name)
        except DriverError:
            if not there:
                raise
            return Mounted(request.target(self._plugins.root, context.path, record), context.now + AGAIN, record.device)
        refused = request.refusal(told, driver.name, inline=inline)
        if refused:
            raise VolumeError(f"kubernetes.io/csi: {refused}")
        attachment = "" if inline or not request.wants_attaching(told) else objects.attachment(driver.name, record.handle)
        staged = not inline and messages.STAGE_UNSTAGE in driver.capabilities
        record = Record(record.driver, record.handle, record.volume, attachment, staged, record.device)
        root = self._plugins.root
        target, staging = request.target(root, context.path, record), request.staging(root, record)
        use = _Use(driver, told, source, context, record, target, staging)
        again = told is not None and bool(told.spec.requiresRepublish)
        if not there:
            await self._first(use, objects)
        elif again:
            await self._publish(use, objects, await self._attached(use, objects))
        if use.grows:
            await self._grow(use, objects)
        return Mounted(target, context.now + AGAIN if again or use.grows else None, record.device)

    async def _first(self, use: _Use, objects: NodeObjects) -> None:
        """Attached, staged, published."""
        context = use.context
        await asyncio.to_thread(context.path.mkdir, parents=True, exist_ok=True)
        attached = await self._attached(use, objects)
        await asyncio.to_thread(remember, context.path, replace(use.record, ready=False))
        if use.record.staged:
            await asyncio.to_thread(use.staging.mkdir, parents=True, exist_ok=True)
            secrets = await objects.secret(use.source.nodeStageSecretRef, context.pod)
            attributes = use.source.volumeAttributes or {}
            words: dict[str, Any] = {"publish_context": attached, "secrets": secrets, "volume_context": attributes}
            await use.driver.call(messages.NODE_STAGE, **use.words, **words)
        await asyncio.to_thread(use.target.parent.mkdir, parents=True, exist_ok=True)
        await self._publish(use, objects, attached)
        group, manages = fs_group(context.pod), messages.VOLUME_MOUNT_GROUP in use.driver.capabilities
        if group is not None and not manages and not use.record.device and request.wants_group(use.told, use.source, context):
            await asyncio.to_thread(ownership.give, use.target, group, policy=change_policy(context.pod))
        await asyncio.to_thread(remember, context.path, use.record)

    async def _attached(self, use: _Use, objects: NodeObjects) -> Mapping[str, str]:
        """What attaching brought about. Raises NotAttachedYet."""
        if not use.record.attachment:
            return {}
        return await objects.publish_context(use.driver.name, use.record.handle, use.context.path)

    async def _publish(self, use: _Use, objects: NodeObjects, attached: Mapping[str, str]) -> None:
        context, told = use.context, use.told
        words, in_secrets = request.tokens_told(told, await self._fresh_tokens(use))
        attributes = use.source.volumeAttributes or {}
        info = request.pod_info(told, context.pod, inline=context.persistent is None)
        await use.driver.call(
            messages.NODE_PUBLISH,
            **use.words,
            publish_context=attached,
            target_path=str(use.target),
            readonly=bool(use.source.readOnly) or context.read_only,
            secrets={**await objects.secret(use.source.nodePublishSecretRef, context.pod), **in_secrets},
            volume_context={**attributes, **info, **words},
        )

    async def _fresh_tokens(self, use: _Use) -> list[tuple[str, Any]]:
        """By audience."""
        found = []
        for one in (use.told.spec.tokenRequests if use.told is not None else None) or ():
            kept = await self._tokens.get(use.context.path, one.audience or "", one.expirationSeconds, use.context)
            found.append((one.audience or "", kept.token))
        return found

    async def _grow(self, use: _Use, objects: NodeObjects) -> None:
        """What cannot grow now is told, and is tried again; the pod has what it had."""
        growth = use.context.growth
        wanted = await growth.wanted() if growth is not None else 0
        if growth is None or not wanted:
            return
        try:
            secrets = await objects.secret(getattr(use.source, "nodeExpandSecretRef", None), use.context.pod)
            words: dict[str, Any] = {"volume_path": str(use.target), "capacity_range": {"required_bytes": wanted}}
            await use.driver.call(messages.NODE_EXPAND, **use.words, **words, secrets=secrets)
        except DriverError as error:
            growth.failed(str(error))
            return
        await growth.done()

    async def tear_down(self, path: Path) -> None:
        record = await asyncio.to_thread(recall, path)
        if record is not None:
            driver = self._driver(record.driver)
            async with self._busy[record.handle]:
                try:
                    await self._give_back(driver, path, record)
                except DriverError as error:
                    raise VolumeError(str(error)) from error
        self._tokens.forget(path)
        await asyncio.to_thread(mounts.release, path)
        await self._plugins.in_use.end(path)

    async def _give_back(self, driver: Driver, path: Path, record: Record) -> None:
        root = self._plugins.root
        target, staging = request.target(root, path, record), request.staging(root, record)
        await driver.call(messages.NODE_UNPUBLISH, volume_id=record.handle, target_path=str(target))
        await asyncio.to_thread(_removed, target)
        if record.device:
            await asyncio.to_thread(_removed_if_empty, target.parent)
        if record.staged and not await asyncio.to_thread(used_by_others, root, path, record):
            await driver.call(messages.NODE_UNSTAGE, volume_id=record.handle, staging_target_path=str(staging))
            await asyncio.to_thread(mounts.release, staging)
            await asyncio.to_thread(_removed_if_empty, staging.parent)
        await asyncio.to_thread(forget, path)

    async def usage(self, path: Path) -> VolumeUsage | None:
        """As the driver tells it, if it does."""
        record = await asyncio.to_thread(recall, path)
        driver = self._plugins.drivers.get(record.driver) if record is not None else None
        if record is None or driver is None or record.device or messages.GET_VOLUME_STATS not in driver.capabilities:
            return None
        words = {"volume_id": record.handle, "volume_path": str(request.target(self._plugins.root, path, record))}
        if record.staged:
            words["staging_target_path"] = str(request.staging(self._plugins.root, record))
        try:
            answer = await driver.call(messages.NODE_GET_VOLUME_STATS, **words)
        except DriverError:
            return None
        return usage_told(answer)


def usage_told(answer: Mapping[str, Any]) -> VolumeUsage:
    """Pure."""
    by_unit = {one.get("unit", 0): one for one in answer.get("usage", ())}
    size, inodes = by_unit.get(messages.BYTES, {}), by_unit.get(messages.INODES, {})
    disk = FileSystem(size.get("available", 0), size.get("total", 0), inodes.get("available", 0), inodes.get("total", 0))
    return VolumeUsage(disk, Taken(size.get("used", 0), inodes.get("used", 0)))


def _is_there(place: Path, target: Path, device: bool) -> bool:
    """Published, with all that belongs to it."""
    record = recall(place)
    return record is not None and record.ready and (mounts.is_mounted(target) or (device and target.is_block_device()))


def _removed(target: Path) -> None:
    """What the driver should have removed: never what is in it."""
    mounts.unmount_below(target)
    with suppress(FileNotFoundError):
        if target.is_dir():
            target.rmdir()
        else:
            target.unlink()


def _removed_if_empty(directory: Path) -> None:
    """What a volume had for itself."""
    with suppress(OSError):
        directory.rmdir()
