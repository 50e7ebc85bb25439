"""pods/eviction: delete a pod, if its disruption budget allows.

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from datetime import datetime

from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers.admit import admitted
from apiserver.handlers.body import read_of
from apiserver.handlers.pipeline import check_named, is_dry_run
from kube.api import labels
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import ApiError, TooManyRequests
from kube.api.types import Pod, PodDisruptionBudget
from kube.api.views import timestamp

EXEMPT_PHASES = ("Succeeded", "Failed", "Pending")  # they are no healthy pods: taking them away disrupts nothing
RETRY_SECONDS = 10


async def evict(server: Server, request: Request) -> Response:
    """POST an Eviction."""
    eviction = await read_of(request, "io.k8s.api.policy.v1.Eviction")
    check_named(request, eviction, "Eviction")
    options: Tree = eviction.get("deleteOptions") or {}
    key = Key(request.info.namespace, request.info.name)
    dry_run = is_dry_run(request, options)
    await admitted(server, request, "CREATE", {"apiVersion": "policy/v1", "kind": "Eviction", **eviction}, dry_run=dry_run)
    pods = server.stores.store_for(resource_of(Pod))
    pod = await pods.get(key)
    if (pod.get("status") or {}).get("phase") not in EXEMPT_PHASES and not pod["metadata"].get("deletionTimestamp"):
        await _spend(server, pod, pods.now(), dry_run)
    if not dry_run:
        await _mark(server, key, pods.now())
    preconditions = {"uid": pod["metadata"]["uid"], **(options.get("preconditions") or {})}
    await pods.delete(key, {**options, "preconditions": preconditions}, dry_run=dry_run)
    return json_response({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


async def _spend(server: Server, pod: Tree, now: datetime, dry_run: bool) -> None:
    """Take one disruption from the pod's budget, if it has one. Raises TooManyRequests where none is left."""
    store = server.stores.store_for(resource_of(PodDisruptionBudget))
    budgets = [one for one in store.cached_list(pod["metadata"]["namespace"]) if _covers(one, pod)]
    if len(budgets) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(text)  # of no reason
    for budget in budgets:
        if disrupts_nothing(budget, pod):
            continue
        key = Key(budget["metadata"]["namespace"], budget["metadata"]["name"])

        async def spend(current: Tree) -> Tree:
            return spent(current, pod["metadata"]["name"], now)

        await store.update(key, spend, dry_run)


def _covers(budget: Tree, pod: Tree) -> bool:
    return labels.from_label_selector(budget["spec"].get("selector")).matches(pod["metadata"].get("labels"))


def disrupts_nothing(budget: Tree, pod: Tree) -> bool:
    """Whether the pod is unhealthy, and the budget lets such a pod go (KEP-3017). Pure."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    return bool(0 < status.get("desiredHealthy", 0) <= status.get("currentHealthy", 0))


def spent(budget: Tree, pod: str, now: datetime) -> Tree:
    """The budget with one disruption less. Pure. Raises TooManyRequests."""
    status, name = budget.get("status") or {}, budget["metadata"]["name"]
    blocked = "Cannot evict pod as it would violate the pod's disruption budget."
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refusal(blocked, f"The disruption budget {name} is still being processed by the server.", RETRY_SECONDS)
    if status.get("disruptionsAllowed", 0) < 1:
        raise _refusal(blocked, _why_none(name, status))
    disrupted = {**(status.get("disruptedPods") or {}), pod: timestamp(now)}
    budget["status"] = {**status, "disruptionsAllowed": status["disruptionsAllowed"] - 1, "disruptedPods": disrupted}
    return budget


def _why_none(name: str, status: Tree) -> str:
    for condition in status.get("conditions") or ():
        if (condition["type"], condition["status"], condition.get("reason")) == ("DisruptionAllowed", "False", "SyncFailed"):
            failure = condition.get("message", "")
            return f"The disruption budget {name} does not allow evicting pods currently because it failed sync: {failure}"
    need, have = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    return f"The disruption budget {name} needs {need} healthy pods and has {have} currently"


def _refusal(message: str, cause: str, retry_seconds: int = 0) -> TooManyRequests:
    """`retry_seconds`: clients try again by themselves after that; 0, where there is no telling when it would help."""
    details: Tree = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    return TooManyRequests(message, details | ({"retryAfterSeconds": retry_seconds} if retry_seconds else {}))


async def _mark(server: Server, key: Key, now: datetime) -> None:
    """Tell in the pod's conditions why it goes."""
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(now),
    }

    async def marked(pod: Tree) -> Tree:
        others = [one for one in (pod.get("status") or {}).get("conditions") or () if one["type"] != "DisruptionTarget"]
        pod.setdefault("status", {})["conditions"] = [*others, condition]
        return pod

    await server.stores.store_for(resource_of(Pod)).update(key, marked)
