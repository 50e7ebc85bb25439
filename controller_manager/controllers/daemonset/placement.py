"""Placement: on which nodes a DaemonSet wants a pod, and what such a pod looks like. Pure.

The scheduler binds daemon pods like any other; a required node affinity on metadata.name leaves it one choice. The taints that a
node gets while something is wrong with it are tolerated, so that daemons stay.
https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations · pkg/controller/daemon/util
"""

from typing import NamedTuple

from controller_manager.history import HASH_LABEL
from controller_manager.pod_control import pod_from_template
from kube.api.meta import Tree
from kube.api.node_affinity import wanted
from kube.api.toleration import untolerated
from kube.api.types import DaemonSet, Node, Pod, Toleration

GENERATION = "deprecated.daemonset.template.generation"
NAME_FIELD = "metadata.name"
ALWAYS_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
TOLERATED_ON_HOST_NETWORK = (("node.kubernetes.io/network-unavailable", "NoSchedule"),)


class Fit(NamedTuple):
    """Whether a pod should be started on a node, and whether one that is there may stay."""

    start: bool
    stay: bool


def fit(ds: DaemonSet, node: Node) -> Fit:
    spec = ds.spec.template.spec
    if spec.nodeName and spec.nodeName != node.metadata.name:
        return Fit(False, False)
    if not wanted(Pod(spec=spec), node):
        return Fit(False, False)
    tolerations = [*(spec.tolerations or ()), *(Toleration(**one) for one in tolerated(host_network=bool(spec.hostNetwork)))]
    taints = node.spec.taints or () if node.spec is not None else ()
    start = not untolerated(tolerations, taints, ("NoSchedule", "NoExecute"))
    return Fit(start, not untolerated(tolerations, taints, ("NoExecute",)))


def tolerated(*, host_network: bool) -> list[Tree]:
    pairs = ALWAYS_TOLERATED + (TOLERATED_ON_HOST_NETWORK if host_network else ())
    return [{"key": key, "operator": "Exists", "effect": effect} for key, effect in pairs]


def pod_for(ds: DaemonSet, node: str, digest: str) -> Tree:
    """The daemon pod of a node."""
    tree = pod_from_template(ds, ds.spec.template)
    metadata, spec = tree["metadata"], tree["spec"]
    metadata["labels"] = {**metadata.get("labels", {}), HASH_LABEL: digest}
    generation = (ds.metadata.annotations or {}).get(GENERATION)
    if generation:
        metadata["labels"]["pod-template-generation"] = generation
    _pin(spec, node)
    have = spec.get("tolerations") or []
    spec["tolerations"] = have + [one for one in tolerated(host_network=bool(spec.get("hostNetwork"))) if one not in have]
    return tree


def node_of(pod: Pod) -> str:
    """Where a daemon pod is, or is meant to be."""
    if pod.spec.nodeName:
        return str(pod.spec.nodeName)
    affinity = pod.spec.affinity.nodeAffinity if pod.spec.affinity is not None else None
    required = affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity is not None else None
    for term in required.nodeSelectorTerms if required is not None else ():
        for one in term.matchFields or ():
            if one.key == NAME_FIELD and one.operator == "In" and len(one.values or ()) == 1:
                return str(one.values[0])
    return ""


def _pin(spec: Tree, node: str) -> None:
    """Leave the scheduler this node alone. Terms are alternatives, so each of them gets the field."""
    affinity = spec.setdefault("affinity", {}).setdefault("nodeAffinity", {})
    required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": [{}]})
    field = {"key": NAME_FIELD, "operator": "In", "values": [node]}
    required["nodeSelectorTerms"] = [{**term, "matchFields": [field]} for term in required["nodeSelectorTerms"]]
