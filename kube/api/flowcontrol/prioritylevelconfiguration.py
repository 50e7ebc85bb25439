"""PriorityLevelConfiguration: how many requests of a level are served at once (flowcontrol.apiserver.k8s.io/v1).

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
"""

from collections.abc import Iterator
from typing import Any

from kube.api import validation
from kube.api.columns import AGE, NONE, plain
from kube.api.meta import Tree
from kube.api.resource import OWN_METADATA, Resource
from kube.api.status import FieldError, forbidden, required
from kube.api.types import PriorityLevelConfiguration

SHARES = 30
QUEUING = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
TYPES = ("Exempt", "Limited")
RESPONSES = ("Queue", "Reject")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    if spec.get("type") == "Exempt":
        exempt = spec.setdefault("exempt", {})
        exempt.setdefault("nominalConcurrencyShares", 0)
        exempt.setdefault("lendablePercent", 0)
    limited = spec.get("limited")
    if limited is None:
        return
    limited.setdefault("nominalConcurrencyShares", SHARES)
    limited.setdefault("lendablePercent", 0)
    queuing = (limited.get("limitResponse") or {}).get("queuing")
    if queuing is not None:
        for field, value in QUEUING.items():
            queuing.setdefault(field, value)


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate(new: PriorityLevelConfiguration, old: PriorityLevelConfiguration | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.one_of("spec.type", spec.type, TYPES)
    if spec.type == "Exempt" and spec.limited is not None:
        yield forbidden("spec.limited", "must be nil if the type is not Limited")
    if spec.type == "Limited":
        if spec.limited is None:
            yield required("spec.limited", "must not be empty when type is Limited")
        elif spec.limited.limitResponse is not None:
            yield from validation.one_of("spec.limited.limitResponse.type", spec.limited.limitResponse.type, RESPONSES)


def _queuing(level: PriorityLevelConfiguration) -> Any:
    response = level.spec.limited.limitResponse if level.spec.limited is not None else None
    return response.queuing if response is not None else None


def _of_queuing(level: PriorityLevelConfiguration, field: str) -> str:
    found = _queuing(level)
    return NONE if found is None else str(getattr(found, field))


def shares(level: PriorityLevelConfiguration) -> str:
    limited = level.spec.limited
    return NONE if limited is None else str(limited.nominalConcurrencyShares)


RESOURCE = Resource(
    view=PriorityLevelConfiguration,
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="PriorityLevelConfiguration",
    plural="prioritylevelconfigurations",
    namespaced=False,
    subresources=("status",),
    status_keeps=OWN_METADATA,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    columns=(
        plain("Type", lambda level: level.spec.type),
        plain("NominalConcurrencyShares", shares),
        plain("Queues", lambda level: _of_queuing(level, "queues")),
        plain("HandSize", lambda level: _of_queuing(level, "handSize")),
        plain("QueueLengthLimit", lambda level: _of_queuing(level, "queueLengthLimit")),
        AGE,
    ),
)
