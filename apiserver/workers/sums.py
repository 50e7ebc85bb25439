"""Sums: the metrics of all workers as those of one server.

Counters, histograms and gauges are added up, series by series: what each worker counts is its own part. Of what is the same in
all of them (SHARED) the first worker's is told.
https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from prometheus_client import REGISTRY
from prometheus_client.core import Metric

from kube.component import metrics

SHARED = frozenset(
    (
        "apiserver_storage_objects", "kubernetes_build_info", "python_info", "process_start_time_seconds",
        "process_max_fds",
    )
)  # fmt: skip

Labels = tuple[tuple[str, str], ...]


class Family(msgspec.Struct, array_like=True):
    """A metric with its series, as it travels."""

    name: str
    text: str
    kind: str
    unit: str
    series: list[tuple[str, Labels, float]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Family]).decode


def own() -> bytes:
    """This process's metrics, for another one to add."""
    return _encode([_family(one) for one in REGISTRY.collect()])


def exposition(others: Iterable[bytes]) -> bytes:
    """The text of this process's metrics with those of others added."""
    return metrics.exposition(_Collected(total([_decode(one) for one in (own(), *others)])))


def total(workers: Sequence[Sequence[Family]]) -> list[Family]:
    """The first worker's come first. Pure."""
    found: dict[str, Family] = {}
    series: dict[str, dict[tuple[str, Labels], float]] = {}
    for worker in workers:
        for family in worker:
            if family.name in found and family.name in SHARED:
                continue
            found.setdefault(family.name, family)
            values = series.setdefault(family.name, {})
            for name, labels, value in family.series:
                values[name, labels] = values.get((name, labels), 0.0) + value
    return [
        msgspec.structs.replace(family, series=[(*key, value) for key, value in series[name].items()])
        for name, family in found.items()
    ]


def _family(metric: Metric) -> Family:
    series = [(one.name, tuple(one.labels.items()), float(one.value)) for one in metric.samples]
    return Family(metric.name, metric.documentation, metric.type, metric.unit, series)


class _Collected:
    """As prometheus_client's writer of text wants it."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.text, family.kind, family.unit)
            for name, labels, value in family.series:
                metric.add_sample(name, dict(labels), value)
            yield metric
