"""kubectl top: what nodes and pods use of cpu and memory, as metrics-server (or another server of metrics.k8s.io) measures it.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_top/
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from kube.api import quantity
from kube.api.duration import human
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import ApiError, NotFound
from kubectl import options
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.pods import POD
from kubectl.printers.tabwriter import align
from kubectl.selection import Query, listed
from kubectl.session import Session

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help="Display resource (CPU/memory) usage."
)
ALIASES = {"nodes": "node", "no": "node", "pods": "pod", "po": "pod"}

NODE = Resource("", "v1", "Node", "nodes", namespaced=False)
NODE_METRICS = Resource("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", namespaced=False)
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "PodMetrics", "pods")
MEASURES = ("cpu", "memory")
NARROWEST = 6  # a column, with its padding
UNKNOWN = "<unknown>"
LATE_SECONDS = 120  # after which a pod should have been measured
MEBIBYTE = 1 << 20

Usage = dict[str, Decimal]  # cores and bytes, by the measure's name

SortBy = Annotated[
    str,
    typer.Option("--sort-by", help="If non-empty, sort the list using specified field. The field can be either 'cpu' or 'memory'."),
]
ShowCapacity = Annotated[
    bool,
    typer.Option("--show-capacity", help="Print node resources based on Capacity instead of Allocatable(default) of the nodes."),
]
Containers = Annotated[bool, typer.Option("--containers", help="If present, print usage of containers within a pod.")]
Sum = Annotated[bool, typer.Option("--sum", help="Print the sum of the resource usage")]


@app.command(short_help="Display resource (CPU/memory) usage of nodes", epilog="kubectl top node [NAME | -l label]")
def node(
    context: typer.Context,
    selector: options.Selector = "",
    sort_by: SortBy = "",
    show_capacity: ShowCapacity = False,
    no_headers: options.NoHeaders = False,
) -> None:
    """Display resource (CPU/memory) usage of nodes.

    The top-node command allows you to see the resource consumption of nodes.

    Examples:
      # Show metrics for all nodes
      kubectl top node

      # Show metrics for a given node
      kubectl top node NODE_NAME
    """
    session: Session = context.obj
    name = _name(session, selector, sort_by, "node")
    found = _measured(session, NODE_METRICS, name, Query(selector=selector))
    if not found:
        raise CommandError("metrics not available yet")
    usages = {one["metadata"]["name"]: _usage([one["usage"]]) for one in found}
    nodes = [_one(session, NODE, name)] if name else list(listed(session, NODE, Query(selector=selector)))
    of = "capacity" if show_capacity else "allocatable"
    available = {one["metadata"]["name"]: _usage([one["status"][of]]) for one in nodes}
    known = _sorted(((name, usages[name]) for name in available if name in usages), sort_by)
    rows = [[name, *_of_available(usage, available[name])] for name, usage in known]
    rows += [[name, *[UNKNOWN] * 4] for name in sorted(set(available) - set(usages))]
    headers = [] if no_headers else [["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]]
    _say(session, [*headers, *rows])


@app.command(short_help="Display resource (CPU/memory) usage of pods", epilog="kubectl top pod [NAME | -l label]")
def pod(
    context: typer.Context,
    selector: options.Selector = "",
    field_selector: options.FieldSelector = "",
    all_namespaces: options.AllNamespaces = False,
    containers: Containers = False,
    sort_by: SortBy = "",
    sum_: Sum = False,
    no_headers: options.NoHeaders = False,
) -> None:
    """Display resource (CPU/memory) usage of pods.

    The 'top pod' command allows you to see the resource consumption of pods.

    Due to the metrics pipeline delay, they may be unavailable for a few minutes since pod creation.

    Examples:
      # Show metrics for all pods in the default namespace
      kubectl top pod

      # Show metrics for a given pod and its containers
      kubectl top pod POD_NAME --containers
    """
    session: Session = context.obj
    name = _name(session, selector, sort_by, "pod")
    query = Query(selector=selector, field_selector=field_selector, all_namespaces=all_namespaces)
    found = _measured(session, POD_METRICS, name, query)
    if not found:
        _why_none(session, name, query)
        return
    headers, rows = _pod_rows(found, sort_by, all_namespaces, containers)
    if sum_:
        total = {measure: sum((usage[measure] for _, usage in rows), Decimal(0)) for measure in MEASURES}
        blank = [""] * (len(headers) - 2)
        last = [[*blank, "________", "________"], [*blank, *_shown(total)]]
    shown = [[*names, *_shown(usage)] for names, usage in rows]
    _say(session, [*([] if no_headers else [headers]), *shown, *(last if sum_ else [])])


def _name(session: Session, selector: str, sort_by: str, kind: str) -> str:
    """The one object asked for, if any. Raises UsageError, CommandError."""
    if len(session.args) > 1:
        raise UsageError(f"{kind} [NAME | -l label]")
    if session.args and selector:
        raise CommandError("only one of NAME or selector can be provided")
    if sort_by and sort_by not in MEASURES:
        raise CommandError("--sort-by accepts only cpu or memory")
    return session.args[0] if session.args else ""


def _measured(session: Session, resource: Resource, name: str, query: Query) -> list[Tree]:
    """Raises CommandError where nobody serves metrics."""
    try:
        return [_one(session, resource, name)] if name else list(listed(session, resource, query))
    except NotFound as error:
        if (error.details or {}).get("name"):
            raise
        raise CommandError("Metrics API not available") from error
    except ApiError as error:
        if error.code == 503:
            raise CommandError("Metrics API not available") from error
        raise


def _one(session: Session, resource: Resource, name: str) -> Tree:
    namespace = session.namespace if resource.namespaced else ""
    return session.server.request("GET", resource.path(namespace, name)).tree()


def _usage(parts: Iterable[Tree]) -> Usage:
    used = list(parts)
    return {measure: sum((quantity.parse(one.get(measure, "0")) for one in used), Decimal(0)) for measure in MEASURES}


def _pod_rows(
    found: list[Tree], sort_by: str, with_namespace: bool, with_containers: bool
) -> tuple[list[str], list[tuple[list[str], Usage]]]:
    """Headers; and for each row its names and its usage."""
    headers = [
        *(["NAMESPACE"] if with_namespace else []),
        *(["POD"] if with_containers else []),
        "NAME",
        "CPU(cores)",
        "MEMORY(bytes)",
    ]
    named = {(one["metadata"]["namespace"], one["metadata"]["name"]): one["containers"] for one in found}
    rows: list[tuple[list[str], Usage]] = []
    for (namespace, name), _ in _sorted(((key, _usage(c["usage"] for c in one)) for key, one in named.items()), sort_by):
        place = [namespace, name] if with_namespace else [name]
        containers = named[namespace, name]
        if with_containers:
            parts = _sorted(((one["name"], _usage([one["usage"]])) for one in containers), sort_by)
            rows += [([*place, container], usage) for container, usage in parts]
        else:
            rows.append((place, _usage(one["usage"] for one in containers)))
    return headers, rows


def _sorted(rows: Iterable[tuple[Any, Usage]], sort_by: str) -> list[tuple[Any, Usage]]:
    """By name; or the largest first."""
    return sorted(rows, key=lambda row: (-row[1][sort_by] if sort_by else 0, row[0]))


def _shown(usage: Usage) -> list[str]:
    return [f"{math.ceil(usage['cpu'] * 1000)}m", f"{usage['memory'] // MEBIBYTE}Mi"]


def _of_available(usage: Usage, available: Usage) -> list[str]:
    """Each measure, and its share of what there is."""
    shares = [f"{int(usage[one] * 100 / available[one])}%" if available[one] else UNKNOWN for one in MEASURES]
    return [cell for pair in zip(_shown(usage), shares, strict=True) for cell in pair]


def _say(session: Session, rows: Sequence[Sequence[str]]) -> None:
    text = "".join("".join(f"{cell}\t" for cell in row) + "\n" for row in rows)
    session.say(align(text, minimum=NARROWEST, padding=3).removesuffix("\n"))


def _why_none(session: Session, name: str, query: Query) -> None:
    """Raises CommandError where there are pods that are not measured."""
    pods = [_one(session, POD, name)] if name else list(listed(session, POD, query))
    if not pods:
        session.tell("No resources found" + ("" if query.all_namespaces else f" in {session.namespace} namespace."))
        return
    for one in pods:
        metadata = one["metadata"]
        age = (session.now - datetime.fromisoformat(metadata["creationTimestamp"])).total_seconds()
        if age > LATE_SECONDS:
            raise CommandError(f"Metrics not available for pod {metadata['namespace']}/{metadata['name']}, age: {human(age)}")
    raise CommandError("metrics not available yet")
