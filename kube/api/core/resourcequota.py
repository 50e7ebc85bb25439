"""ResourceQuota: the most that a namespace may use in all (v1).

https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from collections.abc import Iterator

from kube.api import names, quantity
from kube.api.columns import AGE, plain
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, unsupported
from kube.api.types import ResourceQuota

SCOPES = (
    "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
    "VolumeAttributesClass",
)  # fmt: skip
OPPOSITES = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def validate(new: ResourceQuota, old: ResourceQuota | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec is None:
        return
    for name, amount in (spec.hard or {}).items():
        at = f"spec.hard[{name}]"
        for complaint in names.qualified(name):
            yield invalid(at, name, complaint)
        if quantity.parse(amount) < 0:
            yield invalid(at, amount, "must be greater than or equal to 0")
    for scope in spec.scopes or ():
        if scope not in SCOPES:
            yield unsupported("spec.scopes", scope, SCOPES)
    for pair in OPPOSITES:
        if pair <= set(spec.scopes or ()):
            yield invalid("spec.scopes", spec.scopes, "conflicting scopes")
    if old is not None and set(spec.scopes or ()) != set((old.spec.scopes if old.spec else None) or ()):
        yield forbidden("spec.scopes", "field is immutable")


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
    columns=(
        plain("Request", lambda quota: amounts(quota, limits=False)),
        plain("Limit", lambda quota: amounts(quota, limits=True)),
        AGE,
    ),
)
