"""IngressClass: which controller serves an Ingress (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
"""

from collections.abc import Iterator

from kube.api import validation
from kube.api.columns import AGE, NONE, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, required
from kube.api.types import IngressClass

SCOPES = ("Cluster", "Namespace")


def set_defaults(tree: Tree) -> None:
    parameters = (tree.get("spec") or {}).get("parameters")
    if parameters:
        parameters.setdefault("scope", "Cluster")


def validate(new: IngressClass, old: IngressClass | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec is None or not spec.controller:
        yield required("spec.controller")
        return
    if old is not None:
        yield from validation.unchanged("spec.controller", spec.controller, old.spec.controller)
    parameters = spec.parameters
    if parameters is None:
        return
    yield from validation.one_of("spec.parameters.scope", parameters.scope, SCOPES)
    if parameters.scope == "Namespace" and not parameters.namespace:
        yield required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'")
    if parameters.scope == "Cluster" and parameters.namespace:
        yield forbidden("spec.parameters.namespace", "`parameters.scope` is set to 'Cluster'")


def parameters(one: IngressClass) -> str:
    found = one.spec.parameters
    if found is None:
        return NONE
    return f"{found.kind}{'.' if found.apiGroup else ''}{found.apiGroup or ''}/{found.name}"


RESOURCE = Resource(
    view=IngressClass,
    group="networking.k8s.io",
    version="v1",
    kind="IngressClass",
    plural="ingressclasses",
    namespaced=False,
    set_defaults=set_defaults,
    validate=validate,
    columns=(plain("Controller", lambda one: one.spec.controller), plain("Parameters", parameters), AGE),
)
