"""Endpoints: the addresses behind a Service, all in one object; EndpointSlices are what proxies read (v1).

https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, at_most, plain
from kube.api.meta import Tree
from kube.api.network_address import host_port, ip_complaints
from kube.api.resource import Resource
from kube.api.status import FieldError, invalid, required, unsupported
from kube.api.types import Endpoints

SHOWN = 3
PROTOCOLS = ("SCTP", "TCP", "UDP")


def set_defaults(tree: Tree) -> None:
    for subset in tree.get("subsets") or ():
        for port in subset.get("ports") or ():
            port.setdefault("protocol", "TCP")


def validate(new: Endpoints, old: Endpoints | None) -> Iterator[FieldError]:
    for index, subset in enumerate(new.subsets or ()):
        at = f"subsets[{index}]"
        if not subset.addresses and not subset.notReadyAddresses:
            yield required(at, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(getattr(subset, field) or ()):
                for complaint in ip_complaints(address.ip or ""):
                    yield invalid(f"{at}.{field}[{place}].ip", address.ip or "", complaint)
        several = len(subset.ports or ()) > 1
        for place, port in enumerate(subset.ports or ()):
            path = f"{at}.ports[{place}]"
            if several or port.name:
                yield from validation.named(f"{path}.name", port.name, names.label)
            yield from validation.port(f"{path}.port", port.port or 0)
            if port.protocol not in PROTOCOLS:
                yield unsupported(f"{path}.protocol", port.protocol or "", PROTOCOLS)


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
    columns=(plain("Endpoints", addresses), AGE),
)
