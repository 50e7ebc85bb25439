"""Rolling: the sizes of a deployment's ReplicaSets on the way from one template to the next. Pure.

total <= replicas + maxSurge and available >= replicas - maxUnavailable, at every step. A percentage of maxSurge rounds up, one of
maxUnavailable down; where both come to 0, one pod may be unavailable.
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment · deployment_util.go, rolling.go
"""

from collections.abc import Sequence

from controller_manager.controllers.deployment.revision import DESIRED, MAX, Sets, age_order
from controller_manager.whole_number import whole_number
from kube.api import intstr
from kube.api.types import Deployment, ReplicaSet

Sizes = dict[str, int]  # the names of sets and the number of replicas that each shall have


def max_surge(deployment: Deployment) -> int:
    return _fenceposts(deployment)[0] if _rolls(deployment) else 0


def max_unavailable(deployment: Deployment) -> int:
    """Never more than there are replicas."""
    if not _rolls(deployment) or not deployment.spec.replicas:
        return 0
    return min(_fenceposts(deployment)[1], deployment.spec.replicas)


def most(deployment: Deployment) -> int:
    """The highest number of pods at a time."""
    return deployment.spec.replicas + max_surge(deployment)


def new_set_size(deployment: Deployment, sets: Sets) -> int:
    """How large the new set may be now: it grows by what the surge leaves room for."""
    wanted: int = deployment.spec.replicas
    if not _rolls(deployment):
        return wanted
    have = sets.new.spec.replicas if sets.new is not None else 0
    if have >= wanted:
        return wanted
    room = most(deployment) - total(sets.all)
    return have + min(room, wanted - have) if room > 0 else have


def rolling_step(deployment: Deployment, sets: Sets) -> Sizes:
    """The sizes to change next; none: wait, or done. First the new set grows; if it may not, the old ones shrink."""
    assert sets.new is not None, "the new set is created before others change"
    size = new_set_size(deployment, sets)
    if size != sets.new.spec.replicas:
        return {sets.new.metadata.name: size}
    return _shrink_old(deployment, sets)


def recreate_step(deployment: Deployment, sets: Sets) -> Sizes:
    """All old sets to zero."""
    return {one.metadata.name: 0 for one in sets.old if one.spec.replicas}


def scaling_step(deployment: Deployment, sets: Sets) -> Sizes:
    """Bring the sets to a size of the deployment that changed, without rolling: amid a rollout in proportion, else in full."""
    holders = [one for one in sets.all if one.spec.replicas]
    if not holders:
        holders = [sets.new] if sets.new is not None else sets.old[-1:]
    if len(holders) <= 1:
        return {one.metadata.name: deployment.spec.replicas for one in holders}
    if _saturated(deployment, sets.new):
        return {one.metadata.name: 0 for one in sets.old if one.spec.replicas}
    return _in_proportion(deployment, holders) if _rolls(deployment) else {}


def was_scaled(deployment: Deployment, sets: Sets) -> bool:
    """Whether a set with pods still carries another size of the deployment."""
    noted = [_annotation(one, DESIRED) for one in sets.all if one.spec.replicas]
    return any(size is not None and size != deployment.spec.replicas for size in noted)


def total(sets: Sequence[ReplicaSet]) -> int:
    return sum(one.spec.replicas or 0 for one in sets)


def _rolls(deployment: Deployment) -> bool:
    return deployment.spec.strategy is None or deployment.spec.strategy.type != "Recreate"


def _fenceposts(deployment: Deployment) -> tuple[int, int]:
    rolling = deployment.spec.strategy.rollingUpdate if deployment.spec.strategy is not None else None
    surge, unavailable = (rolling.maxSurge, rolling.maxUnavailable) if rolling is not None else (None, None)
    replicas = deployment.spec.replicas
    up = intstr.resolve(0 if surge is None else surge, replicas, round_up=True)
    down = intstr.resolve(0 if unavailable is None else unavailable, replicas, round_up=False)
    return (up, down) if up or down else (0, 1)


def _shrink_old(deployment: Deployment, sets: Sets) -> Sizes:
    """Unhealthy pods first, since nobody misses them; then the oldest sets, as far as enough pods are available."""
    assert sets.new is not None, "the new set is created before others change"
    least = deployment.spec.replicas - max_unavailable(deployment)
    new_unavailable = sets.new.spec.replicas - (sets.new.status.availableReplicas or 0)
    surplus = total(sets.all) - least - new_unavailable
    if surplus <= 0 or not total(sets.old):
        return {}
    sizes: Sizes = {one.metadata.name: one.spec.replicas for one in sets.old if one.spec.replicas}
    oldest_first = [one for one in sorted(sets.old, key=age_order) if one.spec.replicas]
    for one in oldest_first:
        taken = min(surplus, max(one.spec.replicas - (one.status.availableReplicas or 0), 0))
        sizes[one.metadata.name] -= taken
        surplus -= taken
    spare = sum(one.status.availableReplicas or 0 for one in sets.all) - least
    for one in oldest_first:
        taken = min(sizes[one.metadata.name], max(spare, 0))
        sizes[one.metadata.name] -= taken
        spare -= taken
    return {one.metadata.name: sizes[one.metadata.name] for one in oldest_first if sizes[one.metadata.name] != one.spec.replicas}


def _saturated(deployment: Deployment, new: ReplicaSet | None) -> bool:
    """The new set holds all that the deployment asks for."""
    wanted = deployment.spec.replicas
    return (
        new is not None
        and new.spec.replicas == wanted
        and _annotation(new, DESIRED) == wanted
        and (new.status.availableReplicas or 0) == wanted
    )


def _in_proportion(deployment: Deployment, holders: list[ReplicaSet]) -> Sizes:
    """Spread the difference over the sets by their size; what rounding leaves goes to the largest."""
    allowed = most(deployment) if deployment.spec.replicas > 0 else 0
    missing = allowed - total(holders)
    newest_first = sorted(holders, key=age_order, reverse=True)
    ranked = sorted(newest_first if missing > 0 else newest_first[::-1], key=lambda one: -one.spec.replicas)
    sizes: Sizes = {}
    given = 0
    for one in ranked:
        share = _share(deployment, one, missing - given) if missing else 0
        sizes[one.metadata.name] = one.spec.replicas + share
        given += share
    largest = ranked[0].metadata.name
    sizes[largest] = max(sizes[largest] + missing - given, 0)
    return sizes


def _share(deployment: Deployment, rs: ReplicaSet, left: int) -> int:
    """A set's part of the difference, never beyond what is left of it."""
    if not left:
        return 0
    part = _fraction(deployment, rs)
    return min(part, left) if left > 0 else max(part, left)


def _fraction(deployment: Deployment, rs: ReplicaSet) -> int:
    if not deployment.spec.replicas:
        return -int(rs.spec.replicas)
    before = _annotation(rs, MAX)
    if before is None:
        before = deployment.status.replicas or 0
    if not before:
        return 0
    return int(rs.spec.replicas * most(deployment) / before + 0.5) - int(rs.spec.replicas)


def _annotation(rs: ReplicaSet, name: str) -> int | None:
    return whole_number((rs.metadata.annotations or {}).get(name, ""))
