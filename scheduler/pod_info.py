"""PodInfo: a pod, with what the scheduler finds out of it once: what it asks for, its ports, its affinity terms.

https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
upstream framework.PodInfo
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import msgspec

from kube.api import labels, pod_resources
from kube.api.types import Pod, PodAffinityTerm

Port = tuple[str, str, int]  # protocol, host address, host port
Namespaces = Mapping[str, labels.Labels]  # by name, their labels
Kind = Literal["required", "required not", "preferred"]

_encoded = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True)
class Term:
    """Which pods, and in which domains of the nodes."""

    key: str
    selector: labels.Selector
    namespaces: frozenset[str]
    namespace_selector: labels.Selector

    def covers(self, pod: "PodInfo", namespaces: Namespaces) -> bool:
        if pod.namespace not in self.namespaces and not self.namespace_selector.matches(namespaces.get(pod.namespace)):
            return False
        return self.selector.matches(pod.labels)


@dataclass(frozen=True)
class Carried:
    """A term, and what it means for other pods' places: a preferred one's weight is negative where it keeps apart."""

    kind: Kind
    term: Term
    weight: int = 0


class PodInfo:
    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.metadata = pod.metadata
        self.spec = pod.spec
        self.status = pod.status
        self.uid: str = pod.metadata.uid
        self.namespace: str = pod.metadata.namespace or ""
        self.labels: labels.Labels = pod.metadata.labels or {}
        self.priority: int = pod.spec.priority or 0

    @cached_property
    def asked(self) -> pod_resources.Amounts:
        return pod_resources.requests(self.pod)

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        return tuple(host_ports(self.pod))

    @cached_property
    def tolerations(self) -> bytes:
        """To tell whether another pod tolerates the same."""
        return _encoded(self.spec.tolerations)

    @cached_property
    def node_wish(self) -> bytes:
        """To tell whether another pod demands the same of nodes' labels."""
        affinity = self.spec.affinity.nodeAffinity if self.spec.affinity else None
        return _encoded((self.spec.nodeSelector, affinity))

    @cached_property
    def together(self) -> tuple[Term, ...]:
        """Required: near pods that all of these cover."""
        return tuple(one.term for one in self.carries if one.kind == "required")

    @cached_property
    def apart(self) -> tuple[Term, ...]:
        """Required: not near a pod that any of these covers."""
        return tuple(one.term for one in self.carries if one.kind == "required not")

    @cached_property
    def preferred(self) -> tuple[Carried, ...]:
        return tuple(one for one in self.carries if one.kind == "preferred")

    @cached_property
    def carries(self) -> tuple[Carried, ...]:
        """All its affinity terms."""
        return tuple(self._terms()) if self.spec.affinity is not None else ()

    def _terms(self) -> Iterator[Carried]:
        near, far = self.spec.affinity.podAffinity, self.spec.affinity.podAntiAffinity
        sides: tuple[tuple[Kind, Any, int], ...] = (("required", near, 1), ("required not", far, -1))
        for kind, side, sign in sides:
            if side is None:
                continue
            for term in side.requiredDuringSchedulingIgnoredDuringExecution or ():
                yield Carried(kind, self._ready(term))
            for one in side.preferredDuringSchedulingIgnoredDuringExecution or ():
                yield Carried("preferred", self._ready(one.podAffinityTerm), sign * one.weight)

    def _ready(self, term: PodAffinityTerm) -> Term:
        """The pod's own namespace where none is named; matchLabelKeys and mismatchLabelKeys as requirements (KEP-3633)."""
        selector = with_own_values(labels.from_label_selector(term.labelSelector), self.labels, term.matchLabelKeys)
        named = term.namespaces or ([self.namespace] if term.namespaceSelector is None else [])
        return Term(
            term.topologyKey,
            with_own_values(selector, self.labels, term.mismatchLabelKeys, "NotIn"),
            frozenset(named),
            labels.from_label_selector(term.namespaceSelector),
        )


def with_own_values(
    selector: labels.Selector, own: labels.Labels, keys: Iterable[str] | None, operator: str = "In"
) -> labels.Selector:
    """The selector, and the pod's own values of these labels, where it has them. What selects nothing goes on doing so.

    A key that the selector asks for already was written into it when the pod was made (kube.api.core.label_keys), and counts as
    it was then: only a pod that was stored before servers did so has keys to be added here.
    """
    asked = {(one.key, one.operator) for one in selector.requirements}
    new = [labels.Requirement(key, operator, (own[key],)) for key in keys or () if key in own and (key, operator) not in asked]
    return labels.Selector((*selector.requirements, *new), selector.none) if new else selector


def host_ports(pod: Any) -> Iterable[Port]:
    """The host ports that a pod wants: protocol, address (0.0.0.0 for all), port."""
    for container in pod.spec.containers:
        for port in container.ports or ():
            if port.hostPort:
                yield port.protocol or "TCP", port.hostIP or "0.0.0.0", port.hostPort
