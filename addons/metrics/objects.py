"""Objects: NodeMetrics and PodMetrics, their lists, and their Tables, in upstream's shapes. Pure.

https://kubernetes.io/docs/reference/external-api/metrics.v1beta1/ · metrics-server pkg/api
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from addons.metrics.usage import Usage
from kube.api import quantity
from kube.api.meta import Tree
from kube.api.table import partial_metadata

GROUP_VERSION = "metrics.k8s.io/v1beta1"
KINDS = {"nodes": "NodeMetrics", "pods": "PodMetrics"}
NAME = {"name": "Name", "type": "string", "format": "name", "description": "Name of the resource", "priority": 0}
MEASURES = ("cpu", "memory")


def node_metrics(name: str, labels: dict[str, str], usage: Usage, now: datetime) -> Tree:
    return {**_object("nodes", {"name": name}, labels, [usage], now), "usage": _usage(usage)}


def pod_metrics(namespace: str, name: str, labels: dict[str, str], containers: dict[str, Usage], now: datetime) -> Tree:
    """As old as its oldest container's numbers are."""
    tree = _object("pods", {"name": name, "namespace": namespace}, labels, list(containers.values()), now)
    return {**tree, "containers": [{"name": one, "usage": _usage(usage)} for one, usage in sorted(containers.items())]}


def list_of(plural: str, items: Iterable[Tree]) -> Tree:
    return {"kind": f"{KINDS[plural]}List", "apiVersion": GROUP_VERSION, "metadata": {}, "items": list(items)}


def table(items: Iterable[Tree]) -> Tree:
    columns = [NAME, *({"name": one, "type": "string", "format": "quantity", "description": "", "priority": 0} for one in MEASURES)]
    columns.append({"name": "Window", "type": "string", "format": "duration", "description": "", "priority": 0})
    rows = [{"cells": _cells(one), "object": partial_metadata(one)} for one in items]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns, "rows": rows}


def _cells(tree: Tree) -> list[str]:
    used = [tree["usage"]] if "usage" in tree else [one["usage"] for one in tree["containers"]]
    sums = {name: used[0][name] for name in MEASURES}
    for more in used[1:]:
        sums = {name: quantity.add(sums[name], more[name]) for name in MEASURES}
    return [tree["metadata"]["name"], *sums.values(), tree["window"]]


def _object(plural: str, metadata: Tree, labels: dict[str, str], usages: list[Usage], now: datetime) -> Tree:
    oldest = min(usages, key=lambda one: one.at)
    return {
        "kind": KINDS[plural],
        "apiVersion": GROUP_VERSION,
        "metadata": {**metadata, "creationTimestamp": _time(now), **({"labels": labels} if labels else {})},
        "timestamp": _time(datetime.fromtimestamp(oldest.at, UTC)),
        "window": f"{oldest.window:.3f}s",
    }


def _usage(usage: Usage) -> Tree:
    cpu = (Decimal(usage.cpu)).quantize(Decimal("1e-9"))
    return {"cpu": quantity.render(cpu), "memory": quantity.render(Decimal(usage.memory), "binary")}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
