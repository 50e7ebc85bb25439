"""A Service's rules.

kubernetes pkg/apis/core/validation/validation.go (ValidateService)
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.metadata import label_errors
from kube.api.network_address import cidr_complaints, ip_complaints
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, unsupported
from kube.api.types import Service, ServicePort, ServiceSpec

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
PROTOCOLS = ("SCTP", "TCP", "UDP")
DAY_SECONDS = 86400
HEADLESS = "None"


def service_errors(new: Service, old: Service | None) -> Iterator[FieldError]:
    spec = new.spec
    yield from validation.one_of("spec.type", spec.type, TYPES)
    yield from _ports(spec)
    yield from label_errors(spec.selector, "spec.selector")
    yield from _affinity(spec)
    yield from _by_type(spec)
    for index, address in enumerate(spec.externalIPs or ()):
        for complaint in ip_complaints(address):
            yield invalid(f"spec.externalIPs[{index}]", address, complaint)
    for index, block in enumerate(spec.loadBalancerSourceRanges or ()):
        for complaint in cidr_complaints(block):
            yield invalid(f"spec.loadBalancerSourceRanges[{index}]", block, complaint)
    if old is not None:
        yield from _kept(spec, old.spec)


def _ports(spec: ServiceSpec) -> Iterator[FieldError]:
    ports = spec.ports or ()
    if not ports and spec.type != "ExternalName" and spec.clusterIP != HEADLESS:
        yield required("spec.ports")
    seen_names: set[str] = set()
    seen: set[tuple[int, str]] = set()
    node_ports: set[tuple[int, str]] = set()
    for index, port in enumerate(ports):
        at = f"spec.ports[{index}]"
        yield from _port(port, at, several=len(ports) > 1, headless=spec.clusterIP == HEADLESS)
        if port.name and port.name in seen_names:
            yield duplicate(f"{at}.name", port.name)
        seen_names.add(port.name or "")
        if (port.port, port.protocol) in seen:
            yield FieldError(at, "FieldValueDuplicate", f'Duplicate value: {{"port":{port.port},"protocol":"{port.protocol}"}}')
        seen.add((port.port, port.protocol))
        if port.nodePort:
            if spec.type in ("ClusterIP", "ExternalName"):
                yield forbidden(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'")
            if (port.nodePort, port.protocol) in node_ports:
                yield duplicate(f"{at}.nodePort", port.nodePort)
            node_ports.add((port.nodePort, port.protocol))


def _port(port: ServicePort, at: str, *, several: bool, headless: bool) -> Iterator[FieldError]:
    if several or port.name:
        yield from validation.named(f"{at}.name", port.name, names.label)
    yield from validation.port(f"{at}.port", port.port or 0)
    yield from validation.one_of(f"{at}.protocol", port.protocol, PROTOCOLS)
    target = port.targetPort
    if isinstance(target, int):
        yield from validation.port(f"{at}.targetPort", target)
    elif target:
        for complaint in names.port_name(target):
            yield invalid(f"{at}.targetPort", target, complaint)


def _affinity(spec: ServiceSpec) -> Iterator[FieldError]:
    yield from validation.one_of("spec.sessionAffinity", spec.sessionAffinity, AFFINITIES)
    config = spec.sessionAffinityConfig
    seconds = config.clientIP.timeoutSeconds if config is not None and config.clientIP is not None else None
    if seconds is not None and not 0 < seconds <= DAY_SECONDS:
        text = f"must be greater than 0 and less than {DAY_SECONDS}"
        yield invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, text)


def _by_type(spec: ServiceSpec) -> Iterator[FieldError]:
    if spec.type == "ExternalName":
        if spec.clusterIP:
            yield forbidden("spec.clusterIPs[0]", "may not be set for ExternalName services")
        yield from validation.named("spec.externalName", spec.externalName, names.subdomain)
    elif spec.clusterIP and spec.clusterIP != HEADLESS:
        for complaint in ip_complaints(spec.clusterIP):
            yield invalid("spec.clusterIPs[0]", spec.clusterIP, complaint)
    if spec.type in ("LoadBalancer", "NodePort") and spec.clusterIP == HEADLESS:
        yield invalid("spec.clusterIPs[0]", HEADLESS, f"may not be set to 'None' for {spec.type} services")
    if spec.internalTrafficPolicy is not None and spec.internalTrafficPolicy not in POLICIES:
        yield unsupported("spec.internalTrafficPolicy", spec.internalTrafficPolicy, POLICIES)
    if spec.externalTrafficPolicy is not None and spec.externalTrafficPolicy not in POLICIES:
        yield unsupported("spec.externalTrafficPolicy", spec.externalTrafficPolicy, POLICIES)
    if spec.externalTrafficPolicy and spec.type == "ClusterIP" and not spec.externalIPs:
        text = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", spec.externalTrafficPolicy, text)


def _kept(spec: ServiceSpec, old: ServiceSpec) -> Iterator[FieldError]:
    """A Service keeps its address for as long as it has one."""
    with_address = "ExternalName" not in (spec.type, old.type)
    if with_address and old.clusterIP and spec.clusterIP != old.clusterIP:
        yield invalid("spec.clusterIPs[0]", spec.clusterIP or "", "may not change once set")
