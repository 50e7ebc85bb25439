"""Endpoints: the addresses behind a Service, all in one object; EndpointSlices are what proxies read (v1).

https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, at_most, plain
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.network_address import host_port, ip_complaints, special_complaints
from kube.api.resource import Resource
from kube.api.status import FieldError, required
from kube.api.types import EndpointAddress, Endpoints

SHOWN = 3


def set_defaults(tree: Tree) -> None:
    for subset in tree.get("subsets") or ():
        for port in subset.get("ports") or ():
            fill(port, protocol="TCP")


def validate(new: Endpoints, old: Endpoints | None) -> Iterator[FieldError]:
    for index, subset in enumerate(new.subsets or ()):
        at = f"subsets[{index}]"
        if not subset.addresses and not subset.notReadyAddresses:
            yield required(at, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(getattr(subset, field) or ()):
                yield from _address(address, f"{at}.{field}[{place}]")
        several = len(subset.ports or ()) > 1
        for place, port in enumerate(subset.ports or ()):
            path = f"{at}.ports[{place}]"
            if several or port.name:
                yield from validation.named(f"{path}.name", port.name, names.label)
            yield from validation.port(f"{path}.port", port.port or 0)
            yield from validation.one_of(f"{path}.protocol", port.protocol, validation.PROTOCOLS)
            if port.appProtocol is not None:
                yield from validation.complain(f"{path}.appProtocol", port.appProtocol, names.qualified)


def _address(address: EndpointAddress, path: str) -> Iterator[FieldError]:
    text = address.ip or ""
    yield from validation.complain(f"{path}.ip", text, ip_complaints)
    if address.hostname:
        yield from validation.complain(f"{path}.hostname", address.hostname, names.label)
    if address.nodeName is not None:
        yield from validation.complain(f"{path}.nodeName", address.nodeName, names.subdomain)
    yield from validation.complain(f"{path}.ip", text, special_complaints)


def addresses(endpoints: Endpoints) -> str:
    """`10.1.0.1:80,10.1.0.2:80 + 2 more...`"""
    found = []
    for subset in endpoints.subsets or ():
        if not subset.ports:
            found += [one.ip for one in subset.addresses or ()]
        for port in subset.ports or ():
            found += [host_port(one.ip, port.port) for one in subset.addresses or ()]
    return at_most(SHOWN, found)


RESOURCE = Resource(
    view=Endpoints,
    group="",
    version="v1",
    kind="Endpoints",
    plural="endpoints",
    singular="endpoints",
    short_names=("ep",),
    has_generation=False,
    create_on_update=True,
    set_defaults=set_defaults,
    validate=validate,
    deprecation="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    columns=(plain("Endpoints", addresses), AGE),
)
