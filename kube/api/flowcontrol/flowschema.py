"""FlowSchema: which requests go to which priority level (flowcontrol.apiserver.k8s.io/v1).

https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, NONE, plain
from kube.api.meta import Tree
from kube.api.resource import OWN_METADATA, Column, Resource
from kube.api.status import FieldError, invalid
from kube.api.types import FlowSchema

PRECEDENCE = 1000
LAST_PRECEDENCE = 10000
METHODS = ("ByNamespace", "ByUser")


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    if not spec.get("matchingPrecedence"):
        spec["matchingPrecedence"] = PRECEDENCE


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {}


def validate(new: FlowSchema, old: FlowSchema | None) -> Iterator[FieldError]:
    spec = new.spec
    if not 1 <= spec.matchingPrecedence <= LAST_PRECEDENCE:
        text = f"must be no greater than {LAST_PRECEDENCE}" if spec.matchingPrecedence > 0 else "must be a positive value"
        yield invalid("spec.matchingPrecedence", spec.matchingPrecedence, text)
    yield from validation.named("spec.priorityLevelConfiguration.name", spec.priorityLevelConfiguration.name, names.subdomain)
    if spec.distinguisherMethod is not None:
        yield from validation.one_of("spec.distinguisherMethod.type", spec.distinguisherMethod.type, METHODS)


def missing_level(flow: FlowSchema) -> str:
    return next((one.status or "?" for one in flow.status.conditions or () if one.type == "Dangling"), "?")


RESOURCE = Resource(
    view=FlowSchema,
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="FlowSchema",
    plural="flowschemas",
    namespaced=False,
    subresources=("status",),
    status_keeps=OWN_METADATA,
    set_defaults=set_defaults,
    prepare=prepare,
    validate=validate,
    columns=(
        plain("PriorityLevel", lambda flow: flow.spec.priorityLevelConfiguration.name),
        Column("MatchingPrecedence", lambda flow, now: flow.spec.matchingPrecedence, type="integer"),
        plain("DistinguisherMethod", lambda flow: flow.spec.distinguisherMethod.type if flow.spec.distinguisherMethod else NONE),
        AGE,
        plain("MissingPL", missing_level),
    ),
)
