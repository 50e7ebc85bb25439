"""Rules: from a Service and its EndpointSlices to where connections to each of its ports go. Pure.

- Endpoints that are ready are used; if none is, those that still serve while they terminate.
- internalTrafficPolicy Local leads connections to the cluster IP to this node's endpoints alone; externalTrafficPolicy Local
  does so with connections from outside the cluster, whose client's address is then kept.
- With policy Local and endpoints on other nodes only, packets are dropped here; without any endpoint, they are rejected.
- Headless and ExternalName Services, and those of another proxy (service.kubernetes.io/service-proxy-name), are not ours.
https://kubernetes.io/docs/reference/networking/virtual-ips/ · KEP-1669, KEP-2086 · upstream pkg/proxy/topology.go
"""

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kube.api.meta import Key
from kube.api.types import EndpointSlice, Service, ServicePort

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
OTHER_PROXY_LABEL = "service.kubernetes.io/service-proxy-name"
HEADLESS_LABEL = "service.kubernetes.io/headless"
DEFAULT_AFFINITY_SECONDS = 10800


class Target(NamedTuple):
    address: str
    port: int


class Endpoint(NamedTuple):
    """One endpoint of one port, as the slices tell it."""

    target: Target
    ready: bool
    serving: bool
    terminating: bool
    local: bool


@dataclass(frozen=True)
class PortRule:
    """Where connections to one port of a Service go."""

    service: Key
    port_name: str
    protocol: str  # TCP, UDP or SCTP
    cluster_ip: str
    port: int
    node_port: int = 0  # 0: none
    external_ips: tuple[str, ...] = ()  # spec.externalIPs and the load balancer's addresses
    load_balancer_ips: tuple[str, ...] = ()  # those of them that sourceRanges guard
    source_ranges: tuple[str, ...] = ()  # empty: everybody
    affinity_seconds: int = 0  # 0: every connection goes where chance takes it
    usable: tuple[Target, ...] = ()  # in the whole cluster
    internal: tuple[Target, ...] = ()  # for connections to the cluster IP
    external: tuple[Target, ...] = ()  # for connections from outside
    external_local: bool = False  # externalTrafficPolicy Local
    local_targets: frozenset[Target] = frozenset()  # which of them are on this node
    health_check_node_port: int = 0  # where a load balancer asks for local endpoints; 0: nowhere

    @property
    def name(self) -> str:
        """As upstream writes a ServicePortName."""
        return f"{self.service}:{self.port_name}" if self.port_name else str(self.service)

    @property
    def targets(self) -> frozenset[Target]:
        """Everything that connections may be led to."""
        return frozenset((*self.usable, *self.internal, *self.external))


def proxied(service: Service) -> bool:
    """Whether the Service has a cluster IP that this proxy serves."""
    labels = service.metadata.labels or {}
    return (
        service.spec is not None
        and service.spec.type != "ExternalName"
        and service.spec.clusterIP not in (None, "", "None")
        and OTHER_PROXY_LABEL not in labels
    )


def rules(service: Service, slices: Iterable[EndpointSlice], node: str) -> list[PortRule]:
    """The rules of a Service's ports on this node, in the order of the ports; IPv4 alone."""
    if not proxied(service):
        return []
    cluster_ip = next((ip for ip in service.spec.clusterIPs or [service.spec.clusterIP] if is_ipv4(ip)), "")
    if not cluster_ip:
        return []
    ipv4 = [one for one in slices if one.addressType == "IPv4"]
    return [_port_rule(service, cluster_ip, port, _endpoints(ipv4, port, node)) for port in service.spec.ports or ()]


def _port_rule(service: Service, cluster_ip: str, port: ServicePort, endpoints: Sequence[Endpoint]) -> PortRule:
    spec = service.spec
    usable, local = _usable(endpoints), _usable([one for one in endpoints if one.local])
    external_local = spec.externalTrafficPolicy == "Local"
    balancer = tuple(sorted(_balancer_ips(service)))
    return PortRule(
        service=Key(service.metadata.namespace or "", service.metadata.name),
        port_name=port.name or "",
        protocol=port.protocol or "TCP",
        cluster_ip=cluster_ip,
        port=port.port,
        node_port=port.nodePort or 0,
        external_ips=tuple(sorted({*balancer, *(ip for ip in spec.externalIPs or () if is_ipv4(ip))})),
        load_balancer_ips=balancer,
        source_ranges=tuple(sorted(one.strip() for one in spec.loadBalancerSourceRanges or () if _is_ipv4_network(one))),
        affinity_seconds=_affinity_seconds(service),
        usable=usable,
        internal=local if spec.internalTrafficPolicy == "Local" else usable,
        external=local if external_local else usable,
        external_local=external_local,
        local_targets=frozenset(one.target for one in endpoints if one.local),
        health_check_node_port=(spec.healthCheckNodePort or 0) if external_local and spec.type == "LoadBalancer" else 0,
    )


def _usable(endpoints: Iterable[Endpoint]) -> tuple[Target, ...]:
    """The ready ones; without any, those that serve until they are gone."""
    found = list(endpoints)
    ready = {one.target for one in found if one.ready}
    return tuple(sorted(ready or {one.target for one in found if one.serving and one.terminating}))


def _endpoints(slices: Iterable[EndpointSlice], port: ServicePort, node: str) -> list[Endpoint]:
    """Every endpoint of a Service's port. Slices carry resolved numbers, under the Service port's name."""
    found: dict[Target, Endpoint] = {}
    for slice_ in slices:
        number = _port_in(slice_, port)
        for endpoint in slice_.endpoints or () if number else ():
            if not endpoint.addresses or not is_ipv4(endpoint.addresses[0]):
                continue
            conditions = endpoint.conditions
            ready = conditions is None or conditions.ready is not False  # unknown counts as ready
            serving = ready if conditions is None or conditions.serving is None else conditions.serving
            terminating = bool(conditions is not None and conditions.terminating)
            target = Target(endpoint.addresses[0], number)
            one = Endpoint(target, ready, serving, terminating, endpoint.nodeName == node)
            known = found.get(target)
            if known is None or (one.ready and not known.ready):  # an address may be in two slices while it moves
                found[target] = one
    return list(found.values())


def _port_in(slice_: EndpointSlice, port: ServicePort) -> int:
    for one in slice_.ports or ():
        if (one.name or "") == (port.name or "") and (one.protocol or "TCP") == (port.protocol or "TCP"):
            return one.port or 0
    return 0


def _balancer_ips(service: Service) -> Iterator[str]:
    balancer = service.status.loadBalancer if service.status is not None else None
    for ingress in (balancer.ingress if balancer is not None else None) or ():
        if ingress.ip and is_ipv4(ingress.ip) and ingress.ipMode in (None, "VIP"):
            yield ingress.ip


def _affinity_seconds(service: Service) -> int:
    if service.spec.sessionAffinity != "ClientIP":
        return 0
    config = service.spec.sessionAffinityConfig
    client = config.clientIP if config is not None else None
    return (client.timeoutSeconds if client is not None else None) or DEFAULT_AFFINITY_SECONDS


def is_ipv4(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except OSError:
        return False
    return True


def _is_ipv4_network(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text.strip(), strict=False)
    except ValueError:
        return False
    return True
