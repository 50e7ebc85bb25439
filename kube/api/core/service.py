"""Service: one stable address for a changing set of pods (v1).

Addresses, node ports and IP families are filled where they are allocated, in the API server.
https://kubernetes.io/docs/concepts/services-networking/service/
"""

from collections.abc import Iterator

from kube.api import names
from kube.api.columns import AGE, NONE, map_text, plain
from kube.api.core.service_addresses import is_headless
from kube.api.core.service_validation import service_errors, service_status_errors
from kube.api.defaults import fill
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.types import Service, ServicePort

AFFINITY_SECONDS = 10800  # three hours


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    fill(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", AFFINITY_SECONDS)
    kind = spec["type"]
    for port in spec.get("ports") or ():
        fill(port, protocol="TCP")
        if port.get("port"):
            fill(port, targetPort=port["port"])
    if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
        fill(spec, externalTrafficPolicy="Cluster")
    if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    set_status_defaults(tree)


def set_status_defaults(tree: Tree) -> None:
    for ingress in ((tree.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
        if ingress.get("ip"):
            ingress.setdefault("ipMode", "VIP")


def prepare(new: Tree, old: Tree | None) -> None:
    """A new Service has no load balancer yet; what its new type cannot have, and was not changed, goes."""
    spec = new["spec"]
    if old is None:
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        new["status"] = {"loadBalancer": {}}
        return
    if "ExternalName" not in (spec["type"], old["spec"].get("type")):
        _keep_addresses(spec, old["spec"])
    kind, before = spec["type"], old["spec"]
    unwanted: list[str] = []
    if kind == "ExternalName" != before.get("type"):
        unwanted += ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]
    if _is_outside(before) and not _is_outside(spec):
        unwanted.append("externalTrafficPolicy")
    if _is_checked(before) and not _is_checked(spec):
        unwanted.append("healthCheckNodePort")
    if kind != "LoadBalancer" and kind != before.get("type"):
        unwanted += ["allocateLoadBalancerNodePorts", "loadBalancerClass"]
        new["status"] = {"loadBalancer": {}}
    for field in unwanted:
        if spec.get(field) == before.get(field):
            spec.pop(field, None)


def _is_outside(spec: Tree) -> bool:
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def _is_checked(spec: Tree) -> bool:
    """Load balancers ask its nodes whether they have endpoints."""
    return (spec.get("type"), spec.get("externalTrafficPolicy")) == ("LoadBalancer", "Local")


def _keep_addresses(spec: Tree, before: Tree) -> None:
    """What an update leaves out it keeps; the first of clusterIPs is clusterIP, whichever of the two was changed."""
    if not spec.get("clusterIP") and not spec.get("clusterIPs") and before.get("clusterIP"):
        spec["clusterIP"] = before["clusterIP"]
    same = spec.get("clusterIP") == before.get("clusterIP")
    if same and not spec.get("clusterIPs") and before.get("clusterIPs"):
        spec["clusterIPs"] = list(before["clusterIPs"])
    elif spec.get("clusterIP") and not same and spec.get("clusterIPs") in (None, [], before.get("clusterIPs")):
        spec["clusterIPs"] = [spec["clusterIP"]]


def warnings(new: Service, old: Service | None) -> Iterator[str]:
    spec, hints = new.spec, "service.kubernetes.io/topology-aware-hints"
    if hints in (new.metadata.annotations or {}):
        yield f"annotation {hints} is deprecated, please use service.kubernetes.io/topology-mode instead"
    if is_headless(spec):
        for field in ("loadBalancerIP", "externalIPs"):
            if getattr(spec, field):
                yield f'spec.{field} is ignored when spec.clusterIP is "None"'
        if spec.sessionAffinity != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    if spec.type != "ExternalName" and spec.externalName:
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'


def external_ip(service: Service) -> str:
    """Where it is reached from outside: `<pending>` while a load balancer is being made."""
    spec = service.spec
    outside = ",".join(spec.externalIPs or ())
    if spec.type == "ExternalName":
        return spec.externalName or ""
    if spec.type == "LoadBalancer":
        ingress = service.status.loadBalancer.ingress if service.status.loadBalancer else None
        balanced = ",".join(sorted({one.ip or one.hostname or "" for one in ingress or ()} - {""}))
        return ",".join(part for part in (balanced, outside) if part) or "<pending>"
    return outside or NONE


def ports(service: Service) -> str:
    return ",".join(_port(one) for one in service.spec.ports or ()) or NONE


def _port(port: ServicePort) -> str:
    node_port = f":{port.nodePort}" if port.nodePort else ""
    return f"{port.port}{node_port}/{port.protocol}"


RESOURCE = Resource(
    view=Service,
    group="",
    version="v1",
    kind="Service",
    plural="services",
    short_names=("svc",),
    categories=("all",),
    subresources=("proxy", "status"),
    has_generation=False,
    create_on_update=True,
    set_defaults=set_defaults,
    set_status_defaults=set_status_defaults,
    prepare=prepare,
    validate=service_errors,
    warnings=warnings,
    validate_status=service_status_errors,
    validate_name=names.label,
    columns=(
        plain("Type", lambda service: service.spec.type),
        plain("Cluster-IP", lambda service: service.spec.clusterIP or NONE),
        plain("External-IP", external_ip),
        plain("Port(s)", ports),
        AGE,
        plain("Selector", lambda service: map_text(service.spec.selector), wide=True),
    ),
    field_selectors={
        "spec.clusterIP": lambda tree: (tree.get("spec") or {}).get("clusterIP") or "",
        "spec.type": lambda tree: (tree.get("spec") or {}).get("type") or "",
    },
)
