"""Metrics: Prometheus text, from the process-wide registry of prometheus_client.

Metric names are upstream's. Each program defines its own in a module of its own and has them served by `health`.
https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from collections.abc import Iterable
from typing import Protocol

from prometheus_client import REGISTRY, Gauge, disable_created_metrics, generate_latest
from prometheus_client.core import Metric
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


class Collects(Protocol):
    """What has metrics to tell."""

    def collect(self) -> Iterable[Metric]: ...


def exposition(of: Collects = REGISTRY) -> bytes:
    """Every metric, as /metrics answers; those of this process where nothing else is said."""
    return generate_latest(of)
