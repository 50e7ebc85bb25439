"""Snapshot: the nodes as numpy columns, with what the pods on them ask for, and which of them plugins count.

Kept up to date by small changes (a node, a pod at a time) and read by plugins as whole columns, one row a node. A removed
node's row is taken by the last one, so rows have no gaps and no order that anyone may rely on. Nothing here awaits, so a
plugin sees one consistent state.

- `remembered` keeps what follows from the nodes' own form alone (their labels, taints, spec), until one of them changes.
- A *tally* counts the pods that something is true of, a row a node: made when a plugin first asks, kept from then on. As pods come
  from templates there are few of them; those that nobody asked for lately are forgotten.
- What the affinity terms of placed pods demand is kept in the same way (`carried`), so nobody looks at pods one by one.

Cost: O(1) a change, O(tallies) where a pod comes or goes. Memory: about 100 bytes a node besides the views, which are shared with
the informers' caches, and 8 bytes a node for each tally.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from kube.api import pod_resources
from kube.api.labels import Labels
from kube.api.types import Node, Taint
from scheduler.pod_info import Carried, Kind, PodInfo, Port
from scheduler.siblings import Siblings, no_siblings
from scheduler.storage import Storage, no_storage
from scheduler.table import Column, Table

LEAST_CPU_MILLIS = 100  # what scoring assumes of a pod that asks for no CPU (upstream's DefaultMilliCPURequest)
LEAST_MEMORY_BYTES = 200 << 20  # and for no memory (DefaultMemoryRequest)
REMEMBERED = 512  # answers about nodes
TALLIES = 256

T = TypeVar("T")
CountsPod = Callable[[PodInfo], bool]


@dataclass
class NodeInfo:
    """One node and the pods on it."""

    node: Node
    pods: dict[str, PodInfo] = field(default_factory=dict)  # by uid
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


class Domains(NamedTuple):
    """The values that the nodes have of a label, by number."""

    of: Column  # each node's; `total` for nodes without the label
    total: int

    @property
    def known(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Which nodes have the label."""
        return self.of < self.total

    def sums(self, column: Column) -> Column:
        """The column's sum for each domain, and 0 for having none."""
        found = np.bincount(self.of, weights=column, minlength=self.total + 1).astype(np.int64)
        found[self.total] = 0
        return found


class Snapshot:
    """The nodes, by row: `infos[i]` and every column's `[i]` are of one node."""

    def __init__(self, storage: Storage | None = None, siblings: Siblings | None = None) -> None:
        self.storage = storage if storage is not None else no_storage()
        self.siblings = siblings if siblings is not None else no_siblings()
        self.namespaces: dict[str, Labels] = {}
        self.infos: list[NodeInfo] = []
        self.images: dict[str, dict[str, int]] = {}  # by image, the nodes that have it, and its bytes there
        self._rows: dict[str, int] = {}
        self._node_of: dict[str, str] = {}  # pod uid -> node name, for pods whose node may not be known yet
        self._waiting: dict[str, dict[str, PodInfo]] = {}  # node name -> its pods, until the node is seen
        self._table = Table()
        self._priorities: Counter[int] = Counter()  # of the pods on the nodes
        self._remembered: OrderedDict[Hashable, object] = OrderedDict()
        self._tallies: OrderedDict[Hashable, CountsPod] = OrderedDict()
        self._carried: Counter[Carried] = Counter()  # by how many pods

    def __len__(self) -> int:
        return len(self.infos)

    # -- for plugins

    @property
    def least_priority(self) -> float:
        """Of all pods on the nodes; infinite without any."""
        return min(self._priorities, default=float("inf"))

    def row(self, name: str) -> int | None:
        return self._rows.get(name)

    def allocatable(self, resource: str) -> Column:
        return self._table.read(("allocatable", resource))

    def requested(self, resource: str) -> Column:
        return self._table.read(("requested", resource))

    def assumed(self, resource: str) -> Column:
        """cpu or memory as scoring counts it: with the least amounts for pods that ask for none."""
        return self._table.read(("assumed", resource))

    def remembered(self, name: Hashable, make: Callable[[], T]) -> T:
        """What follows from the nodes' own form alone. It is shared: not to be changed."""
        found = self._remembered.get(name)
        if found is None:
            found = self._remembered[name] = make()
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return found  # type: ignore[return-value]  # made under that name

    def domains(self, key: str) -> Domains:
        """The nodes by their value of a label."""
        return self.remembered(("domains", key), lambda: self._domains(key))

    def tally(self, name: Hashable, counts: CountsPod) -> Column:
        """How many pods on each node `counts` is true of; equal names count the same."""
        if name in self._tallies:
            self._tallies.move_to_end(name)
            return self._table.read(("tally", name))
        self._tallies[name] = counts
        column = self._table.whole(("tally", name))
        for row, info in enumerate(self.infos):
            column[row] = sum(map(counts, info.pods.values()))
        if len(self._tallies) > TALLIES:
            self._table.forget(("tally", self._tallies.popitem(last=False)[0]))
        return column[: len(self)]

    def carried(self, *kinds: Kind) -> Iterator[tuple[Carried, Column]]:
        """The affinity terms of these kinds that placed pods have, and how many on each node."""
        for one in self._carried:
            if one.kind in kinds:
                yield one, self._table.read(one)

    def node_of(self, uid: str) -> str | None:
        return self._node_of.get(uid)

    # -- changes

    def set_node(self, node: Node) -> None:
        """Add a node, or take its newer form."""
        name = node.metadata.name
        row = self._rows.get(name)
        before = self.infos[row].node if row is not None else None
        if row is None:
            row = self._rows[name] = self._table.add_row()
            self.infos.append(NodeInfo(node))
            for pod in self._waiting.pop(name, {}).values():
                self._place(row, pod)
        self.infos[row].node = node
        if before is None or before.spec != node.spec or before.metadata.labels != node.metadata.labels:
            self._remembered.clear()
        if before is None or before.status.images != node.status.images:
            self._forget_images(before)
            for image in node.status.images or ():
                for one in image.names or ():
                    self.images.setdefault(one, {})[name] = image.sizeBytes or 0
        if before is None or before.status.allocatable != node.status.allocatable:
            capacity = pod_resources.amounts(node.status.allocatable)
            gone = pod_resources.amounts(before.status.allocatable) if before is not None else {}
            for resource in {*capacity, *gone}:
                self._table.whole(("allocatable", resource))[row] = capacity.get(resource, 0)

    def remove_node(self, name: str) -> None:
        """Forget a node; its pods wait, in case it comes back."""
        row = self._rows.pop(name, None)
        if row is None:
            return
        self._remembered.clear()
        self._forget_images(self.infos[row].node)
        if self.infos[row].pods:
            self._waiting[name] = dict(self.infos[row].pods)
            for pod in self._waiting[name].values():
                self._count(row, pod, -1)
        self._table.take_row(row)
        last = self.infos.pop()
        if row != len(self.infos):
            self.infos[row] = last
            self._rows[last.name] = row

    def set_pod(self, pod: PodInfo, node_name: str) -> None:
        """Count a pod on a node (bound, or assumed to be soon); a newer form takes the place of the older."""
        self.remove_pod(pod.uid)
        self._node_of[pod.uid] = node_name
        row = self._rows.get(node_name)
        if row is None:
            self._waiting.setdefault(node_name, {})[pod.uid] = pod
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

    def set_namespace(self, name: str, of: Labels | None) -> None:
        """Its labels; None: it is gone. Tallies may have been counted by them."""
        if self.namespaces.get(name) == of:
            return
        if of is None:
            del self.namespaces[name]
        else:
            self.namespaces[name] = of
        for tally in self._tallies:
            self._table.forget(("tally", tally))
        self._tallies.clear()

    def _place(self, row: int, pod: PodInfo) -> None:
        info = self.infos[row]
        info.pods[pod.uid] = pod
        if pod.ports:
            info.ports[pod.uid] = pod.ports
        self._count(row, pod, 1)

    def _count(self, row: int, pod: PodInfo, sign: int) -> None:
        _change(self._priorities, pod.priority, sign)
        table = self._table
        for resource, amount in pod.asked.items():
            table.whole(("requested", resource))[row] += sign * amount
        table.whole(("requested", "pods"))[row] += sign
        table.whole(("assumed", "cpu"))[row] += sign * (pod.asked.get("cpu") or LEAST_CPU_MILLIS)
        table.whole(("assumed", "memory"))[row] += sign * (pod.asked.get("memory") or LEAST_MEMORY_BYTES)
        for name, counts in self._tallies.items():
            if counts(pod):
                table.whole(("tally", name))[row] += sign
        for carried in pod.carries:
            table.whole(carried)[row] += sign
            _change(self._carried, carried, sign)
            if carried not in self._carried:
                table.forget(carried)

    def _domains(self, key: str) -> Domains:
        numbers: dict[str, int] = {}
        values = [info.labels.get(key) for info in self.infos]
        of = [numbers.setdefault(value, len(numbers)) if value is not None else -1 for value in values]
        column = np.array(of, np.int64)
        return Domains(np.where(column < 0, len(numbers), column), len(numbers))

    def _forget_images(self, node: Node | None) -> None:
        if node is None:
            return
        for image in node.status.images or ():
            for one in image.names or ():
                nodes = self.images.get(one, {})
                nodes.pop(node.metadata.name, None)
                if not nodes:
                    self.images.pop(one, None)


def _change(counter: Counter[T], what: T, sign: int) -> None:
    counter[what] += sign
    if not counter[what]:
        del counter[what]
