"""Metrics of the API server, by upstream's names; `/metrics` shows them (health.py).

https://kubernetes.io/docs/reference/instrumentation/metrics/ · apiserver pkg/endpoints/metrics/metrics.go
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import partial
from itertools import accumulate

from prometheus_client import REGISTRY, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from apiserver.context import RequestInfo, Server
from kube.api.resource import Resource

COMPONENT = "apiserver"
LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")
SECONDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
VERBS = {"create": "POST", "update": "PUT", "deletecollection": "DELETECOLLECTION"}  # others: in capitals
KNOWN_PATHS = frozenset(("/healthz", "/livez", "/readyz", "/version", "/metrics"))  # told apart; so many, and no more
CONNECTING = frozenset(("attach", "exec", "portforward", "proxy"))

LONG_RUNNING = Gauge(
    "apiserver_longrunning_requests",
    "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.",
    ("verb", "group", "version", "resource", "subresource", "scope", "component"),
)
IN_FLIGHT = Gauge(
    "apiserver_current_inflight_requests",
    "Maximal number of currently used inflight request limit of this apiserver per request kind in last second.",
    ("request_kind",),
)
OBJECTS = Gauge(
    "apiserver_storage_objects",
    "Number of stored objects at the time of last check split by kind.",
    ("resource",),
)

Labels = tuple[str, str, str, str, str, str, str, str]


def show(server: Server) -> None:
    """Have the gauges ask this server, whenever somebody looks."""
    for index, kind in enumerate(("mutating", "readOnly")):
        IN_FLIGHT.labels(kind).set_function(partial(_in_flight, server, index))
    for row in server.routes.rows():
        count_objects(server, row)


def count_objects(server: Server, row: Resource) -> None:
    """Have the gauge tell how many there are of what a row stores."""
    if "watch" in row.verbs and row.view_tree is None:
        OBJECTS.labels(row.qualified).set_function(partial(len, server.stores.store_for(row).cache))


def forget_objects(row: Resource) -> None:
    """The kind is no more."""
    OBJECTS.remove(row.qualified)


def labels_of(info: RequestInfo, content_type: str = "") -> Labels:
    """Of few values: what a client makes up is not among them. Pure."""
    row = info.resource
    verb = "CONNECT" if info.subresource in CONNECTING else VERBS.get(info.verb, info.verb.upper())
    if verb == "PATCH" and content_type.startswith("application/apply-patch"):
        verb = "APPLY"
    if row is None:
        path = info.path if info.path in KNOWN_PATHS else ""
        return verb, "", "", "", "", path, "", COMPONENT
    subresource = info.subresource if info.subresource in row.subresources else ""
    dry_run = "All" if info.param("dryRun") else ""
    return verb, dry_run, row.group, row.version, row.plural, subresource, scope_of(info), COMPONENT


def scope_of(info: RequestInfo) -> str:
    """How much of the cluster a request is about. Pure."""
    if info.name or info.verb == "create":
        return "resource"
    return "namespace" if info.namespace else "cluster"


def observe(labels: Labels, code: int, seconds: float) -> None:
    """A request is done."""
    series = REQUESTS.series.get(labels)
    if series is None:
        series = REQUESTS.series[labels] = _Series()
    series.codes[code] = series.codes.get(code, 0) + 1
    series.seconds += seconds
    series.buckets[bisect_left(SECONDS, seconds)] += 1


class _Series:
    """The requests of one combination of labels."""

    __slots__ = ("buckets", "codes", "seconds")

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}  # how many were answered so
        self.seconds = 0.0  # of all together
        self.buckets = [0] * (len(SECONDS) + 1)  # how many took at most so long, and longer than the one before


class _Requests(Collector):
    """Counter and histogram of requests, counted without the library's locks and exemplars: one thread counts them."""

    def __init__(self) -> None:
        self.series: dict[Labels, _Series] = {}

    def collect(self) -> Iterator[Metric]:
        what = "for each verb, dry run value, group, version, resource,"
        text = f"Counter of apiserver requests broken out {what} scope, component, and HTTP response code."
        count = CounterMetricFamily("apiserver_request", text, labels=(*LABELS, "code"))
        text = f"Response latency distribution in seconds {what} subresource, scope and component."
        duration = HistogramMetricFamily("apiserver_request_duration_seconds", text, labels=LABELS)
        for labels, one in self.series.items():
            for code, number in one.codes.items():
                count.add_metric((*labels, str(code)), number)
            bounds = (*map(floatToGoString, SECONDS), "+Inf")
            duration.add_metric(labels, list(zip(bounds, accumulate(one.buckets), strict=True)), one.seconds)
        yield count
        yield duration


REQUESTS = _Requests()
REGISTRY.register(REQUESTS)


def _in_flight(server: Server, index: int) -> float:
    return server.in_flight[index]
