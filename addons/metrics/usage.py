"""Usage: from two readings of a node to what it and its containers use. Pure.

Memory is what was read last; cpu the seconds of a core used between two readings, by the seconds between them: the window. A
container that began after the former reading is measured from its start. A node or container without two moments has no usage.
"""

from collections.abc import Iterator
from typing import NamedTuple

from addons.metrics.readings import Container, Point, Reading

SHORTEST_SECONDS = 1.0  # a shorter window says nothing


class Usage(NamedTuple):
    at: float  # seconds since the epoch
    window: float  # seconds
    cpu: float  # cores
    memory: int  # bytes


class Nodes:
    """The two last readings of every node."""

    def __init__(self) -> None:
        self._pairs: dict[str, tuple[Reading | None, Reading]] = {}

    def take(self, node: str, reading: Reading) -> None:
        """One more reading; one of the same moment as the last says nothing new."""
        _, last = self._pairs.get(node, (None, None))
        if last is None or reading.node.at > last.node.at:
            self._pairs[node] = (last, reading)

    def keep(self, names: set[str]) -> None:
        """Forget the nodes that are no more."""
        self._pairs = {name: pair for name, pair in self._pairs.items() if name in names}

    def drop(self, node: str) -> None:
        """Forget one that does not answer: old numbers would look like new ones."""
        self._pairs.pop(node, None)

    def node(self, name: str) -> Usage | None:
        before, last = self._pairs.get(name, (None, None))
        return between(before.node if before else None, last.node) if last else None

    def containers(self) -> Iterator[tuple[Container, Usage | None]]:
        """Of all nodes."""
        for before, last in self._pairs.values():
            for key, point in last.containers.items():
                yield key, between(before.containers.get(key) if before else None, point)

    @property
    def known(self) -> bool:
        """Whether the usage of any node is."""
        return any(before is not None for before, _ in self._pairs.values())


def between(before: Point | None, last: Point) -> Usage | None:
    """None where that cannot be said."""
    if not last.whole:
        return None
    same = before is not None and before.whole and before.started == last.started and before.cpu <= last.cpu
    since, cpu = (before.at, before.cpu) if before is not None and same else (last.started, 0.0)
    window = last.at - since
    if not since or window < SHORTEST_SECONDS:
        return None
    return Usage(last.at, window, (last.cpu - cpu) / window, int(last.memory))
