"""Stats: /stats/summary, in the shape that metrics-server and `kubectl get --raw` know.

https://kubernetes.io/docs/reference/instrumentation/node-metrics/ · upstream k8s.io/kubelet/pkg/apis/stats/v1alpha1
"""

from datetime import datetime
from typing import Any

from kube.api.meta import Tree
from kube.api.views import timestamp
from kubelet.cgroup_usage import Usage
from kubelet.disk_usage import FileSystem, Taken
from kubelet.network_usage import Interface
from kubelet.samples import ContainerSample, NodeSample, PodSample, VolumeSample


class Stats:
    """Rates need two looks: a usage in nanocores is over the time since the last look, however long that is."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[datetime, int]] = {}

    def summary(self, node: NodeSample, *, only_cpu_and_memory: bool = False) -> Tree:
        before, self._last = self._last, {}
        look = _Look(node, before, self._last)
        tree = {"node": look.node(), "pods": [look.pod(one) for one in node.pods]}
        return _lean(tree) if only_cpu_and_memory else tree


class _Look:
    """One summary. `before` and `after` are the processor times by what was measured."""

    def __init__(self, node: NodeSample, before: dict[str, tuple[datetime, int]], after: dict[str, tuple[datetime, int]]) -> None:
        self._node = node
        self._now = timestamp(node.at)
        self._before = before
        self._after = after

    def node(self) -> Tree:
        node = self._node
        booted = timestamp(node.booted_at)
        systems = [{"name": name, "startTime": booted, **self._measured(name, usage)} for name, usage in node.system.items()]
        disk = self._disk(node.disk)
        return {
            "nodeName": node.name,
            "systemContainers": systems,
            "startTime": booted,
            **self._measured("", node.usage, available=node.memory_available),
            "network": self._network(node.network),
            "fs": disk,
            "runtime": {"imageFs": self._disk(node.image_disk), "containerFs": self._disk(node.image_disk)},
            "rlimit": {"time": self._now, "maxpid": node.max_processes, "curproc": node.processes},
            "swap": {"time": self._now, "swapUsageBytes": node.usage.swap},
        }

    def pod(self, one: PodSample) -> Tree:
        metadata = one.pod.metadata
        tree: Tree = {
            "podRef": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
            "startTime": timestamp(one.pod.status.startTime or self._node.at),
            "containers": [self._container(each) for each in one.containers],
            **self._measured(metadata.uid, one.usage),
            "process_stats": {"process_count": one.usage.processes},
            "swap": {"time": self._now, "swapUsageBytes": one.usage.swap},
        }
        if one.network:
            tree["network"] = self._network(one.network)
        if one.volumes:
            tree["volume"] = [self._volume(each, metadata.namespace) for each in one.volumes]
        tree["ephemeral-storage"] = self._disk(self._node.disk, one.ephemeral)
        return tree

    def _container(self, one: ContainerSample) -> Tree:
        return {
            "name": one.record.name,
            "startTime": timestamp(one.record.started_at or one.record.created_at),
            **self._measured(one.record.id, one.usage),
            "rootfs": self._disk(self._node.image_disk, one.root),
            "logs": self._disk(self._node.disk, one.logs),
            "swap": {"time": self._now, "swapUsageBytes": one.usage.swap},
        }

    def _volume(self, one: VolumeSample, namespace: str) -> Tree:
        claim = {"pvcRef": {"name": one.claim, "namespace": namespace}} if one.claim else {}
        return {**self._disk(one.disk, one.taken), "name": one.name, **claim}

    def _measured(self, key: str, usage: Usage, available: int | None = None) -> Tree:
        before = self._before.get(key)
        self._after[key] = (self._node.at, usage.cpu_nanoseconds)
        cpu: Tree = {"time": self._now, "usageNanoCores": 0, "usageCoreNanoSeconds": usage.cpu_nanoseconds}
        if before is not None and self._node.at > before[0]:
            cpu["usageNanoCores"] = int((usage.cpu_nanoseconds - before[1]) / (self._node.at - before[0]).total_seconds())
        memory: Tree = {
            "time": self._now,
            "usageBytes": usage.memory,
            "workingSetBytes": usage.working_set,
            "rssBytes": usage.resident,
            "pageFaults": usage.page_faults,
            "majorPageFaults": usage.major_page_faults,
        }
        if available is None and usage.memory_limit:
            available = max(0, usage.memory_limit - usage.working_set)
        return {"cpu": cpu, "memory": memory if available is None else {"availableBytes": available, **memory}}

    def _disk(self, disk: FileSystem, taken: Taken | None = None) -> Tree:
        return {
            "time": self._now,
            "availableBytes": disk.available,
            "capacityBytes": disk.capacity,
            "usedBytes": disk.used if taken is None else taken.size,
            "inodesFree": disk.inodes_free,
            "inodes": disk.inodes,
            "inodesUsed": disk.inodes - disk.inodes_free if taken is None else taken.inodes,
        }

    def _network(self, interfaces: tuple[Interface, ...]) -> Tree:
        listed = [_interface(one) for one in interfaces]
        default = next((one for one in listed if one["name"] == "eth0"), listed[0] if listed else {"name": ""})
        return {"time": self._now, **default, "interfaces": listed}


def _interface(one: Interface) -> Tree:
    return {
        "name": one.name,
        "rxBytes": one.received_bytes,
        "rxErrors": one.receive_errors,
        "txBytes": one.sent_bytes,
        "txErrors": one.send_errors,
    }


def _lean(tree: Any) -> Any:
    """Only cpu and memory, and what names things."""
    kept = {"node", "pods", "nodeName", "systemContainers", "startTime", "podRef", "containers", "name", "cpu", "memory"}
    if isinstance(tree, list):
        return [_lean(one) for one in tree]
    if not isinstance(tree, dict):
        return tree
    whole = {"podRef", "cpu", "memory"}
    return {name: value if name in whole else _lean(value) for name, value in tree.items() if name in kept}
