"""Topology hints: shares a Service's endpoints out among the zones, in proportion to the processors of each zone's nodes. Pure.

For Services with the annotation `service.kubernetes.io/topology-mode: Auto`. An endpoint is for its own zone, unless that has more
than its part and another so few that its endpoints would have over 20 % more to do than the average. Where endpoints cannot be
shared out safely (too few, nodes or endpoints without a zone, one zone alone), nobody gets a hint, and proxies use all of them.
https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/ · KEP-2433 ·
staging/src/k8s.io/endpointslice/topologycache
"""

from collections.abc import Iterable, Mapping
from math import ceil

from kube.api import quantity
from kube.api.meta import Tree
from kube.api.types import Node, Service

ANNOTATIONS = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")  # the second is the older name
AUTO = ("Auto", "auto")
ZONE = "topology.kubernetes.io/zone"
NOT_COUNTED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
OVERLOAD = 0.2  # how much more than the average an endpoint may have to do

Shares = Mapping[str, float]  # of each zone; all together 1. Empty: not known


class NoHints(Exception):
    """Why the endpoints are not shared out, in upstream's words."""


def asks_for_hints(service: Service) -> bool:
    annotations = service.metadata.annotations or {}
    return next((annotations[name] in AUTO for name in ANNOTATIONS if name in annotations), False)


def shares(nodes: Iterable[Node]) -> Shares:
    """Of nodes that are ready and take ordinary pods. One that does not tell its zone or its processors spoils all."""
    cpus: dict[str, float] = {}
    for node in nodes:
        labels = node.metadata.labels or {}
        if any(name in labels for name in NOT_COUNTED) or not _ready(node):
            continue
        zone, cpu = labels.get(ZONE), quantity.milli(str((node.status.allocatable or {}).get("cpu", "0")))
        if not zone or not cpu:
            return {}
        cpus[zone] = cpus.get(zone, 0) + float(cpu)
    return {zone: cpu / sum(cpus.values()) for zone, cpu in sorted(cpus.items())}


def _ready(node: Node) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in node.status.conditions or ())


def with_hints(endpoints: Iterable[Tree], shares: Shares) -> list[Tree]:
    """The endpoints, the ready ones each with a zone that it is for. Raises NoHints."""
    every = list(endpoints)
    ready = [one for one in every if one["conditions"]["ready"]]
    least = _least(len(ready), shares)
    if not all("zone" in one for one in ready):
        raise NoHints("One or more endpoints do not have a zone specified")
    meant = _zones(ready, shares, least)
    return [{**one, "hints": {"forZones": [{"name": meant[id(one)]}]}} if id(one) in meant else one for one in every]


def _least(count: int, shares: Shares) -> dict[str, int]:
    """How many endpoints each zone must have, lest any of them has too much to do."""
    if not shares:
        raise NoHints("Insufficient Node information: allocatable CPU or zone not specified on one or more nodes")
    if len(shares) == 1:
        raise NoHints("Nodes only ready in one zone")
    counted = f"({count} endpoints, {len(shares)} zones)"
    if count < len(shares):
        raise NoHints(f"Insufficient number of endpoints {counted}")
    least = {zone: ceil(round(share * count / (1 + OVERLOAD), 9)) for zone, share in shares.items()}
    if sum(least.values()) > count:
        text = "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold"
        raise NoHints(f"{text} {counted}")
    return least


def _zones(ready: list[Tree], shares: Shares, least: Mapping[str, int]) -> dict[int, str]:
    """By endpoint; its own zone, or where another lacks one, that. The same endpoints are always shared out alike."""
    held: dict[str, list[Tree]] = {zone: [] for zone in shares}
    for one in sorted(ready, key=lambda one: str(one["addresses"])):
        held.setdefault(one["zone"], []).append(one)
    for needy in shares:
        while len(held[needy]) < least[needy]:
            rich = max(
                (zone for zone in held if len(held[zone]) > least.get(zone, 0)),
                key=lambda zone: len(held[zone]) - shares.get(zone, 0) * len(ready),
            )
            held[needy].append(held[rich].pop())
    homeless = [one for zone in held if zone not in shares for one in held[zone]]  # no node of their zone asks for them
    for one in homeless:
        poorest = max(shares, key=lambda zone: shares[zone] * len(ready) - len(held[zone]))
        held[poorest].append(one)
    return {id(one): zone for zone in shares for one in held[zone]}
