"""IngressClass: which controller serves an Ingress (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, NONE, plain
from kube.api.meta import Tree
from kube.api.networking.ingress import reference_errors
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, required, too_long
from kube.api.types import IngressClass, IngressClassSpec

SCOPES = ("Cluster", "Namespace")
CONTROLLER_LENGTH = 250


def set_defaults(tree: Tree) -> None:
    parameters = (tree.get("spec") or {}).get("parameters")
    if parameters:
        parameters.setdefault("scope", "Cluster")


def validate(new: IngressClass, old: IngressClass | None) -> Iterator[FieldError]:
    spec = new.spec or IngressClassSpec()
    if old is not None:
        before = old.spec.controller if old.spec else None
        yield from validation.unchanged("spec.controller", spec.controller, before)
    if not spec.controller:
        yield required("spec.controller")
    else:
        if len(spec.controller) > CONTROLLER_LENGTH:
            yield too_long("spec.controller", CONTROLLER_LENGTH)
        yield from validation.complain("spec.controller", spec.controller, names.domain_prefixed_path)
    reference, path = spec.parameters, "spec.parameters"
    if reference is None:
        return
    yield from reference_errors(reference, path)
    yield from validation.one_of(f"{path}.scope", reference.scope, SCOPES)
    if reference.scope == "Namespace":
        if reference.namespace is None:
            yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
        else:
            yield from validation.complain(f"{path}.namespace", reference.namespace, names.label)
    if reference.scope == "Cluster" and reference.namespace is not None:
        yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")


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
