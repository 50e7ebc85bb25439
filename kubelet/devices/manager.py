"""Device manager: what device plugins offer, which pods have it, and what their containers need for it.

- A plugin registers at `device-plugins/kubelet.sock`, or is found in `plugins_registry`; the kubelet then follows its list of
  devices. All of them are the node's capacity, the healthy ones are allocatable.
- A plugin whose stream ends keeps its devices as unhealthy ones for five minutes, to come back; then its capacity is 0. A kubelet
  that starts again removes the sockets of before, which tells plugins to register anew.
- A pod's devices are set aside when it is admitted, and asked for (`Allocate`) before its sandbox is made. What the plugin
  answered holds for every start of the container; the devices are free again when nothing of the pod runs.
https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/ · upstream pkg/kubelet/cm/devicemanager
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from kube.api.core.resource_names import is_extended
from kube.api.types import Container, Pod
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.admission import Refusal
from kubelet.container_error import ConfigError
from kubelet.csi.protobuf import decode
from kubelet.csi.socket import DriverError
from kubelet.devices import messages, record
from kubelet.devices.choice import Lacking, Slot, chosen
from kubelet.devices.grant import Granted, granted
from kubelet.devices.plugin import DevicePlugin
from kubelet.devices.record import Grant, Holding
from kubelet.devices.registration import INNER, SOCKET, Registration
from kubelet.node_status import Devices

log = get_logger("kubelet.devices")

DIRECTORY = "device-plugins"
OWN_FILES = (SOCKET, INNER, record.FILE)  # plugins have theirs beside them
GRACE_SECONDS = 300.0  # in which a plugin may come back
REASON = "UnexpectedAdmissionError"


class NotAllocated(Exception):
    """A plugin did not give what was set aside: the pod cannot run here."""


class DeviceManager:
    def __init__(self, root: Path, clock: Clock) -> None:
        self.on_change: Callable[[], None] = _nobody  # the node's capacity may be another
        self._directory = root / DIRECTORY
        self._clock = clock
        self._grants, resources = record.load(self._directory)
        self._plugins: dict[str, DevicePlugin | None] = dict.fromkeys(resources)  # by resource; None: of an earlier run
        self._following: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            await asyncio.to_thread(_made_empty, self._directory)
            tasks.create_task(Registration(self._directory, self._registered).run(), name="registration of device plugins")

    # --- plugins -----------------------------------------------------------------------------------------------------

    def _registered(self, told: dict[str, object]) -> str:
        version, resource = told.get("version", ""), str(told.get("resource_name", ""))
        if version != messages.VERSION:
            return f'requested API version "{version}" is not supported by kubelet. Supported version is "{messages.VERSION}"'
        options = told.get("options")
        socket = str(self._directory / Path(str(told.get("endpoint", ""))).name)
        return self.add(DevicePlugin(resource, socket, options if isinstance(options, dict) else {}))

    def add(self, plugin: DevicePlugin) -> str:
        """Follow a plugin, in place of the one that had its resource; returns why not, or nothing."""
        if not is_extended(plugin.resource):
            return f'the ResourceName "{plugin.resource}" is invalid'
        assert self._tasks is not None, "run is running before plugins come"
        if plugin.resource in self._following:
            self._following[plugin.resource].cancel()
        self._plugins[plugin.resource] = plugin
        self._following[plugin.resource] = self._tasks.create_task(self._follow(plugin), name=f"devices {plugin.resource}")
        log.info("device plugin registered", resource=plugin.resource)
        self._save()
        return ""

    async def _follow(self, plugin: DevicePlugin) -> None:
        try:
            await plugin.follow(self.on_change)
        except (DriverError, ValueError) as error:
            log.warning("device plugin is gone", resource=plugin.resource, reason=error)
        plugin.devices = dict.fromkeys(plugin.devices, False)
        plugin.ended_at = self._clock.monotonic()
        self.on_change()

    def node_devices(self) -> Devices:
        there, usable = {}, {}
        for resource, plugin in self._plugins.items():
            expired = plugin is None or (plugin.ended_at is not None and self._clock.monotonic() - plugin.ended_at >= GRACE_SECONDS)
            there[resource] = len(plugin.devices) if plugin is not None and not expired else 0
            usable[resource] = sum(plugin.devices.values()) if plugin is not None else 0
        return Devices(there, usable)

    # --- pods --------------------------------------------------------------------------------------------------------

    def claim(self, pod: Pod) -> Refusal | None:
        """Set aside what a pod asks for; or say why it cannot be had. A pod that has run here before goes on with what it has."""
        held = [Slot(one.container, one.resource) for one in self._grants if one.uid == pod.metadata.uid]
        try:
            found = chosen(pod, self._free(), held)
        except Lacking as error:
            if pod.status.startTime is not None:
                return None
            return Refusal(REASON, _unexpected(str(error)))
        for slot, devices in found.items():
            self._grants[Holding(pod.metadata.uid, *slot)] = Grant(devices)
        if found:
            self._save()
        return None

    async def allocate(self, pod: Pod) -> None:
        """Have the plugins make ready what was set aside. Raises NotAllocated."""
        for holding in [one for one, grant in self._grants.items() if one.uid == pod.metadata.uid and grant.answer is None]:
            plugin = self._plugins.get(holding.resource)
            if plugin is None:
                raise NotAllocated(_unexpected(f"no device plugin serves {holding.resource}"))
            try:
                devices = await self._preferred(plugin, holding)
                answer = await plugin.allocate(devices)
            except (DriverError, ValueError) as error:
                raise NotAllocated(_unexpected(str(error))) from error
            self._grants[holding] = Grant(devices, answer)
            self._save()

    async def _preferred(self, plugin: DevicePlugin, holding: Holding) -> tuple[str, ...]:
        """What the plugin would rather give than what was set aside, as far as it is still free; containers of one pod that share
        devices share those that were set aside.
        """
        mine = self._grants[holding].devices
        if any(one.uid == holding.uid and one != holding and set(mine) & set(grant.devices) for one, grant in self._grants.items()):
            return mine
        asked = await plugin.preferred(sorted({*self._free()[holding.resource], *mine}), len(mine))
        free = {*self._free()[holding.resource], *mine}
        return asked if len(set(asked)) == len(mine) and set(asked) <= free else mine

    async def granted(self, pod: Pod, container: Container) -> Granted:
        """What a container is started with. Raises ConfigError."""
        found = []
        for holding, grant in list(self._grants.items()):
            if (holding.uid, holding.container) != (pod.metadata.uid, container.name) or grant.answer is None:
                continue
            plugin = self._plugins.get(holding.resource)
            try:
                if plugin is not None:
                    await plugin.before_start(grant.devices)
            except (DriverError, ValueError) as error:
                raise ConfigError(f"PreStartContainer failed for {holding.resource}: {error}") from error
            found.append(decode(messages.GRANT, grant.answer))
        return granted(found)

    def release(self, uid: str) -> None:
        """Nothing of the pod runs any more."""
        mine = [one for one in self._grants if one.uid == uid]
        for one in mine:
            del self._grants[one]
        if mine:
            self._save()

    def keep_only(self, uids: set[str]) -> None:
        """Pods that ended while no kubelet ran hold nothing."""
        for uid in {one.uid for one in self._grants} - uids:
            self.release(uid)

    def _free(self) -> dict[str, list[str]]:
        taken: dict[str, set[str]] = {}
        for holding, grant in self._grants.items():
            taken.setdefault(holding.resource, set()).update(grant.devices)
        return {
            resource: [one for one, well in sorted(plugin.devices.items()) if well and one not in taken.get(resource, ())]
            if plugin is not None
            else []
            for resource, plugin in self._plugins.items()
        }

    def _save(self) -> None:
        """At once, as what is lost would be given twice; it is small."""
        record.save(self._directory, record.written(self._grants, self._plugins))


def _unexpected(why: str) -> str:
    return f"Allocate failed due to {why}, which is unexpected"


def _made_empty(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        if path.is_socket():
            path.unlink()


def _nobody() -> None:
    """Nobody is told."""
