"""Metrics of the API server, by upstream's names; `/metrics` shows them (health.py).

https://kubernetes.io/docs/reference/instrumentation/metrics/ · apiserver pkg/endpoints/metrics/metrics.go
"""

from functools import cache, partial

from prometheus_client import Counter, Gauge, Histogram

from apiserver.context import RequestInfo, Server
from kube.api.resource import Resource

COMPONENT = "apiserver"
LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")
SECONDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
VERBS = {"create": "POST", "update": "PUT", "deletecollection": "DELETECOLLECTION"}  # others: in capitals
KNOWN_PATHS = frozenset(("/healthz", "/livez", "/readyz", "/version", "/metrics"))  # told apart; so many, and no more
CONNECTING = frozenset(("attach", "exec", "portforward", "proxy"))

REQUESTS = Counter(
    "apiserver_request",
    "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and "
    "HTTP response code.",
    (*LABELS, "code"),
)
DURATION = Histogram(
    "apiserver_request_duration_seconds",
    "Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and "
    "component.",
    LABELS,
    buckets=SECONDS,
)
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
    count, duration = _series(labels, code)
    count.inc()
    duration.observe(seconds)


@cache  # looking the series up costs more than counting
def _series(labels: Labels, code: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(*labels, str(code)), DURATION.labels(*labels)


def _in_flight(server: Server, index: int) -> float:
    return server.in_flight[index]
