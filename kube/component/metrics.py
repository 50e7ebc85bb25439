"""Metrics: Prometheus text, from the process-wide registry of prometheus_client.

Metric names are upstream's. Each program defines its own in a module of its own and has them served by `health`.
https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from prometheus_client import REGISTRY, Gauge, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from kube.client.version import GIT_VERSION, MAJOR, MINOR

CONTENT_TYPE = CONTENT_TYPE_LATEST

disable_created_metrics()  # type: ignore[no-untyped-call]  # upstream has no such series; they are a fifth of the text

_BUILD_INFO = Gauge(
    "kubernetes_build_info",
    "A metric with a constant '1' value labeled by major, minor, git version.",
    ("major", "minor", "git_version"),
)
_BUILD_INFO.labels(MAJOR, MINOR, GIT_VERSION).set(1)


def exposition() -> bytes:
    """Every metric of this process, as /metrics answers."""
    return generate_latest(REGISTRY)
