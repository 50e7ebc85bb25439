"""Revisions of a deployment: which ReplicaSet is of which template, what they are called, and what their annotations tell.

The new set is the oldest one whose template equals the deployment's, apart from pod-template-hash. A set's revision is one more
than the highest of the others, so rolling back raises the revision of an old set instead of making another.
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label · deployment_util.go
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from controller_manager.whole_number import whole_number
from kube.api.hash import safe_hash
from kube.api.meta import Tree, owner_reference
from kube.api.types import Deployment, ReplicaSet
from kube.api.views import tree_of

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ROLLBACK_TO = "deprecated.deployment.rollback.to"
_OWN = (LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED, MAX, ROLLBACK_TO)  # not copied to the sets
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Sets(NamedTuple):
    """A deployment's ReplicaSets; `old` are all but the new one, oldest first."""

    new: ReplicaSet | None
    old: list[ReplicaSet]

    @property
    def all(self) -> list[ReplicaSet]:
        return [*self.old, self.new] if self.new is not None else self.old


def sort_out(deployment: Deployment, sets: Iterable[ReplicaSet]) -> Sets:
    """Which of the sets is the new one."""
    by_age = sorted(sets, key=age_order)
    wanted = without_hash(tree_of(deployment.spec.template))
    new = next((one for one in by_age if without_hash(tree_of(one.spec.template)) == wanted), None)
    return Sets(new, [one for one in by_age if one is not new])


def age_order(rs: ReplicaSet) -> tuple[datetime, str]:
    return (rs.metadata.creationTimestamp or _LONG_AGO, rs.metadata.name)


def without_hash(template: Tree) -> Tree:
    """The template as its author wrote it."""
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.pop("labels", None) or {}).items() if key != HASH_LABEL}
    return {"metadata": {**metadata, "labels": labels}, "spec": template.get("spec")}


def revision_of(view: Deployment | ReplicaSet) -> int:
    """0 where there is none, or it is no number."""
    return whole_number((view.metadata.annotations or {}).get(REVISION, "")) or 0


def new_replica_set(deployment: Deployment, sets: Sets, replicas: int, max_replicas: int) -> Tree:
    """The ReplicaSet of the current template."""
    template: Tree = tree_of(deployment.spec.template)
    digest = safe_hash(template, deployment.status.collisionCount)
    metadata = template.setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), HASH_LABEL: digest}
    selector: Tree = tree_of(deployment.spec.selector)
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}
    spec: Tree = {"replicas": replicas, "selector": selector, "template": template}
    if deployment.spec.minReadySeconds:
        spec["minReadySeconds"] = deployment.spec.minReadySeconds
    return {
        "metadata": {
            "name": f"{deployment.metadata.name}-{digest}",
            "namespace": deployment.metadata.namespace,
            "labels": metadata["labels"],
            "annotations": {**new_set_annotations(deployment, sets), **size_annotations(deployment, max_replicas)},
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": spec,
    }


def new_set_annotations(deployment: Deployment, sets: Sets) -> dict[str, str]:
    """What the new set's annotations should say, apart from its sizes: the deployment's own, and the revision."""
    have = dict((sets.new.metadata.annotations if sets.new is not None else None) or {})
    copied = {key: value for key, value in (deployment.metadata.annotations or {}).items() if key not in _OWN}
    return {**have, **copied, **_revision(sets, have)}


def size_annotations(deployment: Deployment, max_replicas: int) -> dict[str, str]:
    """The size that the deployment had when a set was last scaled: what proportional scaling starts from."""
    return {DESIRED: str(deployment.spec.replicas), MAX: str(max_replicas)}


def _revision(sets: Sets, have: dict[str, str]) -> dict[str, str]:
    """One more than the others' highest; where that is a step up, the former number goes into the history."""
    number = max((revision_of(one) for one in sets.old), default=0) + 1
    before = have.get(REVISION, "")
    if (whole_number(before) or 0) >= number:
        return {}
    if not before:
        return {REVISION: str(number)}
    history = [one for one in have.get(REVISION_HISTORY, "").split(",") if one]
    return {REVISION: str(number), REVISION_HISTORY: ",".join([*history, before])}


def superfluous(deployment: Deployment, sets: Sets) -> list[ReplicaSet]:
    """Old empty sets beyond revisionHistoryLimit, the lowest revisions first."""
    limit = deployment.spec.revisionHistoryLimit
    alive = [one for one in sets.old if one.metadata.deletionTimestamp is None]
    if limit is None or len(alive) <= limit:
        return []
    by_revision: Sequence[ReplicaSet] = sorted(alive, key=lambda one: (revision_of(one), age_order(one)))
    return [one for one in by_revision[: len(alive) - limit] if _empty(one)]


def _empty(rs: ReplicaSet) -> bool:
    status = rs.status
    observed = (status.observedGeneration or 0) >= (rs.metadata.generation or 0)
    return not rs.spec.replicas and not status.replicas and observed
