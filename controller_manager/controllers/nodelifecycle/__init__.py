"""Node lifecycle: tells nodes that fell silent, marks what runs there, and taints nodes by their conditions.

A sign of life is a renewed Lease in kube-node-lease or a newer heartbeat in the status; its time is this machine's, so clocks need
not agree. After --node-monitor-grace-period without one, the conditions become Unknown and the node's pods not ready.
Upstream looks at every node each 5 s; here each node has a timer that rings when it would be too late, which costs nothing idle.
https://kubernetes.io/docs/concepts/architecture/nodes/#heartbeats · pkg/controller/nodelifecycle
"""

from controller_manager.controller import Context, Controller
from controller_manager.controllers.nodelifecycle import health
from controller_manager.controllers.nodelifecycle.health import zone_of, zones
from controller_manager.controllers.nodelifecycle.pace import Pace, rate
from controller_manager.pod_index import index_by_node, on_node
from controller_manager.pod_state import ready
from kube.api.meta import Key, key_of
from kube.api.status import NotFound
from kube.api.types import Lease, Node, Pod
from kube.api.views import timestamp
from kube.client.rest import STRATEGIC

LEASES = "kube-node-lease"


class NodeLifecycleController(Controller[Key]):
    name = "node-lifecycle-controller"
    component = "node-controller"
    reconciles = Node
    reads = (Pod,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._heard: dict[str, float] = {}  # by node: when the last sign of life was seen
        self._pace = Pace()
        index_by_node(self.cache(Pod))
        self._leases = self.informer(Lease, namespace=LEASES)
        self._leases.on_change(self._lease_changed)
        context.informers.of(Node).on_change(self._node_changed)

    async def reconcile(self, key: Key) -> float | None:
        node = self.cache(Node).get(key)
        if node is None:
            return None
        left = self._seconds_of_grace(node)
        if left <= 0:
            node = await self._mark_silent(node)
        waits = [left] if left > 0 else []
        wait = await self._taint(node)
        if wait is not None:
            waits.append(wait)
        if health.readiness(node) == "Unknown":
            await self._mark_pods(node)
        return min(waits, default=None)

    # --- signs of life -----------------------------------------------------------------------------------------------

    def _lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        if new is not None:
            self._heard[new.metadata.name] = self.clock.monotonic()

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            self._heard.pop(old.metadata.name, None)
            self._tell_node(old, "RemovingNode", "Removing Node {0} from Controller")
        elif old is None:
            self._heard.setdefault(new.metadata.name, self.clock.monotonic())
            self._tell_node(new, "RegisteredNode", "Registered Node {0} in Controller")
        elif _heartbeat(old) != _heartbeat(new):
            self._heard[new.metadata.name] = self.clock.monotonic()
        if old is None or new is None or health.readiness(old) != health.readiness(new):
            for node in self.cache(Node):  # the zone may fare differently now, and so its nodes
                if health.readiness(node) != "True":
                    self.queue.add(key_of(node))

    def _seconds_of_grace(self, node: Node) -> float:
        starting = health.condition_of(node, "Ready") is None
        grace = self.config.node_startup_grace_period if starting else self.config.node_monitor_grace_period
        heard = self._heard.setdefault(node.metadata.name, self.clock.monotonic())
        return heard + grace - self.clock.monotonic()

    def _tell_node(self, node: Node, reason: str, what: str) -> None:
        name = node.metadata.name
        self.recorder.event(node, "Normal", reason, f"Node {name} event: {what.format(name)}")

    # --- what follows from silence -----------------------------------------------------------------------------------

    async def _mark_silent(self, node: Node) -> Node:
        conditions = health.silent_conditions(node, self.clock.now())
        if not conditions:
            return node
        was_ready = health.readiness(node) == "True"
        metadata = {"uid": node.metadata.uid, "resourceVersion": node.metadata.resourceVersion}
        patch = {"metadata": metadata, "status": {"conditions": conditions}}
        await self.client.patch(Node, key_of(node), patch, type=STRATEGIC, subresource="status")
        if was_ready:
            self.recorder.event(node, "Normal", "NodeNotReady", f"Node {node.metadata.name} status is now: NodeNotReady")
        return await self.client.get(Node, "", node.metadata.name)

    async def _mark_pods(self, node: Node) -> None:
        """Nobody vouches for the pods of a silent node: their Ready becomes False, and services leave them out."""
        for pod in on_node(self.cache(Pod), node.metadata.name):
            if not ready(pod):
                continue
            told = {"type": "Ready", "status": "False", "lastTransitionTime": timestamp(self.clock.now())}
            patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [told]}}
            self.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")
            try:
                await self.client.patch(Pod, key_of(pod), patch, type=STRATEGIC, subresource="status")
            except NotFound:
                continue

    async def _taint(self, node: Node) -> float | None:
        """Bring the taints into line; how long the one that drives pods away must wait."""
        key, wait = self._no_execute(node)
        wanted = health.taints(node, key, self.clock.now())
        if wanted is not None:
            metadata = {"uid": node.metadata.uid, "resourceVersion": node.metadata.resourceVersion}
            await self.client.patch(Node, key_of(node), {"metadata": metadata, "spec": {"taints": wanted or None}})
        return wait

    def _no_execute(self, node: Node) -> tuple[str, float | None]:
        """The NoExecute taint to have now, and the seconds until there may be one."""
        key = health.no_execute_key(node)
        if not key:
            return "", None
        nodes = list(self.cache(Node))
        states = zones(nodes, self.config.unhealthy_zone_threshold)
        zone = zone_of(node)
        per_second = rate(self.config, states, zone, sum(zone_of(one) == zone for one in nodes))
        if health.has_no_execute(node):
            everything_down = all(state is health.Zone.FULL for state in states.values())
            return ("" if everything_down else key), None
        wait = self._pace.take(zone, per_second, self.clock.monotonic())
        return (key, None) if wait == 0 else ("", wait)


def _heartbeat(node: Node) -> object:
    found = health.condition_of(node, "Ready")
    return found.lastHeartbeatTime if found is not None else None
