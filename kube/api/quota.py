"""Quota: what an object takes of a ResourceQuota, and which objects a quota is about. Pure.

    of each object          count/<resource>.<group>; secrets, configmaps, ... also by their bare names
    of a pod                pods; cpu, memory, ephemeral-storage as requests and as limits; hugepages-*; requests.<any other>
    of a service            services, services.nodeports, services.loadbalancers
    of a claim              persistentvolumeclaims, requests.storage; <class>.storageclass.storage.k8s.io/ and either of them

A pod that has ended, or should have, takes nothing but its place (count/pods). Scopes narrow a quota to some of the pods; a quota
with a scope is about pods alone. The server charges a quota before it stores an object, the controller counts what is there.
https://kubernetes.io/docs/concepts/policy/resource-quotas/ · kubernetes pkg/quota/v1/evaluator/core
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from kube.api import pod_resources, quantity
from kube.api.pod_qos import qos_class
from kube.api.types import PersistentVolumeClaim, Pod, ResourceQuota, Service

Usage = dict[str, Decimal]

COUNTED_BY_NAME = (
    "configmaps",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "persistentvolumeclaims",
    "pods",
)
COMPUTE = ("cpu", "memory", "ephemeral-storage")
OF_PODS = frozenset((*COMPUTE, *(f"{side}.{name}" for side in ("requests", "limits") for name in COMPUTE), "pods", "count/pods"))
MUST_SAY = frozenset(("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))
OF_SERVICES = frozenset(("services", "services.nodeports", "services.loadbalancers", "count/services"))
OF_CLAIMS = frozenset(("persistentvolumeclaims", "requests.storage", "count/persistentvolumeclaims"))
OF_A_CLASS = ".storageclass.storage.k8s.io/"
HUGE_PAGES = "hugepages-"
COUNT = "count/"


def counted(group: str, plural: str) -> str:
    """The name under which objects of a resource are counted."""
    return f"{COUNT}{plural}.{group}" if group else f"{COUNT}{plural}"


def concerns(group: str, plural: str, name: str) -> bool:
    """Whether objects of a resource take anything of what `name` limits."""
    match (group, plural):
        case ("", "pods"):
            return name in OF_PODS or name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}")) or _extended(name)
        case ("", "services"):
            return name in OF_SERVICES
        case ("", "persistentvolumeclaims"):
            return name in OF_CLAIMS or OF_A_CLASS in name
    return name == counted(group, plural) or (not group and plural in COUNTED_BY_NAME and name == plural)


def _extended(name: str) -> bool:
    return name.startswith("requests.") and "/" in name and OF_A_CLASS not in name


def usage(group: str, plural: str, obj: Any, now: datetime) -> Usage:
    """What an object takes. `obj` is the view of a pod, a service or a claim; of other kinds it is not looked at."""
    match (group, plural):
        case ("", "pods"):
            return of_pod(obj, now)
        case ("", "services"):
            return of_service(obj)
        case ("", "persistentvolumeclaims"):
            return of_claim(obj)
    named = {plural: Decimal(1)} if not group and plural in COUNTED_BY_NAME else {}
    return {counted(group, plural): Decimal(1), **named}


def of_pod(pod: Pod, now: datetime) -> Usage:
    found: Usage = {"count/pods": Decimal(1)}
    if _is_over(pod, now):
        return found
    found["pods"] = Decimal(1)
    return found | _compute(pod_resources.requests(pod), pod_resources.limits(pod))


def _is_over(pod: Pod, now: datetime) -> bool:
    if pod.status is not None and pod.status.phase in ("Succeeded", "Failed"):
        return True
    deleted, grace = pod.metadata.deletionTimestamp, pod.metadata.deletionGracePeriodSeconds
    if not deleted or grace is None:
        return False
    moment = deleted if isinstance(deleted, datetime) else datetime.fromisoformat(str(deleted))
    return bool(now > moment + timedelta(seconds=grace))


def _compute(requests: Mapping[str, int], limits: Mapping[str, int]) -> Usage:
    found: Usage = {}
    for name, amount in requests.items():
        size = Decimal(amount) / 1000 if name == "cpu" else Decimal(amount)
        if name in COMPUTE or name.startswith(HUGE_PAGES):
            found[name] = size
        found[f"requests.{name}"] = size
    for name, amount in limits.items():
        if name in COMPUTE:
            found[f"limits.{name}"] = Decimal(amount) / 1000 if name == "cpu" else Decimal(amount)
    return found


def of_service(service: Service) -> Usage:
    spec = service.spec
    type_, ports = (spec.type or "ClusterIP"), (spec.ports or ())
    found = {"count/services": Decimal(1), "services": Decimal(1)}
    found |= {"services.nodeports": Decimal(0), "services.loadbalancers": Decimal(0)}
    if type_ == "NodePort":
        found["services.nodeports"] = Decimal(len(ports))
    elif type_ == "LoadBalancer":
        allocated = ports if spec.allocateLoadBalancerNodePorts is not False else [one for one in ports if one.nodePort]
        found["services.nodeports"] = Decimal(len(allocated))
        found["services.loadbalancers"] = Decimal(1)
    return found


def of_claim(claim: PersistentVolumeClaim) -> Usage:
    found: Usage = {"count/persistentvolumeclaims": Decimal(1), "persistentvolumeclaims": Decimal(1)}
    asked = (claim.spec.resources.requests or {}) if claim.spec.resources is not None else {}
    allocated = (claim.status.allocatedResources or {}) if claim.status is not None else {}
    sizes = [quantity.parse(source["storage"]) for source in (asked, allocated) if "storage" in source]
    if sizes:
        found["requests.storage"] = max(sizes)
    if claim.spec.storageClassName:
        mine = claim.spec.storageClassName + OF_A_CLASS
        found |= {mine + name: found[name] for name in ("persistentvolumeclaims", "requests.storage") if name in found}
    return found


def applies(quota: ResourceQuota, group: str, plural: str, obj: Any) -> bool:
    """Whether the object is in the quota's scopes."""
    scopes = list(_scopes(quota))
    if (group, plural) != ("", "pods"):
        return not scopes
    return all(_in_scope(obj, *scope) for scope in scopes)


def _scopes(quota: ResourceQuota) -> Iterator[tuple[str, str, Iterable[str]]]:
    spec = quota.spec
    if spec is None:
        return
    for name in spec.scopes or ():
        yield name, "Exists", ()
    for term in (spec.scopeSelector.matchExpressions if spec.scopeSelector is not None else None) or ():
        yield term.scopeName, term.operator, term.values or ()


def _in_scope(pod: Pod, name: str, operator: str, values: Iterable[str]) -> bool:
    match name:
        case "Terminating":
            return pod.spec.activeDeadlineSeconds is not None
        case "NotTerminating":
            return pod.spec.activeDeadlineSeconds is None
        case "BestEffort":
            return qos_class(pod) == "BestEffort"
        case "NotBestEffort":
            return qos_class(pod) != "BestEffort"
        case "PriorityClass":
            return _chosen(pod.spec.priorityClassName or "", operator, values)
        case "CrossNamespacePodAffinity":
            return any(term.namespaces or term.namespaceSelector is not None for term in _affinity_terms(pod))
    return False


def _chosen(priority_class: str, operator: str, values: Iterable[str]) -> bool:
    match operator:
        case "In":
            return priority_class in values
        case "NotIn":
            return priority_class not in values
        case "DoesNotExist":
            return not priority_class
    return bool(priority_class)


def _affinity_terms(pod: Pod) -> Iterator[Any]:
    affinity = pod.spec.affinity
    for one in (affinity.podAffinity, affinity.podAntiAffinity) if affinity is not None else ():
        if one is not None:
            yield from one.requiredDuringSchedulingIgnoredDuringExecution or ()
            yield from (each.podAffinityTerm for each in one.preferredDuringSchedulingIgnoredDuringExecution or ())


def unsaid(pod: Pod, limited: Iterable[str]) -> str:
    """What the pod's containers must say because the quota limits it: `must specify cpu for: c; memory for: c,d`."""
    required = MUST_SAY.intersection(limited)
    missing: dict[str, set[str]] = {}
    for container in (*pod.spec.containers, *(pod.spec.initContainers or ())):
        resources = container.resources
        said = _compute(
            pod_resources.amounts(resources.requests if resources is not None else None),
            pod_resources.amounts(resources.limits if resources is not None else None),
        )
        for name in required - said.keys():
            missing.setdefault(name, set()).add(container.name)
    listed = "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))
    return f"must specify {listed}" if listed else ""


def parsed(amounts: Mapping[str, str] | None) -> Usage:
    return {name: quantity.parse(amount) for name, amount in (amounts or {}).items()}


def rendered(usage: Mapping[str, Decimal]) -> dict[str, str]:
    """As quantities, sizes of memory and storage in powers of two."""
    return {name: quantity.render(amount, "binary" if _is_size(name) else "decimal") for name, amount in sorted(usage.items())}


def _is_size(name: str) -> bool:
    return "memory" in name or "storage" in name.removesuffix("persistentvolumeclaims").split("/")[-1] or HUGE_PAGES in name
