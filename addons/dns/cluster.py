"""What the API says, as far as names depend on it: Services, their endpoints, namespaces. Read from informers' caches."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

from kube.api.meta import Key
from kube.api.types import Endpoint, EndpointSlice, Namespace, Service
from kube.client.cache import Cache

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
BY_ADDRESS, BY_SERVICE = "address", "service"
NO_ADDRESS = ("", "None")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Backend:
    """One address behind a Service, and the name it has there."""

    name: str
    address: Address
    ports: tuple[tuple[str, str, int], ...]  # name, protocol, number


class Known(Protocol):
    """What a zone asks of its cluster."""

    def service(self, namespace: str, name: str) -> Service | None: ...
    def backends(self, namespace: str, name: str) -> list[Backend]: ...
    def has_namespace(self, name: str) -> bool: ...
    def services_at(self, address: Address) -> list[Key]: ...
    def backends_at(self, address: Address) -> list[tuple[Key, str]]: ...


class Cluster:
    """`Known`, from caches. Each question costs as much as its answer is long."""

    def __init__(self, services: Cache[Service], slices: Cache[EndpointSlice], namespaces: Cache[Namespace]) -> None:
        self._services, self._slices, self._namespaces = services, slices, namespaces
        services.add_index(BY_ADDRESS, lambda service: map(_canonical, cluster_ips(service)))
        slices.add_index(BY_SERVICE, service_of)
        slices.add_index(BY_ADDRESS, _addresses_of)

    def service(self, namespace: str, name: str) -> Service | None:
        return self._services.get(Key(namespace, name))

    def has_namespace(self, name: str) -> bool:
        return self._namespaces.get(Key("", name)) is not None

    def backends(self, namespace: str, name: str) -> list[Backend]:
        """The ready ones; an address that stands in several slices (one a port list) is there once for each."""
        found = []
        for slice_ in self._slices.by_index(BY_SERVICE, f"{namespace}/{name}"):
            ports = tuple((one.name or "", (one.protocol or "TCP").lower(), one.port or 0) for one in slice_.ports or ())
            found += [Backend(backend_name(one), ip_address(address), ports) for one, address in _ready(slice_)]
        return found

    def services_at(self, address: Address) -> list[Key]:
        found = self._services.by_index(BY_ADDRESS, str(address))
        return [Key(one.metadata.namespace, one.metadata.name) for one in found]

    def backends_at(self, address: Address) -> list[tuple[Key, str]]:
        """The Service and the name in it of every endpoint with this address."""
        text, found = str(address), []
        for slice_ in self._slices.by_index(BY_ADDRESS, text):
            key = Key(slice_.metadata.namespace, (slice_.metadata.labels or {})[SERVICE_NAME_LABEL])
            found += [(key, backend_name(one)) for one, known in _ready(slice_) if _canonical(known) == text]
        return list(dict.fromkeys(found))


def cluster_ips(service: Service) -> list[str]:
    spec = service.spec
    return [one for one in spec.clusterIPs or [spec.clusterIP or ""] if one not in NO_ADDRESS]


def is_headless(service: Service) -> bool:
    return service.spec.clusterIP == "None"


def backend_name(endpoint: Endpoint) -> str:
    """Its hostname, else its address with dashes: 10-244-1-2."""
    return endpoint.hostname or endpoint.addresses[0].replace(".", "-").replace(":", "-")


def _ready(slice_: EndpointSlice) -> Iterable[tuple[Endpoint, str]]:
    """Unknown counts as ready; publishNotReadyAddresses has been seen to by who wrote the slice."""
    if slice_.addressType == "FQDN":
        return
    for one in slice_.endpoints or ():
        if one.conditions is None or one.conditions.ready is not False:
            yield from ((one, address) for address in one.addresses)


def service_of(slice_: EndpointSlice) -> Iterable[str]:
    """The Service that a slice belongs to, as namespace/name."""
    name = (slice_.metadata.labels or {}).get(SERVICE_NAME_LABEL)
    return (f"{slice_.metadata.namespace}/{name}",) if name else ()


def _addresses_of(slice_: EndpointSlice) -> set[str]:
    if slice_.addressType == "FQDN" or SERVICE_NAME_LABEL not in (slice_.metadata.labels or {}):
        return set()
    return {_canonical(address) for one in slice_.endpoints or () for address in one.addresses}


def _canonical(text: str) -> str:
    return str(ip_address(text))
