"""Storage: what pods' claims mean for the choice of a node: where bound volumes are reachable, and which free ones would do.

A claim is bound, unbound and waiting for its first consumer (then a volume is chosen here, together with the node), or unbound and
somebody else's to bind. What was chosen counts as taken (*assumed*) from the decision until it is written or has failed, so two
pods decided one after the other never get one volume. Nothing here awaits.
https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
upstream pkg/scheduler/framework/plugins/volumebinding
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kube.api import volume_matching as matching
from kube.api.meta import Key, controlled_by
from kube.api.types import CSINode, Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass
from kube.client.cache import Cache
from kube.client.informer import Informers
from scheduler.pod_info import PodInfo

BY_CLASS = "volumes by class"
UNBOUND_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
NOT_REACHABLE = "node(s) didn't match PersistentVolume's node affinity"
VOLUME_GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


class Use(NamedTuple):
    """A pod's volume that stands for a claim."""

    claim: Key
    ephemeral: bool


@dataclass(frozen=True)
class Wanted:
    """A pod's claims. `problem`: why no node will do, in the words of the event."""

    problem: str = ""
    bound: tuple[PersistentVolumeClaim, ...] = ()
    waiting: tuple[PersistentVolumeClaim, ...] = ()  # for their first consumer, the smallest first


@dataclass(frozen=True)
class Choice:
    """What binding the pod to a node means for its claims."""

    node: str
    bind: tuple[tuple[PersistentVolumeClaim, PersistentVolume], ...] = ()
    provision: tuple[PersistentVolumeClaim, ...] = ()
    wait: tuple[PersistentVolumeClaim, ...] = ()  # chosen by another pod's decision, and not written yet

    @property
    def claims(self) -> tuple[PersistentVolumeClaim, ...]:
        return (*(claim for claim, _ in self.bind), *self.provision, *self.wait)


class Assumed(NamedTuple):
    """What a claim will be: bound to a volume, or provisioned for a node."""

    volume: str
    node: str


@dataclass
class Storage:
    claims: Cache[PersistentVolumeClaim]
    volumes: Cache[PersistentVolume]
    classes: Cache[StorageClass]
    nodes: Cache[CSINode]
    assumed: dict[str, Assumed] = field(default_factory=dict)  # by the claim's uid

    def wanted(self, pod: Pod | PodInfo) -> Wanted:
        bound: list[PersistentVolumeClaim] = []
        waiting: list[PersistentVolumeClaim] = []
        for use in uses(pod):
            claim = self.claims.get(use.claim)
            problem = _problem(pod, use, claim)
            if problem or claim is None:
                return Wanted(problem)
            if matching.fully_bound(claim):
                bound.append(claim)
            elif not claim.spec.volumeName and matching.waits_for_consumer(self.class_of(claim)):
                waiting.append(claim)
            else:
                return Wanted(UNBOUND_IMMEDIATE)
        return Wanted("", tuple(bound), tuple(sorted(waiting, key=matching.requested)))

    def class_of(self, claim: PersistentVolumeClaim) -> StorageClass | None:
        return self.classes.get(Key("", matching.class_of(claim)))

    def volume_of(self, claim: PersistentVolumeClaim) -> PersistentVolume | None:
        return self.volumes.get(Key("", claim.spec.volumeName or ""))

    def refusal(self, wanted: Wanted, node: Node) -> tuple[str, ...]:
        """Why the node will not do; empty where it will."""
        reasons = []
        volumes = [self.volume_of(claim) for claim in wanted.bound]
        if any(volume is None for volume in volumes):
            reasons.append(VOLUME_GONE)
        if any(volume is not None and not matching.reachable(volume, node) for volume in volumes):
            reasons.append(NOT_REACHABLE)
        if not reasons and self.choice(wanted, node) is None:
            reasons.append(NO_VOLUME)
        return tuple(reasons)

    def choice(self, wanted: Wanted, node: Node) -> Choice | None:
        """Volumes for the claims that wait, reachable from the node; None where there are not enough."""
        taken = {one.volume for one in self.assumed.values() if one.volume}
        bind: list[tuple[PersistentVolumeClaim, PersistentVolume]] = []
        provision: list[PersistentVolumeClaim] = []
        wait: list[PersistentVolumeClaim] = []
        for claim in wanted.waiting:
            known = self.assumed.get(claim.metadata.uid or "")
            if known is not None:
                if not self._same(known, node):
                    return None
                wait.append(claim)
                continue
            found = None
            if not matching.annotation(claim, matching.SELECTED_NODE):
                found = matching.best_match(claim, self._candidates(claim), node, taken=taken)
            if found is not None:
                bind.append((claim, found))
                taken.add(found.metadata.name or "")
            elif self._can_provision(claim, node):
                provision.append(claim)
            else:
                return None
        return Choice(node.metadata.name or "", tuple(bind), tuple(provision), tuple(wait))

    def assume(self, choice: Choice) -> None:
        for claim, volume in choice.bind:
            self.assumed[claim.metadata.uid or ""] = Assumed(volume.metadata.name or "", choice.node)
        for claim in choice.provision:
            self.assumed[claim.metadata.uid or ""] = Assumed("", choice.node)

    def forget(self, choice: Choice) -> None:
        """It is written, or it failed."""
        for claim in (*(claim for claim, _ in choice.bind), *choice.provision):
            self.assumed.pop(claim.metadata.uid or "", None)

    def _same(self, known: Assumed, node: Node) -> bool:
        if not known.volume:
            return known.node == node.metadata.name
        volume = self.volumes.get(Key("", known.volume))
        return volume is not None and matching.reachable(volume, node)

    def _candidates(self, claim: PersistentVolumeClaim) -> Iterator[PersistentVolume]:
        yield from self.volumes.by_index(BY_CLASS, matching.class_of(claim))

    def _can_provision(self, claim: PersistentVolumeClaim, node: Node) -> bool:
        """By somebody outside, who is told the node."""
        selected = matching.annotation(claim, matching.SELECTED_NODE)
        storage_class = self.class_of(claim)
        if (
            storage_class is None
            or storage_class.provisioner == matching.NO_PROVISIONER
            or selected not in ("", node.metadata.name)
        ):
            return False
        labels = node.metadata.labels or {}
        terms = storage_class.allowedTopologies or ()
        return not terms or any(
            all(labels.get(one.key) in one.values for one in term.matchLabelExpressions or ()) for term in terms
        )


def storage_of(informers: Informers) -> Storage:
    volumes = informers.of(PersistentVolume).cache
    volumes.add_index(BY_CLASS, lambda volume: [matching.class_of(volume)])
    return Storage(
        claims=informers.of(PersistentVolumeClaim).cache,
        volumes=volumes,
        classes=informers.of(StorageClass).cache,
        nodes=informers.of(CSINode).cache,
    )


def no_storage() -> Storage:
    """For a snapshot without a cluster around it: there are no claims."""
    volumes: Cache[PersistentVolume] = Cache()
    volumes.add_index(BY_CLASS, lambda volume: [matching.class_of(volume)])
    return Storage(Cache(), volumes, Cache(), Cache())


def uses(pod: Pod | PodInfo) -> Iterable[Use]:
    for volume in pod.spec.volumes or ():
        if volume.persistentVolumeClaim is not None:
            yield Use(Key(pod.metadata.namespace or "", volume.persistentVolumeClaim.claimName), False)
        elif volume.ephemeral is not None:
            yield Use(Key(pod.metadata.namespace or "", f"{pod.metadata.name}-{volume.name}"), True)


def _problem(pod: Pod | PodInfo, use: Use, claim: PersistentVolumeClaim | None) -> str:
    name = use.claim.name
    if claim is None:
        if use.ephemeral:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        return f'persistentvolumeclaim "{name}" not found'
    if claim.metadata.deletionTimestamp is not None:
        return f'persistentvolumeclaim "{name}" is being deleted'
    if claim.status is not None and claim.status.phase == "Lost":
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim.spec.volumeName}"'
    if use.ephemeral and not controlled_by(claim.metadata, pod.metadata.uid or ""):
        return f"PVC {use.claim} was not created for pod {pod.metadata.namespace}/{pod.metadata.name}"
    return ""
