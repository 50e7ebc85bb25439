"""Node agent: keeps this node's Node object and Lease on the API server.

The lease is renewed every 10 s: it is the heartbeat. The status is looked at as often, and sent where it changed, or after 5
min. The node's pod range comes back from the API server, and starts the pod network; it is kept in a file, so that a kubelet
which starts while the API server is away can go on. https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
(KEP-589)
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from kube.api.meta import Key, Tree
from kube.api.status import AlreadyExists, ApiError, NotFound
from kube.api.types import Lease, Node
from kube.api.views import micro_timestamp
from kube.client.events import EventRecorder
from kube.client.informer import Informer
from kube.client.rest import STRATEGIC, Client, Unreachable
from kube.component.clock import Clock
from kube.component.logging import get_logger
from kubelet.csi.in_use import InUse
from kubelet.eviction import Pressure
from kubelet.node_info import Machine
from kubelet.node_status import (
    NETWORK_NOT_READY,
    NO_DEVICES,
    RUNTIME_DOWN,
    SHUTTING_DOWN,
    Devices,
    Identity,
    condition_events,
    labels,
    node_status,
    node_tree,
    overwritten,
    rebooted,
    with_devices,
    with_extended,
    with_heartbeat,
)
from kubelet.pod_network import Network
from kubelet.runtime.runtime import Image, Runtime, RuntimeFailure

log = get_logger("kubelet.node")

LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
BEAT_SECONDS = 10.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 7.0  # upstream's growing pause between tries to register
STATUS_AGE = timedelta(minutes=5)


class NodeAgent:
    def __init__(
        self,
        client: Client,
        identity: Identity,
        machine: Machine,
        runtime: Runtime,
        network: Network,
        clock: Clock,
        *,
        pressure: Callable[[], Pressure],
        in_use: InUse,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._client = client
        self._identity = identity
        self._machine = machine
        self._runtime = runtime
        self._network = network
        self._clock = clock
        self._pressure = pressure
        self._in_use = in_use
        self._beat_seconds = beat_seconds
        self.devices: Callable[[], Devices] = lambda: NO_DEVICES
        self.going_down: Callable[[], bool] = bool  # whether the machine is being shut down
        self.informer = Informer(client, Node, field_selector=f"metadata.name={identity.name}")
        self._look = asyncio.Event()
        self._sent: Tree = {}
        self._sent_at: datetime | None = None
        self._images: list[Image] = []
        self.informer.on_change(self._node_changed)

    def wake(self) -> None:
        """Something that the status tells may have changed."""
        self._look.set()

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        """A resource that somebody tells of is allocatable at once."""
        if old is not None and new is not None and old.status.capacity != new.status.capacity:
            self.wake()

    @property
    def node(self) -> Node | None:
        """The node's object, as the API server told it last."""
        return self.informer.cache.get(Key("", self._identity.name))

    async def register(self) -> None:
        """Until the API server has the node. An object that is there already gets our labels."""
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._register_once()
                log.info("node registered", node=self._identity.name)
                return
            except (ApiError, Unreachable) as error:
                log.warning("unable to register node with API server", node=self._identity.name, reason=error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RETRY_SECONDS)

    async def _register_once(self) -> None:
        try:
            await self._client.create(Node, node_tree(self._identity, self._machine))
        except AlreadyExists:
            patch = {"metadata": {"labels": labels(self._identity, self._machine)}}
            await self._client.patch(Node, Key("", self._identity.name), patch, type=STRATEGIC)

    async def run(self, events: EventRecorder) -> None:
        """Beat until cancelled."""
        about = {"kind": "Node", "name": self._identity.name, "uid": self._identity.name}
        events.event(about, "Normal", "Starting", "Starting kubelet.")
        await self.informer.synced.wait()  # what the node told last, before it tells anew
        while True:
            await self._tried(self._renew_lease())
            await self._tried(self._report(self._pressure(), events, about))
            await self._tried(self._in_use.settle(self.node))
            self._look.clear()
            try:
                async with asyncio.timeout(self._beat_seconds):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def _tried(self, work: Awaitable[None]) -> None:
        try:
            await work
        except NotFound:
            await self.register()
        except (ApiError, Unreachable, RuntimeFailure) as error:
            log.warning("node heartbeat failed", node=self._identity.name, reason=error)
            self._sent_at = None  # what was told meanwhile, by us or of us, is not known: tell all again

    async def _renew_lease(self) -> None:
        key = Key(LEASE_NAMESPACE, self._identity.name)
        spec = {
            "holderIdentity": self._identity.name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": micro_timestamp(self._clock.now()),
        }
        try:
            await self._client.patch(Lease, key, {"spec": spec})
        except NotFound:
            node = self.node
            metadata: Tree = {"name": key.name, "namespace": key.namespace}
            if node is not None:
                owner = {"apiVersion": "v1", "kind": "Node", "name": key.name, "uid": node.metadata.uid}
                metadata["ownerReferences"] = [owner]
            try:
                await self._client.create(Lease, {"metadata": metadata, "spec": spec})
            except NotFound:
                log.debug("the namespace of leases is not there yet", namespace=LEASE_NAMESPACE)

    async def _report(self, pressure: Pressure, events: EventRecorder, about: Tree) -> None:
        now = self._clock.now()
        aged = self._sent_at is None or now - self._sent_at >= STATUS_AGE
        not_ready = await self._why_not_ready()
        if aged and not not_ready:
            self._images = await self._runtime.images()
        node = self.node
        known = (node.status.conditions or []) if node is not None else []
        status = node_status(self._identity, self._machine, pressure, not_ready, self._images, known, now)
        status = with_extended(with_devices(status, self.devices()), node.status if node is not None else None)
        changed = _without_times(status) != _without_times(self._sent) or (node is not None and overwritten(status, node.status))
        if not aged and not changed:
            return
        if self._sent_at is None and node is not None and rebooted(node, self._machine):
            boot = self._machine.info["bootID"]
            events.event(about, "Warning", "Rebooted", f"Node {self._identity.name} has been rebooted, boot id: {boot}")
        old = {one["type"]: one["status"] for one in self._sent.get("conditions", ())} or {one.type: one.status for one in known}
        for reason, _ in condition_events(old, status["conditions"]):
            events.event(about, "Normal", reason, f"Node {self._identity.name} status is now: {reason}")
        patch = {"status": {**with_heartbeat(status, now), "addresses": [{"$patch": "replace"}, *status["addresses"]]}}
        await self._client.patch(Node, Key("", self._identity.name), patch, type=STRATEGIC, subresource="status")
        self._sent, self._sent_at = status, now

    async def _why_not_ready(self) -> str:
        if not self._runtime.connected.is_set():
            return RUNTIME_DOWN
        if self.going_down():
            return SHUTTING_DOWN
        return "" if self._network.ready else NETWORK_NOT_READY


def _without_times(status: Tree) -> Tree:
    bare = [{k: v for k, v in one.items() if k != "lastTransitionTime"} for one in status.get("conditions", ())]
    return {**status, "conditions": bare}
