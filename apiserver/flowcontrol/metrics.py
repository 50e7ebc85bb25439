"""Metrics of priority and fairness, by upstream's names; computed when somebody looks, so that requests pay next to nothing.

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#metrics · apiserver pkg/util/flowcontrol/metrics
"""

from collections.abc import Iterator

from prometheus_client import REGISTRY, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from apiserver.flowcontrol.control import Control

PREFIX = "apiserver_flowcontrol"
BOTH = ("priority_level", "flow_schema")

WAITED = Histogram(
    f"{PREFIX}_request_wait_duration_seconds",
    "Length of time a request spent waiting in its queue",
    (*BOTH, "execute"),
    buckets=(0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
)


class _Collector:
    """Of the control that was shown last: a process has one, tests have several."""

    def __init__(self) -> None:
        self.control: Control | None = None

    def collect(self) -> Iterator[Metric]:
        if self.control is not None:
            yield from _of_flows(self.control)
            yield from _of_levels(self.control)


def _of_flows(control: Control) -> Iterator[Metric]:
    dispatched = CounterMetricFamily(
        f"{PREFIX}_dispatched_requests", "Number of requests executed by API Priority and Fairness", labels=BOTH
    )
    rejected = CounterMetricFamily(
        f"{PREFIX}_rejected_requests",
        "Number of requests rejected by API Priority and Fairness subsystem",
        labels=(*BOTH, "reason"),
    )
    executing = GaugeMetricFamily(
        f"{PREFIX}_current_executing_requests",
        "Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness "
        "subsystem",
        labels=BOTH,
    )
    queued = GaugeMetricFamily(
        f"{PREFIX}_current_inqueue_requests",
        "Number of requests currently pending in queues of the API Priority and Fairness subsystem",
        labels=BOTH,
    )
    for one in control.counts.values():
        labels = (one.level, one.schema)
        dispatched.add_metric(labels, one.dispatched)
        executing.add_metric(labels, one.executing)
        queued.add_metric(labels, one.queued)
        for reason, number in one.rejected.items():
            rejected.add_metric((*labels, reason), number)
    yield from (dispatched, rejected, executing, queued)


def _of_levels(control: Control) -> Iterator[Metric]:
    def gauge(name: str, text: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=("priority_level",))

    seats = gauge("current_executing_seats", "Concurrency (number of seats) occupied by the currently executing requests")
    nominal = gauge("nominal_limit_seats", "Nominal number of execution seats configured for each priority level")
    lower = gauge("lower_limit_seats", "Configured lower bound on number of execution seats available to each priority level")
    upper = gauge("upper_limit_seats", "Configured upper bound on number of execution seats available to each priority level")
    for level in control.levels.values():
        labels, limits = (level.name,), level.limits
        seats.add_metric(labels, level.used)
        nominal.add_metric(labels, limits.nominal)
        lower.add_metric(labels, limits.guaranteed)
        upper.add_metric(labels, limits.most)
    yield from (seats, nominal, lower, upper)


_COLLECTOR = _Collector()
REGISTRY.register(_COLLECTOR)


def show(control: Control) -> None:
    """Have the metrics tell of this one."""
    _COLLECTOR.control = control
