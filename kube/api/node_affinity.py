"""Node selection: does a node satisfy a pod's nodeSelector and required node affinity.

Terms are alternatives; within a term every expression and every field must hold. An empty term matches nothing.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from collections.abc import Mapping

from kube.api.types import Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod


def wanted(pod: Pod, node: Node) -> bool:
    """nodeSelector and requiredDuringSchedulingIgnoredDuringExecution together."""
    labels = node.metadata.labels or {}
    if any(labels.get(key) != value for key, value in (pod.spec.nodeSelector or {}).items()):
        return False
    required = required_terms(pod)
    return required is None or selects(required, node)


def required_terms(pod: Pod) -> NodeSelector | None:
    affinity = pod.spec.affinity.nodeAffinity if pod.spec.affinity else None
    return affinity.requiredDuringSchedulingIgnoredDuringExecution if affinity else None


def selects(selector: NodeSelector, node: Node) -> bool:
    return any(term_matches(term, node) for term in selector.nodeSelectorTerms)


def term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    if not term.matchExpressions and not term.matchFields:
        return False
    fields = {"metadata.name": node.metadata.name}
    labels = node.metadata.labels or {}
    return all(_holds(one, labels) for one in term.matchExpressions or ()) and all(
        _holds(one, fields) for one in term.matchFields or ()
    )


def _holds(requirement: NodeSelectorRequirement, values: Mapping[str, str]) -> bool:
    value = values.get(requirement.key)
    match requirement.operator:
        case "In":
            return value is not None and value in (requirement.values or ())
        case "NotIn":
            return value is None or value not in (requirement.values or ())
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(requirement, value)
    return False


def _compares(requirement: NodeSelectorRequirement, value: str | None) -> bool:
    """Gt and Lt compare integers; anything else never matches."""
    try:
        have, bound = int(value or ""), int((requirement.values or [""])[0])
    except ValueError:
        return False
    return have > bound if requirement.operator == "Gt" else have < bound
