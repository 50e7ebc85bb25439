"""ResourceQuota: the most that a namespace may use in all (v1).

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from collections.abc import Iterable, Iterator

from kube.api.columns import AGE, plain
from kube.api.core.resource_names import amount_errors, is_quota, quota_name_errors
from kube.api.resource import Resource
from kube.api.status import NIL, FieldError, invalid, required
from kube.api.types import ResourceQuota, ResourceQuotaSpec

SCOPES = (
    "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
    "VolumeAttributesClass",
)  # fmt: skip
OPPOSITES = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
ONLY_EXISTS = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")
OF_COMPUTE = ("pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory")


def validate(new: ResourceQuota, old: ResourceQuota | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec is not None:
        yield from _hard(spec.hard, "spec.hard")
        scopes = list(spec.scopes or ())
        for scope in scopes:
            if scope not in SCOPES:
                yield invalid("spec.scopes", scopes, "unsupported scope")
            for _ in _out_of_scope(spec, scope):
                yield invalid("spec.scopes", scopes, "unsupported scope applied to resource")
        yield from _opposites(scopes, scopes, "spec.scopes")
        yield from _selector(spec)
    if old is None:
        return
    after, before = ((one.spec.scopes if one.spec else None) or () for one in (new, old))
    if set(after) != set(before):
        yield invalid("spec.scopes", NIL if not after else list(after), "field is immutable")


def validate_status(new: ResourceQuota, old: ResourceQuota) -> Iterator[FieldError]:
    yield from _hard(new.status.hard, "status.hard")
    yield from _hard(new.status.used, "status.used")


def _hard(amounts: dict[str, str] | None, path: str) -> Iterator[FieldError]:
    for name, amount in (amounts or {}).items():
        yield from quota_name_errors(name, f"{path}[{name}]")
        yield from amount_errors(name, amount, f"{path}[{name}]")


def _out_of_scope(spec: ResourceQuotaSpec, scope: str) -> Iterator[str]:
    """Resources of the quota that this scope says nothing of."""
    for name in sorted(spec.hard or {}):
        if not is_quota(name):
            continue
        if scope == "BestEffort" and name != "pods":
            yield name
        elif scope in ("Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"):
            if name not in OF_COMPUTE:
                yield name
        elif scope == "VolumeAttributesClass" and name not in ("persistentvolumeclaims", "requests.storage"):
            yield name


def _opposites(scopes: Iterable[str], shown: list[str], path: str) -> Iterator[FieldError]:
    for pair in OPPOSITES:
        if pair <= set(scopes):
            yield invalid(path, shown or NIL, "conflicting scopes")


def _selector(spec: ResourceQuotaSpec) -> Iterator[FieldError]:
    """Upstream tells these without the index of the expression."""
    path = "spec.scopeSelector.matchExpressions"
    expressions = (spec.scopeSelector.matchExpressions if spec.scopeSelector else None) or ()
    for one in expressions:
        scope, operator, values = one.scopeName or "", one.operator or "", list(one.values or ())
        if scope not in SCOPES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for _ in _out_of_scope(spec, scope):
            shown = [{"ScopeName": e.scopeName, "Operator": e.operator, "Values": e.values} for e in expressions]
            yield invalid(path, {"MatchExpressions": shown}, "unsupported scope applied to resource")
        if scope in ONLY_EXISTS and operator != "Exists":
            text = "must be 'Exist' only operator when scope is any of ResourceQuotaScopeTerminating, "
            text += "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
            text += "ResourceQuotaScopeCrossNamespacePodAffinity"
            yield invalid(f"{path}.operator", operator, text)
        if operator in ("In", "NotIn"):
            if not values:
                text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                yield required(f"{path}.values", text)
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                yield invalid(f"{path}.values", values, text)
        else:
            yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from _opposites([one.scopeName for one in expressions], list(spec.scopes or ()), path)


def amounts(quota: ResourceQuota, *, limits: bool) -> str:
    """`cpu: 1/2, pods: 3/10`: what is used of each resource."""
    hard, used = quota.status.hard or {}, quota.status.used or {}
    shown = sorted(name for name in hard if name.startswith("limits.") == limits)
    return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in shown)


RESOURCE = Resource(
    view=ResourceQuota,
    group="",
    version="v1",
    kind="ResourceQuota",
    plural="resourcequotas",
    short_names=("quota",),
    subresources=("status",),
    has_generation=False,
    validate=validate,
    validate_status=validate_status,
    columns=(
        plain("Request", lambda quota: amounts(quota, limits=False)),
        plain("Limit", lambda quota: amounts(quota, limits=True)),
        AGE,
    ),
)
