"""Ingress: HTTP routes from outside to Services (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/ingress/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, NONE, at_most, plain
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid, required
from kube.api.types import Ingress, IngressBackend, IngressRule

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
SHOWN_HOSTS = 3
CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"loadBalancer": {}}


def validate(new: Ingress, old: Ingress | None) -> Iterator[FieldError]:
    spec = new.spec
    if spec is None or (not spec.rules and spec.defaultBackend is None):
        yield invalid("spec", {}, "either `defaultBackend` or `rules` must be specified")
        return
    if spec.defaultBackend is not None:
        yield from _backend(spec.defaultBackend, "spec.defaultBackend")
    if spec.ingressClassName is not None:
        for complaint in names.subdomain(spec.ingressClassName):
            yield invalid("spec.ingressClassName", spec.ingressClassName, complaint)
        if old is None and CLASS_ANNOTATION in (new.metadata.annotations or {}):
            text = "can not be set when the class field is also set"
            yield invalid(f"metadata.annotations.{CLASS_ANNOTATION}", new.metadata.annotations[CLASS_ANNOTATION], text)
    for index, rule in enumerate(spec.rules or ()):
        yield from _rule(rule, f"spec.rules[{index}]")


def _rule(rule: IngressRule, at: str) -> Iterator[FieldError]:
    if rule.host:
        host = rule.host.removeprefix("*.")
        for complaint in names.subdomain(host):
            yield invalid(f"{at}.host", rule.host, complaint)
    if rule.http is None:
        return
    if not rule.http.paths:
        yield required(f"{at}.http.paths")
    for index, path in enumerate(rule.http.paths or ()):
        place = f"{at}.http.paths[{index}]"
        if not path.pathType:
            yield required(f"{place}.pathType", "pathType must be specified")
        else:
            yield from validation.one_of(f"{place}.pathType", path.pathType, PATH_TYPES)
        if path.pathType in ("Exact", "Prefix") and not (path.path or "").startswith("/"):
            yield invalid(f"{place}.path", path.path or "", "must be an absolute path")
        yield from _backend(path.backend, f"{place}.backend")


def _backend(backend: IngressBackend, at: str) -> Iterator[FieldError]:
    if backend.resource is not None:
        if backend.service is not None:
            yield invalid(at, "", "cannot set both resource and service backends")
        return
    if backend.service is None:
        yield required(f"{at}.service.name")
        return
    yield from validation.named(f"{at}.service.name", backend.service.name, names.label1035)
    port = backend.service.port
    if port is None or (not port.name and not port.number):
        yield required(f"{at}.service.port", "port name or number is required")
    elif port.name and port.number:
        yield invalid(f"{at}.service.port", "", "cannot set both port name & port number")
    elif port.number:
        yield from validation.port(f"{at}.service.port.number", port.number)
    else:
        for complaint in names.port_name(port.name):
            yield invalid(f"{at}.service.port.name", port.name, complaint)


def hosts(ingress: Ingress) -> str:
    return at_most(SHOWN_HOSTS, [rule.host for rule in ingress.spec.rules or () if rule.host], empty="*")


def address(ingress: Ingress) -> str:
    balancer = ingress.status.loadBalancer
    found = {one.ip or one.hostname or "" for one in (balancer.ingress if balancer else None) or ()}
    return ",".join(sorted(found - {""}))


RESOURCE = Resource(
    view=Ingress,
    group="networking.k8s.io",
    version="v1",
    kind="Ingress",
    plural="ingresses",
    short_names=("ing",),
    subresources=("status",),
    prepare=prepare,
    validate=validate,
    columns=(
        plain("Class", lambda ingress: ingress.spec.ingressClassName or NONE),
        plain("Hosts", hosts),
        plain("Address", address),
        plain("Ports", lambda ingress: "80, 443" if ingress.spec.tls else "80"),
        AGE,
    ),
)
