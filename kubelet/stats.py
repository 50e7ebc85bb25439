"""Stats: what the node and its pods use, as /stats/summary and /metrics/resource tell it. Reads cgroup files.

https://kubernetes.io/docs/reference/instrumentation/node-metrics/ · upstream k8s.io/kubelet/pkg/apis/stats/v1alpha1
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from kube.api.meta import Tree
from kube.api.types import Pod
from kube.api.views import timestamp
from kubelet.cgroups import Cgroups, Usage
from kubelet.runtime.runtime import RuntimeContainer

NANO = 1e9


class Stats:
    """Rates need two looks: a usage in nanocores is over the time since the last look, however long that is."""

    def __init__(self, node_name: str, cgroups: Cgroups) -> None:
        self._node_name = node_name
        self._cgroups = cgroups
        self._last: dict[str, tuple[datetime, int]] = {}

    def summary(self, pods: Iterable[Pod], running: Mapping[str, list[RuntimeContainer]], now: datetime) -> Tree:
        """`running`: each pod's running containers, by its uid."""
        node = self._cgroups.node_usage()
        return {
            "node": {"nodeName": self._node_name, **self._measured("", node, now)},
            "pods": [self._pod(pod, running.get(pod.metadata.uid, []), now) for pod in pods],
        }

    def _pod(self, pod: Pod, running: list[RuntimeContainer], now: datetime) -> Tree:
        metadata = pod.metadata
        containers = [
            {
                "name": one.name,
                "startTime": timestamp(one.started_at),
                **self._measured(one.id, self._cgroups.usage(pod, one.id), now),
            }
            for one in running
            if not one.is_sandbox
        ]
        return {
            "podRef": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
            "startTime": timestamp(pod.status.startTime or now),
            "containers": containers,
            **self._measured(metadata.uid, self._cgroups.usage(pod), now),
        }

    def _measured(self, key: str, usage: Usage, now: datetime) -> Tree:
        before = self._last.get(key)
        self._last[key] = (now, usage.cpu_nanoseconds)
        cpu: Tree = {"time": timestamp(now), "usageCoreNanoSeconds": usage.cpu_nanoseconds}
        if before is not None and now > before[0]:
            cpu["usageNanoCores"] = int((usage.cpu_nanoseconds - before[1]) / (now - before[0]).total_seconds())
        memory = {"time": timestamp(now), "usageBytes": usage.memory, "workingSetBytes": usage.working_set}
        return {"cpu": cpu, "memory": memory}

    def resource_metrics(self, pods: Iterable[Pod], running: Mapping[str, list[RuntimeContainer]]) -> str:
        """Prometheus text of /metrics/resource."""
        return "\n".join([*self._resource_lines(pods, running), ""])

    def _resource_lines(self, pods: Iterable[Pod], running: Mapping[str, list[RuntimeContainer]]) -> Iterator[str]:
        node = self._cgroups.node_usage()
        yield "# TYPE node_cpu_usage_seconds_total counter"
        yield f"node_cpu_usage_seconds_total {node.cpu_nanoseconds / NANO}"
        yield "# TYPE node_memory_working_set_bytes gauge"
        yield f"node_memory_working_set_bytes {node.working_set}"
        measured = [
            (pod, one, self._cgroups.usage(pod, one.id))
            for pod in pods
            for one in running.get(pod.metadata.uid, [])
            if not one.is_sandbox
        ]
        yield "# TYPE container_cpu_usage_seconds_total counter"
        for pod, one, usage in measured:
            yield f"container_cpu_usage_seconds_total{_labels(pod, one)} {usage.cpu_nanoseconds / NANO}"
        yield "# TYPE container_memory_working_set_bytes gauge"
        for pod, one, usage in measured:
            yield f"container_memory_working_set_bytes{_labels(pod, one)} {usage.working_set}"


def _labels(pod: Pod, one: RuntimeContainer) -> str:
    return f'{{container="{one.name}",namespace="{pod.metadata.namespace}",pod="{pod.metadata.name}"}}'
