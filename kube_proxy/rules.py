"""Rules: from a Service and its EndpointSlices to where connections to each of its ports go. Pure.

- Endpoints that are ready are used; if none is, those that still serve while they terminate.
- internalTrafficPolicy Local leads connections to the cluster IP to this node's endpoints alone; externalTrafficPolicy Local
  does so with connections from outside the cluster, whose client's address is then kept.
- Zone hints (trafficDistribution) narrow the ready endpoints to those for this node or its zone, unless one endpoint has no hint
  or none is for here.
- With policy Local and endpoints on other nodes only, packets are dropped here; without any endpoint, they are rejected.
- Headless and ExternalName Services are not ours, nor those that a label takes from us: they are of another proxy
  (service.kubernetes.io/service-proxy-name), or called headless (service.kubernetes.io/headless) though they have an address.
https://kubernetes.io/docs/reference/networking/virtual-ips/ · KEP-1669, KEP-2086, KEP-2433,
KEP-3015 · upstream pkg/proxy/topology.go
"""

import ipaddress
import socket
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from kube.api.meta import Key
from kube.api.types import Endpoint as SliceEndpoint
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
    for_zones: frozenset[str] = frozenset()
    for_nodes: frozenset[str] = frozenset()


class Place(NamedTuple):
    """Where this proxy runs."""

    node: str
    zone: str = ""  # the node's label topology.kubernetes.io/zone


class PortRule(NamedTuple):
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
    def family(self) -> str:
        """As slices name it in addressType."""
        return "IPv6" if ":" in self.cluster_ip else "IPv4"

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
        and not {OTHER_PROXY_LABEL, HEADLESS_LABEL} & labels.keys()
    )


def rules(service: Service, slices: Iterable[EndpointSlice], here: Place) -> list[PortRule]:
    """The rules of a Service's ports on this node: for each of its cluster IPs, in the order of the ports."""
    if not proxied(service):
        return []
    known = list(slices)
    found = []
    for text in service.spec.clusterIPs or [service.spec.clusterIP]:
        family, cluster_ip = address_of(text)
        of_family = [one for one in known if one.addressType == family]
        for port in service.spec.ports or () if family else ():
            found.append(_port_rule(service, cluster_ip, port, _endpoints(of_family, port, family, here.node), here))
    return found


def _port_rule(service: Service, cluster_ip: str, port: ServicePort, endpoints: Sequence[Endpoint], here: Place) -> PortRule:
    spec, family = service.spec, "IPv6" if ":" in cluster_ip else "IPv4"
    on_node = [one for one in endpoints if one.local]
    usable, local = _usable(near(endpoints, here)), _usable(on_node)
    external_local = spec.externalTrafficPolicy == "Local"
    balancer = _of_family(_balancer_ips(service), family)
    return PortRule(
        service=Key(service.metadata.namespace or "", service.metadata.name),
        port_name=port.name or "",
        protocol=port.protocol or "TCP",
        cluster_ip=cluster_ip,
        port=port.port,
        node_port=port.nodePort or 0,
        external_ips=_of_family((*balancer, *(spec.externalIPs or ())), family),
        load_balancer_ips=balancer,
        source_ranges=_source_ranges(spec.loadBalancerSourceRanges or (), family),
        affinity_seconds=_affinity_seconds(service),
        usable=usable,
        internal=local if spec.internalTrafficPolicy == "Local" else usable,
        external=local if external_local else usable,
        external_local=external_local,
        local_targets=frozenset([one.target for one in on_node]),
        health_check_node_port=(spec.healthCheckNodePort or 0) if external_local and spec.type == "LoadBalancer" else 0,
    )


def _usable(endpoints: Sequence[Endpoint]) -> tuple[Target, ...]:
    """The ready ones; without any, those that serve until they are gone."""
    ready = {one.target for one in endpoints if one.ready}
    found = ready or {one.target for one in endpoints if one.serving and one.terminating}
    return tuple(sorted(found)) if found else ()


def near(endpoints: Sequence[Endpoint], here: Place) -> Sequence[Endpoint]:
    """Those that hints leave for this node; all of them where hints are missing or leave none.
    Rule: KEP-2433, KEP-3015 and upstream pkg/proxy/topology.go"""
    if not any(one.for_nodes or one.for_zones for one in endpoints):
        return endpoints
    ready = [one for one in endpoints if one.ready]
    if ready and all(one.for_nodes for one in ready):
        found = [one for one in ready if here.node in one.for_nodes]
        if found:
            return found
    if here.zone and ready and all(one.for_zones for one in ready):
        found = [one for one in ready if here.zone in one.for_zones]
        if found:
            return found
    return endpoints


def _endpoints(slices: Iterable[EndpointSlice], port: ServicePort, family: str, node: str) -> list[Endpoint]:
    """Every endpoint of a Service's port. Slices carry resolved numbers, under the Service port's name."""
    found: dict[Target, Endpoint] = {}
    for slice_ in slices:
        number = _port_in(slice_, port)
        for told in slice_.endpoints or () if number else ():
            of_family, address = address_of(told.addresses[0]) if told.addresses else ("", "")
            if of_family != family:
                continue
            one = _endpoint(told, Target(address, number), node)
            known = found.setdefault(one.target, one)
            if one.ready and not known.ready:  # an address may be in two slices while it moves
                found[one.target] = one
    return list(found.values())


def _endpoint(told: SliceEndpoint, target: Target, node: str) -> Endpoint:
    conditions, hints, local = told.conditions, told.hints, told.nodeName == node
    if conditions is None:
        ready, serving, terminating = True, True, False
    else:
        ready = conditions.ready is not False  # unknown counts as ready
        serving = ready if conditions.serving is None else conditions.serving
        terminating = bool(conditions.terminating)
    if hints is None:
        return Endpoint(target, ready, serving, terminating, local)
    zones = frozenset(zone.name for zone in hints.forZones or () if zone.name)
    nodes = frozenset(one.name for one in hints.forNodes or () if one.name)
    return Endpoint(target, ready, serving, terminating, local, zones, nodes)


def _port_in(slice_: EndpointSlice, port: ServicePort) -> int:
    for one in slice_.ports or ():
        if (one.name or "") == (port.name or "") and (one.protocol or "TCP") == (port.protocol or "TCP"):
            return one.port or 0
    return 0


def _balancer_ips(service: Service) -> Sequence[str]:
    balancer = service.status.loadBalancer if service.status is not None else None
    ingress = balancer.ingress if balancer is not None else None
    return [one.ip for one in ingress if one.ip and one.ipMode in (None, "VIP")] if ingress else ()


def _affinity_seconds(service: Service) -> int:
    if service.spec.sessionAffinity != "ClientIP":
        return 0
    config = service.spec.sessionAffinityConfig
    client = config.clientIP if config is not None else None
    return (client.timeoutSeconds if client is not None else None) or DEFAULT_AFFINITY_SECONDS


def address_of(text: str) -> tuple[str, str]:
    """An address's family and its canonical form; two empty texts for what is no address."""
    try:
        if ":" in text:
            return "IPv6", socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))
        socket.inet_pton(socket.AF_INET, text)  # takes only what is canonical
        return "IPv4", text
    except OSError:
        return "", ""


def _of_family(addresses: Collection[str], family: str) -> tuple[str, ...]:
    """In order, each once."""
    if not addresses:
        return ()
    return tuple(sorted({address for text in addresses for of_family, address in [address_of(text)] if of_family == family}))


def _source_ranges(texts: Collection[str], family: str) -> tuple[str, ...]:
    if not texts:
        return ()
    networks = [network for text in texts if (network := _network(text)) is not None]
    return tuple(sorted(str(network) for network in networks if f"IPv{network.version}" == family))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
