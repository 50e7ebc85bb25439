"""EndpointSlice: some of the addresses behind a Service, with their readiness (discovery.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from collections.abc import Iterator
from ipaddress import ip_address

from kube.api import names, validation
from kube.api.columns import AGE, UNSET, at_most, plain
from kube.api.meta import Tree
from kube.api.network_address import ip_complaints
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, invalid, required, too_many, unsupported
from kube.api.types import EndpointSlice

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
PROTOCOLS = ("SCTP", "TCP", "UDP")
MAX_ENDPOINTS, MAX_PORTS, MAX_ADDRESSES = 1000, 20000, 100
SHOWN = 3


def set_defaults(tree: Tree) -> None:
    for port in tree.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def validate(new: EndpointSlice, old: EndpointSlice | None) -> Iterator[FieldError]:
    if not new.addressType:
        yield required("addressType")
    elif new.addressType not in ADDRESS_TYPES:
        yield unsupported("addressType", new.addressType, ADDRESS_TYPES)
    if len(new.endpoints or ()) > MAX_ENDPOINTS:
        yield too_many("endpoints", len(new.endpoints), MAX_ENDPOINTS)
        return
    for index, endpoint in enumerate(new.endpoints or ()):
        yield from _addresses(endpoint.addresses or [], new.addressType, f"endpoints[{index}].addresses")
        if endpoint.hostname is not None:
            for complaint in names.label(endpoint.hostname):
                yield invalid(f"endpoints[{index}].hostname", endpoint.hostname, complaint)
    seen: set[str] = set()
    for index, port in enumerate(new.ports or ()):
        at = f"ports[{index}]"
        if port.name:
            for complaint in names.label(port.name):
                yield invalid(f"{at}.name", port.name, complaint)
        if (port.name or "") in seen:
            yield duplicate(f"{at}.name", port.name or "")
        seen.add(port.name or "")
        if port.protocol not in PROTOCOLS:
            yield unsupported(f"{at}.protocol", port.protocol or "", PROTOCOLS)
        yield from validation.port(f"{at}.port", port.port)
    if old is not None:
        yield from validation.unchanged("addressType", new.addressType, old.addressType)


def _addresses(found: list[str], family: str, at: str) -> Iterator[FieldError]:
    if not found:
        yield required(at, "must contain at least 1 address")
    if len(found) > MAX_ADDRESSES:
        yield too_many(at, len(found), MAX_ADDRESSES)
    for index, address in enumerate(found):
        if family == "FQDN":
            complaints = names.subdomain(address)
        else:
            complaints = ip_complaints(address)
            if not complaints and f"IPv{ip_address(address).version}" != family:
                complaints = [f"must be an {family} address"]
        for complaint in complaints:
            yield invalid(f"{at}[{index}]", address, complaint)


def ports(one: EndpointSlice) -> str:
    found = [str(port.port) if port.port is not None else port.name or "*" for port in one.ports or ()]
    return at_most(SHOWN, found, empty=UNSET)


def addresses(one: EndpointSlice) -> str:
    return at_most(SHOWN, [address for endpoint in one.endpoints or () for address in endpoint.addresses or ()], empty=UNSET)


RESOURCE = Resource(
    view=EndpointSlice,
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        plain("AddressType", lambda one: one.addressType),
        plain("Ports", ports),
        plain("Endpoints", addresses),
        AGE,
    ),
)
