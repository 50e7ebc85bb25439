"""Plugins: the storage drivers of this node. A driver's registrar puts a socket into `plugins_registry`; the kubelet asks it who it
is, tells the API server by the CSINode, and tells the registrar how that went. A socket that goes takes its driver along.

https://kubernetes.io/docs/reference/node/kubelet-files/#device-plugins · upstream pkg/kubelet/pluginmanager, pkg/volume/csi
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from kube.api.meta import Key, Tree
from kube.api.status import AlreadyExists, ApiError, Conflict
from kube.api.types import CSINode, Node
from kube.api.views import tree_of
from kube.client.rest import STRATEGIC, Client, Unreachable
from kube.component.logging import get_logger
from kubelet.csi import messages
from kubelet.csi.in_use import InUse
from kubelet.csi.socket import DriverError, call
from kubelet.devices.messages import GET_OPTIONS
from kubelet.devices.plugin import DevicePlugin
from kubelet.inotify import ENTRIES, Changes

log = get_logger("kubelet.csi")

REGISTRY = "plugins_registry"
PLACES = (REGISTRY, "plugins", "pods")  # drivers' own pods mount these, and say that they are there
KIND, DEVICES = "CSIPlugin", "DevicePlugin"
RETRY_SECONDS = 10.0


class Driver(NamedTuple):
    """A storage driver that is registered on this node."""

    name: str
    socket: str  # of its node service
    node_id: str
    topology: Mapping[str, str]
    limit: int  # of volumes; 0: none told
    capabilities: frozenset[int]

    async def call(self, what: messages.Call, **values: Any) -> dict[str, Any]:
        """Raises DriverError."""
        return await call(self.socket, what, values)


class Plugins:
    def __init__(self, root: Path, node_name: str, client: Client | None) -> None:
        self.root = root
        self.node_name = node_name
        self.client = client
        self.drivers: dict[str, Driver] = {}
        self.in_use = InUse(root, node_name, client)
        self.add_devices: Callable[[DevicePlugin], str] = _not_served
        self._names: dict[Path, str] = {}  # of the driver that a socket brought
        self._known: dict[Path, int] = {}  # the sockets that were understood, by when they were made

    async def run(self) -> None:
        """Follow the directory until cancelled."""
        directory = self.root / REGISTRY
        for name in PLACES:
            await asyncio.to_thread((self.root / name).mkdir, parents=True, exist_ok=True)
        async with Changes() as changes:
            while True:
                directory.mkdir(exist_ok=True)  # someone may remove it, and its watch with it
                changes.watch(directory, ENTRIES)
                settled = await self._look(directory)
                try:
                    async with asyncio.timeout(None if settled else RETRY_SECONDS):
                        await changes.next()
                except TimeoutError:
                    continue

    async def _look(self, directory: Path) -> bool:
        """Returns whether every socket that is there was understood."""
        there = await asyncio.to_thread(_sockets, directory)
        for path in self._known.keys() - there.keys():
            await self._remove(path)
        fresh = sorted(path for path, made in there.items() if self._known.get(path) != made)
        for path in fresh:
            if await self._add(path):
                self._known[path] = there[path]
        return all(path in self._known for path in fresh)

    async def _add(self, path: Path) -> bool:
        try:
            told = await call(str(path), messages.GET_INFO, {})
        except (DriverError, ValueError) as error:
            log.warning("plugin does not answer", socket=path, reason=error)
            return False
        if told.get("type") == DEVICES:
            return await self._add_devices(path, told)
        if told.get("type") != KIND:
            return True  # of a kind that is not known here
        try:
            driver = await _asked(told["name"], told.get("endpoint") or str(path))
            self.drivers[driver.name] = driver
            await self._tell_api(driver.name)
        except (DriverError, ValueError, KeyError, ApiError, Unreachable) as error:
            log.warning("plugin registration failed", socket=path, reason=error)
            await self._notify(path, {"plugin_registered": False, "error": str(error)})
            return False
        self._names[path] = driver.name
        log.info("CSI driver registered", driver=driver.name, node_id=driver.node_id)
        await self._notify(path, {"plugin_registered": True})
        return True

    async def _add_devices(self, path: Path, told: Tree) -> bool:
        """A device plugin that is found here, instead of registering itself."""
        socket = told.get("endpoint") or str(path)
        try:
            options = await call(socket, GET_OPTIONS, {})
        except (DriverError, ValueError) as error:
            log.warning("device plugin does not answer", socket=path, reason=error)
            return False
        refusal = self.add_devices(DevicePlugin(told.get("name", ""), socket, options))
        await self._notify(path, {"plugin_registered": not refusal, "error": refusal})
        return True

    async def _notify(self, path: Path, status: Tree) -> None:
        try:
            await call(str(path), messages.NOTIFY, status)
        except DriverError as error:
            log.warning("plugin was not told", socket=path, reason=error)

    async def _remove(self, path: Path) -> None:
        self._known.pop(path)
        name = self._names.pop(path, None)
        if name is None:
            return
        self.drivers.pop(name, None)
        log.info("CSI driver is gone", driver=name)
        try:
            await self._tell_api(name)
        except (ApiError, Unreachable) as error:
            log.warning("CSINode not updated", reason=error)

    async def _tell_api(self, name: str) -> None:
        """The CSINode lists the drivers; where drivers know topology, the node's labels show it. Only what is said of this driver
        changes: others of an earlier kubelet may be about to come back."""
        if self.client is None:
            return
        node = await self.client.get(Node, "", self.node_name)
        own = {name: _entry(self.drivers[name])} if name in self.drivers else {}
        owner = {"apiVersion": "v1", "kind": "Node", "name": self.node_name, "uid": node.metadata.uid}
        tree: Tree = {"metadata": {"name": self.node_name, "ownerReferences": [owner]}, "spec": {"drivers": list(own.values())}}
        try:
            await self.client.create(CSINode, tree)
        except AlreadyExists:
            known = await self.client.get(CSINode, "", self.node_name)
            before = {one["name"]: one for one in tree_of(known.spec).get("drivers") or ()}
            after = {other: entry for other, entry in before.items() if other != name} | own
            if after != before:
                tree["metadata"]["resourceVersion"] = known.metadata.resourceVersion
                tree["spec"]["drivers"] = [after[one] for one in sorted(after)]
                await self._replaced(tree)
        labels = {key: value for one in self.drivers.values() for key, value in one.topology.items()}
        if not labels.items() <= (node.metadata.labels or {}).items():
            await self.client.patch(Node, Key("", self.node_name), {"metadata": {"labels": labels}}, type=STRATEGIC)

    async def _replaced(self, tree: Tree) -> None:
        assert self.client is not None, "only what has a client is told"
        try:
            await self.client.update(CSINode, tree)
        except Conflict as error:
            raise DriverError(f"CSINode changed meanwhile: {error}") from error


def _not_served(plugin: DevicePlugin) -> str:
    return f"this kubelet does not serve {plugin.resource}"


def _sockets(directory: Path) -> dict[Path, int]:
    """And when each was made: a registrar that was started anew makes its own at the same place."""
    found = {}
    for path in directory.glob("*"):  # none, where the directory is being removed
        with suppress(FileNotFoundError):
            if path.is_socket():
                found[path] = path.stat().st_ctime_ns
    return found


async def _asked(name: str, socket: str) -> Driver:
    info = await call(socket, messages.NODE_GET_INFO, {})
    told = await call(socket, messages.NODE_GET_CAPABILITIES, {})
    kinds = frozenset(one.get("rpc", {}).get("type", 0) for one in told.get("capabilities", ()))
    segments = info.get("accessible_topology", {}).get("segments", {})
    return Driver(name, socket, info.get("node_id", ""), segments, info.get("max_volumes_per_node", 0), kinds)


def _entry(driver: Driver) -> Tree:
    entry: Tree = {"name": driver.name, "nodeID": driver.node_id}
    if driver.topology:
        entry["topologyKeys"] = sorted(driver.topology)
    if driver.limit > 0:
        entry["allocatable"] = {"count": driver.limit}
    return entry
