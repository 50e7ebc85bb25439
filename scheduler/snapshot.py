"""Snapshot: the nodes as numpy columns, with what the pods on them ask for.

Kept up to date by small changes (a node, a pod at a time) and read by plugins as whole columns, one row a node. A removed
node's row is taken by the last one, so rows have no gaps and no order that anyone may rely on. Nothing here awaits, so a
plugin sees one consistent state.

Cost: O(1) a change, save the first sight of a new extended resource (one new column). Memory: about 100 bytes a node besides
the views, which are shared with the informers' caches.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kube.api import pod_resources
from kube.api.types import Node, Pod, Taint
from scheduler.storage import Storage, no_storage

BASE_RESOURCES = ("cpu", "memory", "ephemeral-storage", "pods")
LEAST_CPU_MILLIS = 100  # what scoring assumes of a pod that asks for no CPU (upstream's DefaultMilliCPURequest)
LEAST_MEMORY_BYTES = 200 << 20  # and for no memory (DefaultMemoryRequest)

Column = NDArray[np.int64]
Port = tuple[str, str, int]  # protocol, host address, host port


@dataclass
class NodeInfo:
    """One node and the pods on it."""

    node: Node
    pods: dict[str, Pod] = field(default_factory=dict)  # by uid
    ports: dict[str, tuple[Port, ...]] = field(default_factory=dict)  # host ports by pod uid

    @property
    def name(self) -> str:
        return str(self.node.metadata.name)

    @property
    def labels(self) -> dict[str, str]:
        return self.node.metadata.labels or {}

    @property
    def taints(self) -> list[Taint]:
        return self.node.spec.taints or []


class Snapshot:
    """The nodes, by row: `infos[i]` and every column's `[i]` are of one node."""

    def __init__(self, storage: Storage | None = None) -> None:
        self.storage = storage if storage is not None else no_storage()
        self.infos: list[NodeInfo] = []
        self._rows: dict[str, int] = {}
        self._node_of: dict[str, str] = {}  # pod uid -> node name, for pods whose node may not be known yet
        self._waiting: dict[str, dict[str, Pod]] = {}  # node name -> its pods, until the node is seen
        self._allocatable: dict[str, Column] = {name: np.zeros(0, np.int64) for name in BASE_RESOURCES}
        self._requested: dict[str, Column] = {name: np.zeros(0, np.int64) for name in BASE_RESOURCES}
        self._assumed_cpu: Column = np.zeros(0, np.int64)  # requests with the least amounts filled in, for scores
        self._assumed_memory: Column = np.zeros(0, np.int64)
        self._priorities: Counter[int] = Counter()  # of the pods on the nodes

    def __len__(self) -> int:
        return len(self.infos)

    @property
    def least_priority(self) -> float:
        """Of all pods on the nodes; infinite without any."""
        return min(self._priorities, default=float("inf"))

    def row(self, name: str) -> int | None:
        return self._rows.get(name)

    def allocatable(self, resource: str) -> Column:
        return self._column(self._allocatable, resource)

    def requested(self, resource: str) -> Column:
        return self._column(self._requested, resource)

    def assumed(self, resource: str) -> Column:
        """cpu or memory as scoring counts it."""
        return (self._assumed_cpu if resource == "cpu" else self._assumed_memory)[: len(self)]

    def set_node(self, node: Node) -> None:
        """Add a node, or take its newer form."""
        name = node.metadata.name
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = len(self.infos)
            self.infos.append(NodeInfo(node))
            self._clear_row(row)
            for pod in self._waiting.pop(name, {}).values():
                self._place(row, pod)
        self.infos[row].node = node
        capacity = pod_resources.amounts(node.status.allocatable)
        for resource in {*capacity, *self._allocatable}:
            self._whole(self._allocatable, resource)[row] = capacity.get(resource, 0)

    def remove_node(self, name: str) -> None:
        """Forget a node; its pods wait, in case it comes back."""
        row = self._rows.pop(name, None)
        if row is None:
            return
        if self.infos[row].pods:
            self._waiting[name] = dict(self.infos[row].pods)
            for pod in self._waiting[name].values():
                self._count(row, pod, -1)
        last = len(self.infos) - 1
        if row != last:
            self.infos[row] = self.infos[last]
            self._rows[self.infos[row].name] = row
            for column in self._columns():
                column[row] = column[last]
        self.infos.pop()

    def set_pod(self, pod: Pod, node_name: str) -> None:
        """Count a pod on a node (bound, or assumed to be soon); a newer form takes the place of the older."""
        self.remove_pod(pod.metadata.uid)
        self._node_of[pod.metadata.uid] = node_name
        row = self._rows.get(node_name)
        if row is None:
            self._waiting.setdefault(node_name, {})[pod.metadata.uid] = pod
        else:
            self._place(row, pod)

    def remove_pod(self, uid: str) -> None:
        node_name = self._node_of.pop(uid, None)
        if node_name is None:
            return
        row = self._rows.get(node_name)
        if row is None:
            self._waiting.get(node_name, {}).pop(uid, None)
            return
        pod = self.infos[row].pods.pop(uid)
        self.infos[row].ports.pop(uid, None)
        self._count(row, pod, -1)

    def node_of(self, uid: str) -> str | None:
        return self._node_of.get(uid)

    def _place(self, row: int, pod: Pod) -> None:
        info = self.infos[row]
        info.pods[pod.metadata.uid] = pod
        ports = tuple(host_ports(pod))
        if ports:
            info.ports[pod.metadata.uid] = ports
        self._count(row, pod, 1)

    def _count(self, row: int, pod: Pod, sign: int) -> None:
        self._priorities[priority_of(pod)] += sign
        if not self._priorities[priority_of(pod)]:
            del self._priorities[priority_of(pod)]
        asked = pod_resources.requests(pod)
        for resource, amount in asked.items():
            self._whole(self._requested, resource)[row] += sign * amount
        self._whole(self._requested, "pods")[row] += sign
        self._assumed_cpu[row] += sign * (asked.get("cpu") or LEAST_CPU_MILLIS)
        self._assumed_memory[row] += sign * (asked.get("memory") or LEAST_MEMORY_BYTES)

    def _clear_row(self, row: int) -> None:
        """Make room for one more row and set its amounts to zero."""
        if row >= len(self._assumed_cpu):
            room = max(16, 2 * row)
            for columns in (self._allocatable, self._requested):
                for resource, column in columns.items():
                    columns[resource] = _grown(column, room)
            self._assumed_cpu = _grown(self._assumed_cpu, room)
            self._assumed_memory = _grown(self._assumed_memory, room)
        for column in self._columns():
            column[row] = 0

    def _columns(self) -> Iterable[Column]:
        yield from self._allocatable.values()
        yield from self._requested.values()
        yield self._assumed_cpu
        yield self._assumed_memory

    def _whole(self, columns: dict[str, Column], resource: str) -> Column:
        """The column with its spare room; made when a resource is first seen."""
        if resource not in columns:
            columns[resource] = np.zeros(len(self._assumed_cpu), np.int64)
        return columns[resource]

    def _column(self, columns: dict[str, Column], resource: str) -> Column:
        column = columns.get(resource)
        return np.zeros(len(self), np.int64) if column is None else column[: len(self)]


def priority_of(pod: Pod) -> int:
    priority: int | None = pod.spec.priority
    return priority or 0


def host_ports(pod: Pod) -> Iterable[Port]:
    """The host ports that a pod wants: protocol, address (0.0.0.0 for all), port."""
    for container in pod.spec.containers:
        for port in container.ports or ():
            if port.hostPort:
                yield port.protocol or "TCP", port.hostIP or "0.0.0.0", port.hostPort


def _grown(column: Column, room: int) -> Column:
    grown = np.zeros(room, np.int64)
    grown[: len(column)] = column
    return grown
