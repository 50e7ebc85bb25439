"""EndpointSlice: some of the addresses behind a Service, with their readiness (discovery.k8s.io/v1).

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.columns import AGE, UNSET, at_most, plain
from kube.api.meta import Tree
from kube.api.metadata import label_errors
from kube.api.network_address import ip_complaints, is_ipv6, special_complaints
from kube.api.resource import Resource
from kube.api.status import FieldError, duplicate, required, too_many, unsupported
from kube.api.types import Endpoint, EndpointSlice

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MAX_ENDPOINTS, MAX_PORTS, MAX_ADDRESSES, MAX_LABELS, MAX_HINTS = 1000, 20000, 100, 16, 8
SHOWN = 3


def set_defaults(tree: Tree) -> None:
    for port in tree.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def validate(new: EndpointSlice, old: EndpointSlice | None) -> Iterator[FieldError]:
    yield from validation.one_of("addressType", new.addressType, ADDRESS_TYPES)
    endpoints, listed = new.endpoints or (), new.ports or ()
    if len(endpoints) > MAX_ENDPOINTS:
        yield too_many("endpoints", len(endpoints), MAX_ENDPOINTS)
    else:
        for index, endpoint in enumerate(endpoints):
            yield from _endpoint(endpoint, new.addressType, f"endpoints[{index}]")
    if len(listed) > MAX_PORTS:
        yield too_many("ports", len(listed), MAX_PORTS)
        return
    seen: set[str] = set()
    for index, port in enumerate(listed):
        at, name = f"ports[{index}]", port.name or ""
        if name:
            yield from validation.complain(f"{at}.name", name, names.label)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        if port.protocol not in validation.PROTOCOLS:
            yield unsupported(f"{at}.protocol", port.protocol or "", validation.PROTOCOLS)
        if port.appProtocol is not None:
            yield from validation.complain(f"{at}.appProtocol", port.appProtocol, names.qualified)
    if old is not None:
        yield from validation.unchanged("addressType", new.addressType, old.addressType)


def _endpoint(endpoint: Endpoint, family: str, at: str) -> Iterator[FieldError]:
    found = endpoint.addresses or ()
    if not found:
        yield required(f"{at}.addresses", "must contain at least 1 address")
    elif len(found) > MAX_ADDRESSES:
        yield too_many(f"{at}.addresses", len(found), MAX_ADDRESSES)
    for index, address in enumerate(found):
        rules = (_domain,) if family == "FQDN" else (_of_family(family), special_complaints) if family in ADDRESS_TYPES else ()
        for rule in rules:
            yield from validation.complain(f"{at}.addresses[{index}]", address, rule)
    if endpoint.nodeName is not None:
        yield from validation.complain(f"{at}.nodeName", endpoint.nodeName, names.subdomain)
    topology = endpoint.deprecatedTopology or {}
    if len(topology) > MAX_LABELS:
        yield too_many(f"{at}.deprecatedTopology", len(topology), MAX_LABELS)
    yield from label_errors(topology, f"{at}.deprecatedTopology")
    if endpoint.hostname is not None:
        yield from validation.complain(f"{at}.hostname", endpoint.hostname, names.label)
    zones = (endpoint.hints.forZones if endpoint.hints else None) or ()
    if len(zones) > MAX_HINTS:
        yield too_many(f"{at}.hints.forZones", len(zones), MAX_HINTS)
        return
    for index, zone in enumerate(zones):
        if zone.name in [one.name for one in zones[:index]]:
            yield duplicate(f"{at}.hints.forZones[{index}].name", zone.name)
        yield from validation.complain(f"{at}.hints.forZones[{index}].name", zone.name or "", names.label_value)


def _of_family(family: str) -> validation.Rule:
    def rule(text: str) -> list[str]:
        good = not ip_complaints(text) and is_ipv6(text) == (family == "IPv6")
        return [] if good else [f"must be a valid {family} address"]

    return rule


def _domain(text: str) -> list[str]:
    """Fully qualified: with a dot, which may be at the end, too."""
    name = text.removesuffix(".")
    complaints = names.subdomain(name)
    if not complaints and "." not in name:
        complaints = ["should be a domain with at least two segments separated by dots"]
    return complaints or [one for label in name.split(".") for one in names.label(label)]


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
