"""Node metrics: /metrics/resource and /metrics/cadvisor, as Prometheus text. Pure.

The names and labels are upstream's; of cAdvisor's hundred series those that dashboards and autoscalers ask for.
https://kubernetes.io/docs/reference/instrumentation/node-metrics/ ·
https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from kube.api.types import Pod
from kubelet.samples import ContainerSample, NodeSample, PodSample

NANO = 1e9
Labels = dict[str, str]
Point = tuple[Labels, float]


class Family(NamedTuple):
    name: str
    kind: str  # counter or gauge
    help: str
    points: Callable[[NodeSample], Iterable[Point]]


class _Of(NamedTuple):
    """A container among its pod."""

    pod: PodSample
    one: ContainerSample


def resource_metrics(node: NodeSample) -> str:
    return _text(RESOURCE, node, int(node.at.timestamp() * 1000))


def cadvisor_metrics(node: NodeSample) -> str:
    return _text(CADVISOR, node, int(node.at.timestamp() * 1000))


def _text(families: Iterable[Family], node: NodeSample, milliseconds: int) -> str:
    lines: list[str] = []
    for family in families:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        for labels, value in family.points(node):
            stamp = "" if family.name.endswith("_scrape_error") or family.name == "scrape_error" else f" {milliseconds}"
            lines.append(f"{family.name}{_braced(labels)} {value:.17g}{stamp}")
    return "\n".join([*lines, ""])


def _braced(labels: Labels) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _containers(node: NodeSample) -> Iterator[_Of]:
    return (_Of(pod, one) for pod in node.pods for one in pod.containers)


def _pod_labels(pod: Pod) -> Labels:
    return {"namespace": pod.metadata.namespace, "pod": pod.metadata.name}


def _each_container(value: Callable[[ContainerSample], float]) -> Callable[[NodeSample], Iterable[Point]]:
    return lambda node: (({"container": of.one.record.name, **_pod_labels(of.pod.pod)}, value(of.one)) for of in _containers(node))


def _each_pod(value: Callable[[PodSample], float]) -> Callable[[NodeSample], Iterable[Point]]:
    return lambda node: ((_pod_labels(one.pod), value(one)) for one in node.pods)


def _node(value: Callable[[NodeSample], float]) -> Callable[[NodeSample], Iterable[Point]]:
    return lambda node: [({}, value(node))]


def _started(one: ContainerSample) -> float:
    return (one.record.started_at or one.record.created_at).timestamp()


RESOURCE = (
    Family(
        "container_cpu_usage_seconds_total",
        "counter",
        "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
        _each_container(lambda one: one.usage.cpu_nanoseconds / NANO),
    ),
    Family(
        "container_memory_working_set_bytes",
        "gauge",
        "[STABLE] Current working set of the container in bytes",
        _each_container(lambda one: one.usage.working_set),
    ),
    Family(
        "container_start_time_seconds",
        "gauge",
        "[STABLE] Start time of the container since unix epoch in seconds",
        _each_container(_started),
    ),
    Family(
        "container_swap_usage_bytes",
        "gauge",
        "[ALPHA] Current amount of the container swap usage in bytes",
        _each_container(lambda one: one.usage.swap),
    ),
    Family(
        "node_cpu_usage_seconds_total",
        "counter",
        "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
        _node(lambda node: node.usage.cpu_nanoseconds / NANO),
    ),
    Family(
        "node_memory_working_set_bytes",
        "gauge",
        "[STABLE] Current working set of the node in bytes",
        _node(lambda node: node.usage.working_set),
    ),
    Family(
        "node_swap_usage_bytes", "gauge", "[ALPHA] Current swap usage of the node in bytes", _node(lambda node: node.usage.swap)
    ),
    Family(
        "pod_cpu_usage_seconds_total",
        "counter",
        "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
        _each_pod(lambda one: one.usage.cpu_nanoseconds / NANO),
    ),
    Family(
        "pod_memory_working_set_bytes",
        "gauge",
        "[STABLE] Current working set of the pod in bytes",
        _each_pod(lambda one: one.usage.working_set),
    ),
    Family(
        "pod_swap_usage_bytes",
        "gauge",
        "[ALPHA] Current amount of the pod swap usage in bytes",
        _each_pod(lambda one: one.usage.swap),
    ),
    Family(
        "resource_scrape_error",
        "gauge",
        "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
        _node(lambda node: 0),
    ),
)


def _cgroup_labels(pod: Pod, container: str, container_id: str, image: str, name: str) -> Labels:
    return {"id": container_id, "name": name, "image": image, "container": container, **_pod_labels(pod)}


def _cadvisor(value: Callable[[ContainerSample], float], more: Labels | None = None) -> Callable[[NodeSample], Iterable[Point]]:
    def points(node: NodeSample) -> Iterator[Point]:
        for pod, one in _containers(node):
            record = one.record
            yield {**_cgroup_labels(pod.pod, record.name, f"/{record.id}", record.image, record.id), **(more or {})}, value(one)

    return points


def _network(field: str) -> Callable[[NodeSample], Iterable[Point]]:
    def points(node: NodeSample) -> Iterator[Point]:
        for pod in node.pods:
            for one in pod.network:
                yield (
                    {**_cgroup_labels(pod.pod, "", f"/pod{pod.pod.metadata.uid}", "", ""), "interface": one.name},
                    getattr(one, field),
                )

    return points


CADVISOR = (
    Family(
        "container_cpu_usage_seconds_total",
        "counter",
        "Cumulative cpu time consumed in seconds.",
        _cadvisor(lambda one: one.usage.cpu_nanoseconds / NANO, {"cpu": "total"}),
    ),
    Family(
        "container_cpu_user_seconds_total",
        "counter",
        "Cumulative user cpu time consumed in seconds.",
        _cadvisor(lambda one: one.usage.user_nanoseconds / NANO),
    ),
    Family(
        "container_cpu_system_seconds_total",
        "counter",
        "Cumulative system cpu time consumed in seconds.",
        _cadvisor(lambda one: one.usage.system_nanoseconds / NANO),
    ),
    Family(
        "container_memory_usage_bytes",
        "gauge",
        "Current memory usage in bytes, the page cache included",
        _cadvisor(lambda one: one.usage.memory),
    ),
    Family(
        "container_memory_working_set_bytes", "gauge", "Current working set in bytes.", _cadvisor(lambda one: one.usage.working_set)
    ),
    Family("container_memory_rss", "gauge", "Size of RSS in bytes.", _cadvisor(lambda one: one.usage.resident)),
    Family("container_memory_cache", "gauge", "Number of bytes of page cache memory.", _cadvisor(lambda one: one.usage.cache)),
    Family("container_memory_swap", "gauge", "Container swap usage in bytes.", _cadvisor(lambda one: one.usage.swap)),
    Family(
        "container_memory_failures_total",
        "counter",
        "Cumulative count of memory allocation failures.",
        _cadvisor(lambda one: one.usage.major_page_faults, {"failure_type": "pgmajfault", "scope": "container"}),
    ),
    Family(
        "container_spec_memory_limit_bytes",
        "gauge",
        "Memory limit for the container.",
        _cadvisor(lambda one: one.usage.memory_limit),
    ),
    Family(
        "container_fs_usage_bytes",
        "gauge",
        "Number of bytes that are consumed by the container on this filesystem.",
        _cadvisor(lambda one: one.root.size, {"device": ""}),
    ),
    Family(
        "container_processes",
        "gauge",
        "Number of processes running inside the container.",
        _cadvisor(lambda one: one.usage.processes),
    ),
    Family(
        "container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds.", _cadvisor(_started)
    ),
    Family("container_network_receive_bytes_total", "counter", "Cumulative count of bytes received", _network("received_bytes")),
    Family(
        "container_network_receive_packets_total", "counter", "Cumulative count of packets received", _network("received_packets")
    ),
    Family(
        "container_network_receive_errors_total",
        "counter",
        "Cumulative count of errors encountered while receiving",
        _network("receive_errors"),
    ),
    Family("container_network_transmit_bytes_total", "counter", "Cumulative count of bytes transmitted", _network("sent_bytes")),
    Family(
        "container_network_transmit_packets_total", "counter", "Cumulative count of packets transmitted", _network("sent_packets")
    ),
    Family(
        "container_network_transmit_errors_total",
        "counter",
        "Cumulative count of errors encountered while transmitting",
        _network("send_errors"),
    ),
    Family(
        "machine_memory_bytes", "gauge", "Amount of memory installed on the machine.", _node(lambda node: node.usage.memory_limit)
    ),
    Family(
        "container_scrape_error",
        "gauge",
        "1 if there was an error while getting container metrics, 0 otherwise",
        _node(lambda node: 0),
    ),
)
