"""Progress: a deployment's status and conditions, from its ReplicaSets and the time. Pure.

Progressing is True while something moves and after the rollout is complete; it turns False once nothing has moved for
progressDeadlineSeconds (the rollout goes on all the same). Paused, the clock stands still.
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status · pkg/controller/deployment/progress.go
"""

from datetime import datetime, timedelta

from controller_manager.conditions import Conditions, condition, find, trees, with_condition, without
from controller_manager.controllers.deployment.revision import Sets
from controller_manager.controllers.deployment.rolling import max_unavailable, total
from controller_manager.status_patch import without_empty
from kube.api.meta import Tree
from kube.api.types import Deployment
from kube.api.views import timestamp

NEW_AVAILABLE, NEW_CREATED, FOUND_NEW = "NewReplicaSetAvailable", "NewReplicaSetCreated", "FoundNewReplicaSet"
UPDATED, TIMED_OUT, PAUSED, RESUMED = "ReplicaSetUpdated", "ProgressDeadlineExceeded", "DeploymentPaused", "DeploymentResumed"
LONG_AGO = "0001-01-01T00:00:00Z"  # as Go reads a time that is not there


def deployment_condition(type: str, status: str, reason: str, message: str, now: datetime) -> Tree:
    """Deployments also tell when a condition was last looked at and changed in any way."""
    return {**condition(type, status, reason, message, now), "lastUpdateTime": timestamp(now)}


def progressing(reason: str, message: str, now: datetime, status: str = "True") -> Tree:
    return deployment_condition("Progressing", status, reason, message, now)


def counts(deployment: Deployment, sets: Sets, conditions: Conditions, now: datetime) -> Tree:
    """The status without its progress: numbers, Available, ReplicaFailure."""
    available = sum(one.status.availableReplicas or 0 for one in sets.all)
    status = {
        "observedGeneration": deployment.metadata.generation,
        "replicas": sum(one.status.replicas or 0 for one in sets.all),
        "updatedReplicas": (sets.new.status.replicas or 0) if sets.new is not None else 0,
        "readyReplicas": sum(one.status.readyReplicas or 0 for one in sets.all),
        "availableReplicas": available,
        "unavailableReplicas": max(total(sets.all) - available, 0),
        "collisionCount": deployment.status.collisionCount,
        "conditions": with_condition(conditions, _available(deployment, available, now)),
    }
    terminating = [one.status.terminatingReplicas for one in sets.all]
    if None not in terminating:  # else some set's controller has not counted yet
        status["terminatingReplicas"] = sum(terminating)
    return without_empty(status, always=("terminatingReplicas",))


def rollout(deployment: Deployment, sets: Sets, conditions: Conditions, now: datetime) -> Tree:
    """The status amid a rollout. `conditions` are those known, with what this turn found added."""
    status = counts(deployment, sets, conditions, now)
    known: Conditions = status["conditions"]
    if deployment.spec.progressDeadlineSeconds is None:
        known = without(known, "Progressing")
    else:
        known = _progress(deployment, sets, status, known, now)
    failed = [one for rs in sets.all for one in trees(rs.status.conditions) if one["type"] == "ReplicaFailure"]
    known = without(known, "ReplicaFailure")
    if failed:
        told = failed[-1]
        known = with_condition(known, deployment_condition("ReplicaFailure", told["status"], told["reason"], told["message"], now))
    return {**status, "conditions": known}


def pause(deployment: Deployment, conditions: Conditions, now: datetime) -> Conditions:
    """Progressing tells that the deployment was paused or resumed, so that the deadline does not run meanwhile."""
    current = find(conditions, "Progressing")
    if deployment.spec.progressDeadlineSeconds is None or (current and current.get("reason") == TIMED_OUT):
        return conditions
    told = current is not None and current.get("reason") == PAUSED
    if deployment.spec.paused and not told:
        return with_condition(conditions, progressing(PAUSED, "Deployment is paused", now, "Unknown"))
    if not deployment.spec.paused and told:
        return with_condition(conditions, progressing(RESUMED, "Deployment is resumed", now, "Unknown"))
    return conditions


def complete(deployment: Deployment, status: Tree) -> bool:
    """All replicas are of the new template and available, and nothing else is left."""
    wanted = deployment.spec.replicas
    sizes = [status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas")]
    return all(size == wanted for size in sizes) and status.get("observedGeneration", 0) >= (deployment.metadata.generation or 0)


def seconds_until_deadline(deployment: Deployment, status: Tree, now: datetime) -> float | None:
    """When to look again although nothing may happen until then: a second after the deadline."""
    current = find(status.get("conditions", []), "Progressing")
    if deployment.spec.progressDeadlineSeconds is None or current is None or current.get("reason") in (TIMED_OUT, NEW_AVAILABLE):
        return None
    if complete(deployment, status) or deployment.spec.paused:
        return None
    return max((_deadline(deployment, current) - now).total_seconds(), 0.0) + 1.0


def _progress(deployment: Deployment, sets: Sets, status: Tree, known: Conditions, now: datetime) -> Conditions:
    """Complete, moving, or out of time; else unchanged."""
    current = find(known, "Progressing")
    settled = current is not None and current.get("reason") == NEW_AVAILABLE
    if settled and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return known
    what = f'ReplicaSet "{sets.new.metadata.name}"' if sets.new is not None else f'Deployment "{deployment.metadata.name}"'
    if complete(deployment, status):
        return with_condition(known, progressing(NEW_AVAILABLE, f"{what} has successfully progressed.", now))
    if _moved(deployment, status):
        moving = progressing(UPDATED, f"{what} is progressing.", now)
        if current is not None and current["status"] == "True":
            moving["lastTransitionTime"] = current["lastTransitionTime"]
        return [*without(known, "Progressing"), moving]
    if _timed_out(deployment, current, now):
        return with_condition(known, progressing(TIMED_OUT, f"{what} has timed out progressing.", now, "False"))
    return known


def _moved(deployment: Deployment, status: Tree) -> bool:
    """More of the new, less of the old, more ready or more available than before."""
    old = deployment.status
    old_updated, old_replicas = old.updatedReplicas or 0, old.replicas or 0
    updated, replicas = status.get("updatedReplicas", 0), status.get("replicas", 0)
    return bool(
        updated > old_updated
        or replicas - updated < old_replicas - old_updated
        or status.get("readyReplicas", 0) > (old.readyReplicas or 0)
        or status.get("availableReplicas", 0) > (old.availableReplicas or 0)
    )


def _timed_out(deployment: Deployment, current: Tree | None, now: datetime) -> bool:
    if current is None or current.get("reason") == NEW_AVAILABLE:
        return False
    return current.get("reason") == TIMED_OUT or now > _deadline(deployment, current)


def _deadline(deployment: Deployment, current: Tree) -> datetime:
    since = datetime.fromisoformat(current.get("lastUpdateTime") or current.get("lastTransitionTime") or LONG_AGO)
    return since + timedelta(seconds=deployment.spec.progressDeadlineSeconds)


def _available(deployment: Deployment, available: int, now: datetime) -> Tree:
    if available >= deployment.spec.replicas - max_unavailable(deployment):
        what = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        what = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return deployment_condition("Available", *what, now)
