"""Metrics: what this kubelet tells of its own work at /metrics, under upstream's names.

https://kubernetes.io/docs/reference/instrumentation/metrics/ · pkg/kubelet/metrics/metrics.go
"""

from collections import Counter as Count
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kubelet.disk_usage import VolumeUsage
from kubelet.pod_state import Observed

START_BUCKETS = (0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600)
STATES = ("created", "exited", "running", "unknown")

STARTED_CONTAINERS = Counter(
    "kubelet_started_containers_total", "[ALPHA] Cumulative number of containers started", ("container_type",)
)
FAILED_CONTAINERS = Counter(
    "kubelet_started_containers_errors_total",
    "[ALPHA] Cumulative number of errors when starting containers",
    ("container_type", "code"),
)
STARTED_SANDBOXES = Counter("kubelet_started_pods_total", "[ALPHA] Cumulative number of pods started")
FAILED_SANDBOXES = Counter("kubelet_started_pods_errors_total", "[ALPHA] Cumulative number of errors when starting pods")
POD_START = Histogram(
    "kubelet_pod_start_duration_seconds",
    "[ALPHA] Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run",
    buckets=START_BUCKETS,
)
WORKER = Histogram(
    "kubelet_pod_worker_duration_seconds",
    "[ALPHA] Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync",
    ("operation_type",),
)
EVICTIONS = Gauge(  # upstream has no _total here
    "kubelet_evictions", "[ALPHA] Cumulative number of pod evictions by eviction signal", ("eviction_signal",)
)


class NodeCollector(Collector):
    """What runs, counted when it is asked for."""

    def __init__(self, node: str, looks: Callable[[], Iterable[Observed]]) -> None:
        self._node = node
        self._looks = looks

    def collect(self) -> Iterable[GaugeMetricFamily]:
        looks = list(self._looks())
        name = GaugeMetricFamily("kubelet_node_name", "[ALPHA] The node's name. The count is always 1.", labels=["node"])
        name.add_metric([self._node], 1)
        running = sum(1 for one in looks if one.sandbox_runs)
        yield name
        yield GaugeMetricFamily("kubelet_running_pods", "[ALPHA] Number of pods that have a running pod sandbox", running)
        found: Count[str] = Count(record.state for look in looks for record in look.containers)
        text = "[ALPHA] Number of containers currently running"
        containers = GaugeMetricFamily("kubelet_running_containers", text, labels=["container_state"])
        for state in STATES:
            if found[state]:
                containers.add_metric([state], found[state])
        yield containers


VOLUME_STATS: tuple[tuple[str, str, Callable[[VolumeUsage], float]], ...] = (
    ("available_bytes", "Number of available bytes in the volume", lambda usage: usage.disk.available),
    ("capacity_bytes", "Capacity in bytes of the volume", lambda usage: usage.disk.capacity),
    ("inodes", "Maximum number of inodes in the volume", lambda usage: usage.disk.inodes),
    ("inodes_free", "Number of free inodes in the volume", lambda usage: usage.disk.inodes_free),
    ("inodes_used", "Number of used inodes in the volume", lambda usage: usage.taken.inodes),
    ("used_bytes", "Number of used bytes in the volume", lambda usage: usage.taken.size),
)


class VolumeCollector(Collector):
    """How full the volumes of claims are, by namespace and claim."""

    def __init__(self, last: Callable[[], Mapping[tuple[str, str], VolumeUsage]]) -> None:
        self._last = last

    def collect(self) -> Iterable[GaugeMetricFamily]:
        last = self._last()
        for name, text, value in VOLUME_STATS:
            family = GaugeMetricFamily(
                f"kubelet_volume_stats_{name}", f"[ALPHA] {text}", labels=["namespace", "persistentvolumeclaim"]
            )
            for key, usage in last.items():
                family.add_metric(key, value(usage))
            yield family


def tell(node: str, looks: Callable[[], Iterable[Observed]], volumes: Callable[[], Mapping[tuple[str, str], VolumeUsage]]) -> None:
    """Have /metrics show what runs, and how full claimed volumes are."""
    REGISTRY.register(NodeCollector(node, looks))
    REGISTRY.register(VolumeCollector(volumes))
