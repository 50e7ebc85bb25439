"""Probe counts: how often each probe succeeded and failed, as /metrics/probes tells.

In a registry of their own: they grow with the pods, and /metrics does not show them.
https://kubernetes.io/docs/reference/instrumentation/metrics/ (prober_probe_total)
"""

from prometheus_client import CollectorRegistry, Counter, generate_latest

from kube.api.types import Pod

_REGISTRY = CollectorRegistry()
_LABELS = ("container", "namespace", "pod", "pod_uid", "probe_type", "result")
_TOTAL = Counter(
    "prober_probe_total",
    "[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.",
    _LABELS,
    registry=_REGISTRY,
)


def count(pod: Pod, container: str, kind: str, *, good: bool) -> None:
    metadata, result = pod.metadata, "successful" if good else "failed"
    _TOTAL.labels(container, metadata.namespace, metadata.name, metadata.uid, kind.capitalize(), result).inc()


def forget(pod: Pod) -> None:
    """The pod is gone."""
    _TOTAL.remove_by_labels({"pod_uid": pod.metadata.uid})


def probe_metrics() -> bytes:
    return generate_latest(_REGISTRY)
