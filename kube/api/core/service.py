"""Service: one stable address for a changing set of pods (v1).

Addresses, node ports and IP families are filled where they are allocated, in the API server.
https://kubernetes.io/docs/concepts/services-networking/service/
"""

from kube.api import names
from kube.api.columns import AGE, NONE, map_text, plain
from kube.api.core.service_validation import service_errors
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.types import Service, ServicePort

AFFINITY_SECONDS = 10800  # three hours


def set_defaults(tree: Tree) -> None:
    spec = tree.setdefault("spec", {})
    spec.setdefault("sessionAffinity", "None")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", AFFINITY_SECONDS)
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if not port.get("targetPort") and port.get("port"):
            port["targetPort"] = port["port"]
    if kind in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def prepare(new: Tree, old: Tree | None) -> None:
    """A new Service has no load balancer yet; what its new type cannot have, goes."""
    if old is None:
        new["status"] = {"loadBalancer": {}}
        return
    kind, spec = new["spec"]["type"], new["spec"]
    if kind == old["spec"].get("type"):
        return
    if kind in ("ClusterIP", "ExternalName"):
        spec.pop("externalTrafficPolicy", None)
    if kind == "ExternalName":
        spec.pop("internalTrafficPolicy", None)
    if kind != "LoadBalancer":
        spec.pop("allocateLoadBalancerNodePorts", None)
        new["status"] = {"loadBalancer": {}}


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
    prepare=prepare,
    validate=service_errors,
    validate_name=names.label1035,
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
