"""matchLabelKeys and mismatchLabelKeys: "of my own revision", written into a new pod's selectors as the pod's own values.

A key that the pod has a label of becomes `key in (value)` behind what the term's labelSelector asks for already, one of
mismatchLabelKeys `key notin (value)`; a key that it lacks adds nothing, and so does a term without a labelSelector. The keys
stay where they were. It is done once, when the pod is made: labels may change afterwards, what it selects does not.
KEP-3633 (terms of pod affinity), KEP-3243 (spread constraints: MatchLabelKeysInPodTopologySpreadSelectorMerge)
"""

from collections.abc import Iterable, Iterator

from kube.api.meta import Tree

REQUIRED, PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"


def merge_label_keys(pod: Tree) -> None:
    own = pod["metadata"].get("labels") or {}
    for term in (*_affinity_terms(pod["spec"].get("affinity") or {}), *(pod["spec"].get("topologySpreadConstraints") or ())):
        selector = term.get("labelSelector")
        if selector is None:
            continue
        new = [*_expressions(own, term.get("matchLabelKeys"), "In"), *_expressions(own, term.get("mismatchLabelKeys"), "NotIn")]
        if new:
            selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *new]


def _affinity_terms(affinity: Tree) -> Iterator[Tree]:
    for side in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(side) or {}
        yield from terms.get(REQUIRED) or ()
        yield from (one["podAffinityTerm"] for one in terms.get(PREFERRED) or () if one.get("podAffinityTerm"))


def _expressions(own: dict[str, str], keys: Iterable[str] | None, operator: str) -> Iterator[Tree]:
    return ({"key": key, "operator": operator, "values": [own[key]]} for key in keys or () if key in own)
