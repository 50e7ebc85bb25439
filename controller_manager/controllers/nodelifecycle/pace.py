"""Pace: how fast nodes may be given the taint that drives their pods away, zone by zone.

A healthy zone or one that is down altogether: --node-eviction-rate nodes a second. A zone of which a large share is down:
--secondary-node-eviction-rate, or none at all in a small cluster. Every zone down: none, for then it is rather we who are cut off.
https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
"""

from collections.abc import Mapping

from controller_manager.config import Config
from controller_manager.controllers.nodelifecycle.health import Zone


def rate(config: Config, zones: Mapping[str, Zone], zone: str, size: int) -> float:
    """Nodes per second; `size`: the nodes of the zone. Pure."""
    if all(state is Zone.FULL for state in zones.values()):
        return 0.0
    if zones.get(zone) is not Zone.PARTIAL:
        return config.node_eviction_rate
    return config.secondary_node_eviction_rate if size > config.large_cluster_size_threshold else 0.0


class Pace:
    """When a zone's last node was taken; one is free at first."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def take(self, zone: str, per_second: float, now: float) -> float | None:
        """0: go ahead. Seconds: wait so long. None: not at all, as things are."""
        if per_second <= 0:
            return None
        free_at = self._next.get(zone, now)
        if free_at > now:
            return free_at - now
        self._next[zone] = now + 1 / per_second
        return 0.0
