"""Ingress: HTTP routes from outside to Services (networking.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/ingress/
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names, validation
from kube.api.columns import AGE, NONE, at_most, plain
from kube.api.meta import Tree
from kube.api.network_address import ip_complaints
from kube.api.resource import Resource
from kube.api.status import NIL, FieldError, invalid, required, unsupported
from kube.api.types import HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressSpec

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
BAD_SEQUENCES, BAD_ENDS = ("//", "/./", "/../", "%2f", "%2F"), ("/..", "/.")
NOT_AN_ADDRESS = "must be a DNS name, not an IP address"
SHOWN_HOSTS = 3
CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def prepare(new: Tree, old: Tree | None) -> None:
    if old is None:
        new["status"] = {"loadBalancer": {}}


def validate(new: Ingress, old: Ingress | None) -> Iterator[FieldError]:
    spec, annotations = new.spec or IngressSpec(), new.metadata.annotations or {}
    if not spec.rules and spec.defaultBackend is None:
        shown = NIL if spec.rules is None else []
        yield invalid("spec", shown, "either `defaultBackend` or `rules` must be specified")
    if spec.defaultBackend is not None:
        yield from _backend(spec.defaultBackend, "spec.defaultBackend")
    for index, rule in enumerate(spec.rules or ()):
        yield from _rule(rule, f"spec.rules[{index}]")
    for index, tls in enumerate(spec.tls or ()):
        for place, host in enumerate(tls.hosts or ()):
            yield from _host(host, f"spec.tls[{index}].hosts[{place}]")
        if tls.secretName:
            yield from validation.complain(f"spec.tls[{index}].secretName", tls.secretName, names.subdomain)
    if spec.ingressClassName is not None:
        yield from validation.complain("spec.ingressClassName", spec.ingressClassName, names.subdomain)
        given = annotations.get(CLASS_ANNOTATION, spec.ingressClassName)
        if old is None and given != spec.ingressClassName:
            text = "must match `ingressClassName` when both are specified"
            yield invalid(f"annotations.{CLASS_ANNOTATION}", given, text)


def warnings(new: Ingress, old: Ingress | None) -> Iterator[str]:
    if old is None and CLASS_ANNOTATION in (new.metadata.annotations or {}):
        yield f"annotation \"{CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"


def validate_status(new: Ingress, old: Ingress) -> Iterator[FieldError]:
    balancer = new.status.loadBalancer
    for index, ingress in enumerate((balancer.ingress if balancer else None) or ()):
        at = f"status.loadBalancer.ingress[{index}]"
        if ingress.ip:
            yield from validation.complain(f"{at}.ip", ingress.ip, ip_complaints)
        if ingress.hostname:
            yield from validation.complain(f"{at}.hostname", ingress.hostname, names.subdomain)
            if not ip_complaints(ingress.hostname):
                yield invalid(f"{at}.hostname", ingress.hostname, NOT_AN_ADDRESS)


def _host(host: str, path: str) -> Iterator[FieldError]:
    yield from validation.complain(path, host, names.wildcard_subdomain if "*" in host else names.subdomain)


def _rule(rule: IngressRule, at: str) -> Iterator[FieldError]:
    if rule.host:
        if not ip_complaints(rule.host):
            yield invalid(f"{at}.host", rule.host, NOT_AN_ADDRESS)
        yield from _host(rule.host, f"{at}.host")
    if rule.http is None:
        return
    if not rule.http.paths:
        yield required(f"{at}.http.paths")
    for index, path in enumerate(rule.http.paths or ()):
        yield from _path(path, f"{at}.http.paths[{index}]")


def _path(path: HTTPIngressPath, at: str) -> Iterator[FieldError]:
    text = path.path or ""
    if not path.pathType:
        yield required(f"{at}.pathType", "pathType must be specified")
        return
    if path.pathType not in PATH_TYPES:
        yield unsupported(f"{at}.pathType", path.pathType, PATH_TYPES)
    elif path.pathType == "ImplementationSpecific":
        if text and not text.startswith("/"):
            yield invalid(f"{at}.path", text, "must be an absolute path")
    else:
        if not text.startswith("/"):
            yield invalid(f"{at}.path", text, "must be an absolute path")
        for sequence in BAD_SEQUENCES:
            if sequence in text:
                yield invalid(f"{at}.path", text, f"must not contain '{sequence}'")
        for end in BAD_ENDS:
            if text.endswith(end):
                yield invalid(f"{at}.path", text, f"cannot end with '{end}'")
    yield from _backend(path.backend, f"{at}.backend")


def _backend(backend: IngressBackend, at: str) -> Iterator[FieldError]:
    if backend.resource is not None and backend.service is not None:
        yield invalid(at, "", "cannot set both resource and service backends")
    elif backend.resource is not None:
        yield from reference_errors(backend.resource, f"{at}.resource")
    elif backend.service is None:
        yield invalid(at, "", "resource or service backend is required")
    else:
        yield from validation.named(f"{at}.service.name", backend.service.name, names.label)
        port = backend.service.port
        name, number = (port.name, port.number) if port is not None else (None, None)
        if name and number:
            yield invalid(at, "", "cannot set both port name & port number")
        elif name:
            yield from validation.complain(f"{at}.service.port.name", name, names.port_name)
        elif number:
            yield from validation.port(f"{at}.service.port.number", number)
        else:
            yield required(at, "port name or number is required")


def reference_errors(reference: Any, path: str) -> Iterator[FieldError]:
    """Of a reference to an object by its group, kind and name."""
    if reference.apiGroup is not None:
        yield from validation.complain(f"{path}.apiGroup", reference.apiGroup, names.subdomain)
    for field in ("kind", "name"):
        if text := getattr(reference, field):
            yield from validation.complain(f"{path}.{field}", text, names.path_segment)
        else:
            yield required(f"{path}.{field}", f"{field} is required")


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
    warnings=warnings,
    validate_status=validate_status,
    columns=(
        plain("Class", lambda ingress: ingress.spec.ingressClassName or NONE),
        plain("Hosts", hosts),
        plain("Address", address),
        plain("Ports", lambda ingress: "80, 443" if ingress.spec.tls else "80"),
        AGE,
    ),
)
