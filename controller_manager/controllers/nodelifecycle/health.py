"""Health of nodes: what a node's silence and conditions mean for its status and its taints. Pure.

https://kubernetes.io/docs/concepts/architecture/nodes/#node-status · pkg/controller/nodelifecycle/node_lifecycle_controller.go
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum

from kube.api.meta import Tree
from kube.api.types import Node, NodeCondition
from kube.api.views import timestamp, tree_of

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
PRESSURES = {  # the taint that each condition brings, by the condition's status
    "MemoryPressure": {"True": "node.kubernetes.io/memory-pressure"},
    "DiskPressure": {"True": "node.kubernetes.io/disk-pressure"},
    "PIDPressure": {"True": "node.kubernetes.io/pid-pressure"},
    "NetworkUnavailable": {"True": "node.kubernetes.io/network-unavailable"},
    "Ready": {"False": NOT_READY, "Unknown": UNREACHABLE},
}
OURS = frozenset({UNSCHEDULABLE, *(key for one in PRESSURES.values() for key in one.values())})
REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")  # what a silent kubelet no longer vouches for
REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"


class Zone(Enum):
    """How a zone fares."""

    NORMAL = "Normal"
    PARTIAL = "PartialDisruption"
    FULL = "FullDisruption"


def condition_of(node: Node, type: str) -> NodeCondition | None:
    return next((one for one in node.status.conditions or () if one.type == type), None)


def readiness(node: Node) -> str:
    """True, False or Unknown; Unknown, too, where the kubelet has not said anything yet."""
    found = condition_of(node, "Ready")
    return found.status if found is not None else "Unknown"


def silent_conditions(node: Node, now: datetime) -> list[Tree]:
    """The conditions of a node that has been silent for too long; none, where they say so already."""
    found: list[Tree] = []
    for type in REPORTED:
        known = condition_of(node, type)
        if known is None:
            reason, message = "NodeStatusNeverUpdated", "Kubelet never posted node status."
            told = {"type": type, "lastHeartbeatTime": timestamp(node.metadata.creationTimestamp or now)}
        elif known.status != "Unknown":
            reason, message = "NodeStatusUnknown", "Kubelet stopped posting node status."
            told = tree_of(known)
        else:
            continue
        found.append({**told, "status": "Unknown", "reason": reason, "message": message, "lastTransitionTime": timestamp(now)})
    return found


def no_schedule_keys(node: Node) -> set[str]:
    """The NoSchedule taints that the node's conditions ask for."""
    found = {PRESSURES[one.type].get(one.status, "") for one in node.status.conditions or () if one.type in PRESSURES}
    if node.spec is not None and node.spec.unschedulable:
        found.add(UNSCHEDULABLE)
    return found - {""}


def no_execute_key(node: Node) -> str:
    """The NoExecute taint that the node should have; empty for a ready one."""
    return {"True": "", "False": NOT_READY}.get(readiness(node), UNREACHABLE)


def taints(node: Node, no_execute: str, now: datetime) -> list[Tree] | None:
    """The node's taints as they should be, `no_execute` being the key of that effect; None where they are so already."""
    have = [tree_of(one) for one in (node.spec.taints if node.spec is not None else None) or ()]
    wanted = [(key, "NoSchedule") for key in sorted(no_schedule_keys(node))]
    if no_execute:
        wanted.append((no_execute, "NoExecute"))
    kept = [one for one in have if not _ours(one) or (one["key"], one["effect"]) in wanted]
    known = {(one["key"], one["effect"]) for one in kept}
    new = [{"key": key, "effect": effect, "timeAdded": timestamp(now)} for key, effect in wanted if (key, effect) not in known]
    return None if not new and len(kept) == len(have) else kept + new


def has_no_execute(node: Node) -> bool:
    """Whether it has a NoExecute taint of ours, this one or the other."""
    have = (node.spec.taints if node.spec is not None else None) or ()
    return any(one.effect == "NoExecute" and one.key in (NOT_READY, UNREACHABLE) for one in have)


def zone_of(node: Node) -> str:
    labels: Mapping[str, str] = node.metadata.labels or {}
    region, zone = labels.get(REGION, ""), labels.get(ZONE, "")
    return f"{region}:\x00:{zone}" if region or zone else ""


def zones(nodes: Iterable[Node], threshold: float) -> dict[str, Zone]:
    """How each zone fares: full disruption with no ready node, partial with more than two and a share of not ready ones."""
    ready: Counter[str] = Counter()
    unready: Counter[str] = Counter()
    for node in nodes:
        (ready if readiness(node) == "True" else unready)[zone_of(node)] += 1
    found = {}
    for zone in {*ready, *unready}:
        if unready[zone] and not ready[zone]:
            found[zone] = Zone.FULL
        elif unready[zone] > 2 and unready[zone] / (unready[zone] + ready[zone]) >= threshold:
            found[zone] = Zone.PARTIAL
        else:
            found[zone] = Zone.NORMAL
    return found


def _ours(taint: Tree) -> bool:
    if taint["effect"] == "NoExecute":
        return taint["key"] in (NOT_READY, UNREACHABLE)
    return taint["effect"] == "NoSchedule" and taint["key"] in OURS
