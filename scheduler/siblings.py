"""Siblings: which pods do the same work as a pod, by the Services that select it and the set that made it.

The scheduler spreads them over nodes and zones where the pod says nothing of that itself.
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#internal-default-constraints
upstream pkg/scheduler/framework/plugins/helper: DefaultSelector
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from kube.api import labels
from kube.api.meta import Key, controller_of
from kube.api.types import ReplicaSet, ReplicationController, Service, StatefulSet
from kube.client.cache import Cache
from kube.client.informer import Informers
from scheduler.pod_info import PodInfo

KINDS = (Service, ReplicationController, ReplicaSet, StatefulSet)
REMEMBERED = 1_024


@dataclass
class Siblings:
    services: Cache[Service]
    sets: dict[str, Cache[Any]]  # by kind
    _known: OrderedDict[object, labels.Selector] = field(default_factory=OrderedDict)

    def changed(self) -> None:
        """Some Service or set is not what it was."""
        self._known.clear()

    def of(self, pod: PodInfo) -> labels.Selector:
        """A selector of them all; an empty one where nothing is known to select the pod."""
        owner = controller_of(pod.metadata)
        name = (pod.namespace, tuple(sorted(pod.labels.items())), owner.uid if owner is not None else "")
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = labels.Selector((*self._by_services(pod), *self._by_owner(pod)))
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def _by_services(self, pod: PodInfo) -> tuple[labels.Requirement, ...]:
        wanted: dict[str, str] = {}
        for service in self.services.list(pod.namespace):
            if labels.from_map(service.spec.selector).matches(pod.labels):
                wanted |= service.spec.selector
        return labels.from_map(wanted).requirements

    def _by_owner(self, pod: PodInfo) -> tuple[labels.Requirement, ...]:
        owner = controller_of(pod.metadata)
        sets = self.sets.get(owner.kind) if owner is not None else None
        found = sets.get(Key(pod.namespace, owner.name)) if sets is not None and owner is not None else None
        if found is None:
            return ()
        if isinstance(found, ReplicationController):
            return labels.from_map(found.spec.selector).requirements
        return labels.from_label_selector(found.spec.selector).requirements


def siblings_of(informers: Informers) -> Siblings:
    """Kept current by the informers."""
    found = Siblings(informers.of(Service).cache, {kind.__name__: informers.of(kind).cache for kind in KINDS[1:]})

    def changed(old: Any, new: Any) -> None:
        if old is None or new is None or old.spec.selector != new.spec.selector:
            found.changed()

    for kind in KINDS:
        informers.of(kind).on_change(changed)
    return found


def no_siblings() -> Siblings:
    """Where nobody follows Services and sets."""
    return Siblings(Cache(), {})
