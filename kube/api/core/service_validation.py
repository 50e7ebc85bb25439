"""A Service's rules: ports, addresses and families, and what each type may have.

kubernetes pkg/apis/core/validation/validation.go (ValidateService, ValidateServiceUpdate)
"""

from collections.abc import Iterator

from kube.api import names, validation
from kube.api.core.service_addresses import changed_address_errors, cluster_ip_errors, is_headless
from kube.api.metadata import label_errors
from kube.api.network_address import cidr_complaints, ip_complaints, special_complaints
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, unsupported
from kube.api.types import Service, ServicePort, ServiceSpec
from kube.api.validation import complain

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
IP_MODES = ("Proxy", "VIP")
DAY_SECONDS = 86400
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
HINTS, MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'"


def service_errors(new: Service, old: Service | None) -> Iterator[FieldError]:
    spec, annotations = new.spec, new.metadata.annotations or {}
    if old is not None:
        yield from changed_address_errors(spec, old.spec)
        if spec.type == old.spec.type == "LoadBalancer" and spec.loadBalancerClass != old.spec.loadBalancerClass:
            yield invalid("spec.loadBalancerClass", spec.loadBalancerClass, "may not change once set")
        if _is_checked(spec) and _is_checked(old.spec) and spec.healthCheckNodePort != old.spec.healthCheckNodePort:
            yield forbidden("spec.healthCheckNodePort", "field is immutable")
    if HINTS in annotations and annotations.get(MODE, annotations[HINTS]) != annotations[HINTS]:
        text = f"must match annotations[{HINTS}] when both are specified"
        yield invalid(f"metadata.annotations[{MODE}]", annotations[MODE], text)
    yield from _ports_and_type(spec)
    if spec.selector is not None:
        yield from label_errors(spec.selector, "spec.selector")
    yield from _affinity(spec)
    yield from cluster_ip_errors(spec)
    for index, address in enumerate(spec.externalIPs or ()):
        for complaint in ip_complaints(address) or special_complaints(address):
            yield invalid(f"spec.externalIPs[{index}]", address, complaint)
    yield from validation.one_of("spec.type", spec.type, TYPES)
    yield from _numbers(spec)
    yield from _balancer(spec, annotations.get(SOURCE_RANGES))
    yield from _traffic(spec)


def _ports_and_type(spec: ServiceSpec) -> Iterator[FieldError]:
    if not spec.ports and not is_headless(spec) and spec.type != "ExternalName":
        yield required("spec.ports")
    if spec.type in ("LoadBalancer", "NodePort") and is_headless(spec):
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {spec.type} services")
    if spec.type == "ExternalName":
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if getattr(spec, field):
                yield forbidden(f"spec.{field}", "may not be set for ExternalName services")
        yield from validation.named("spec.externalName", (spec.externalName or "").removesuffix("."), names.subdomain)
    seen: set[str] = set()
    for index, port in enumerate(spec.ports or ()):
        yield from _port(port, f"spec.ports[{index}]", seen, several=len(spec.ports) > 1)


def _port(port: ServicePort, at: str, seen: set[str], *, several: bool) -> Iterator[FieldError]:
    if several and not port.name:
        yield required(f"{at}.name")
    elif port.name:
        yield from complain(f"{at}.name", port.name, names.label)
        if port.name in seen:
            yield duplicate(f"{at}.name", port.name)
        seen.add(port.name)
    yield from validation.port(f"{at}.port", port.port or 0)
    yield from validation.one_of(f"{at}.protocol", port.protocol, validation.PROTOCOLS)
    yield from validation.port_or_name(f"{at}.targetPort", port.targetPort)
    if port.appProtocol is not None:
        yield from complain(f"{at}.appProtocol", port.appProtocol, names.qualified)


def _affinity(spec: ServiceSpec) -> Iterator[FieldError]:
    yield from validation.one_of("spec.sessionAffinity", spec.sessionAffinity, AFFINITIES)
    config, at = spec.sessionAffinityConfig, "spec.sessionAffinityConfig"
    if spec.sessionAffinity == "None" and config is not None:
        yield forbidden(at, "must not be set when session affinity is None")
    if spec.sessionAffinity != "ClientIP":
        return
    client = config.clientIP if config is not None else None
    seconds = client.timeoutSeconds if client is not None else None
    for value, path in ((config, at), (client, f"{at}.clientIP"), (seconds, f"{at}.clientIP.timeoutSeconds")):
        if value is None:
            yield required(path, "when session affinity type is ClientIP")
            return
    if not 0 < (seconds or 0) <= DAY_SECONDS:
        text = f"must be greater than 0 and less than {DAY_SECONDS}"
        yield invalid(f"{at}.clientIP.timeoutSeconds", seconds, text)


def _numbers(spec: ServiceSpec) -> Iterator[FieldError]:
    """No port and no node port twice with one protocol."""
    ports = list(enumerate(spec.ports or ()))
    for index, port in ports if spec.type == "ClusterIP" else ():
        if port.nodePort:
            yield forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    seen: set[tuple[int, str | None]] = set()
    for index, port in ports:
        if port.nodePort:
            if (port.nodePort, port.protocol) in seen:
                yield duplicate(f"spec.ports[{index}].nodePort", port.nodePort)
            seen.add((port.nodePort, port.protocol))
    seen.clear()
    for index, port in ports:
        if (port.port, port.protocol) in seen:
            shown = {"Name": "", "Protocol": port.protocol, "AppProtocol": None, "Port": port.port, "TargetPort": 0, "NodePort": 0}
            yield duplicate(f"spec.ports[{index}]", shown)
        seen.add((port.port, port.protocol))


def _balancer(spec: ServiceSpec, annotation: str | None) -> Iterator[FieldError]:
    """What only load balancers have."""
    balanced, path = spec.type == "LoadBalancer", "spec.LoadBalancerSourceRanges"
    if spec.loadBalancerSourceRanges:
        if not balanced:
            yield forbidden(path, ONLY_BALANCED)
        for index, block in enumerate(spec.loadBalancerSourceRanges):
            yield from complain(f"{path}[{index}]", block.strip(), cidr_complaints)
    elif annotation is not None:
        path = f"metadata.annotations[{SOURCE_RANGES}]"
        if not balanced:
            yield forbidden(path, ONLY_BALANCED)
        for block in annotation.split(",") if annotation.strip() else ():
            yield from complain(path, block.strip(), cidr_complaints)
    if spec.allocateLoadBalancerNodePorts is not None and not balanced:
        yield forbidden("spec.allocateLoadBalancerNodePorts", ONLY_BALANCED)
    if spec.loadBalancerClass is not None:
        if balanced:
            yield from complain("spec.loadBalancerClass", spec.loadBalancerClass, names.qualified)
        else:
            yield forbidden("spec.loadBalancerClass", ONLY_BALANCED)


def _is_outside(spec: ServiceSpec) -> bool:
    return spec.type in ("LoadBalancer", "NodePort") or (spec.type == "ClusterIP" and bool(spec.externalIPs))


def _is_checked(spec: ServiceSpec) -> bool:
    """Load balancers ask its nodes whether they have endpoints."""
    return spec.type == "LoadBalancer" and spec.externalTrafficPolicy == "Local"


def _traffic(spec: ServiceSpec) -> Iterator[FieldError]:
    policy, path = spec.externalTrafficPolicy, "spec.externalTrafficPolicy"
    if not _is_outside(spec):
        if policy:
            yield invalid(path, policy, "may only be set for externally-accessible services")
    else:
        yield from validation.one_of(path, policy, POLICIES)
    check, path = spec.healthCheckNodePort, "spec.healthCheckNodePort"
    if _is_checked(spec):
        yield from [required(path)] if not check else validation.port(path, check)
    elif check:
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid(path, check, text)
    inside = spec.internalTrafficPolicy
    if inside is None and spec.type in ("ClusterIP", "LoadBalancer", "NodePort"):
        yield required("spec.internalTrafficPolicy")
    elif inside is not None and inside not in POLICIES:
        yield unsupported("spec.internalTrafficPolicy", inside, POLICIES)
    if spec.trafficDistribution is not None and spec.trafficDistribution not in DISTRIBUTIONS:
        yield unsupported("spec.trafficDistribution", spec.trafficDistribution, DISTRIBUTIONS)


def service_status_errors(new: Service, old: Service) -> Iterator[FieldError]:
    balancer, path = new.status.loadBalancer, "status.loadBalancer.ingress"
    ingresses = (balancer.ingress if balancer else None) or ()
    if ingresses and new.spec.type != "LoadBalancer":
        yield forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")
        return
    for index, ingress in enumerate(ingresses):
        at = f"{path}[{index}]"
        if ingress.ip:
            yield from complain(f"{at}.ip", ingress.ip, ip_complaints)
        if ingress.ipMode is None:
            if ingress.ip:
                yield required(f"{at}.ipMode", "must be specified when `ip` is set")
        elif not ingress.ip:
            yield forbidden(f"{at}.ipMode", "may not be specified when `ip` is not set")
        elif ingress.ipMode not in IP_MODES:
            yield unsupported(f"{at}.ipMode", ingress.ipMode, IP_MODES)
        if ingress.hostname:
            yield from complain(f"{at}.hostname", ingress.hostname, names.subdomain)
            if not ip_complaints(ingress.hostname):
                yield invalid(f"{at}.hostname", ingress.hostname, "must be a DNS name, not an IP address")
