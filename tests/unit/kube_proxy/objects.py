"""Services and EndpointSlices for kube-proxy's tests, as views with minimal valid content."""

from typing import Any

from kube.api.types import EndpointSlice, Service
from kube.api.views import view
from kube_proxy.rules import Place

NODE = "node-1"
HERE = Place(NODE)


def a_port(port: int = 80, *, name: str = "", protocol: str = "TCP", node_port: int = 0, target: Any = None) -> dict[str, Any]:
    found = {"name": name, "port": port, "protocol": protocol, "nodePort": node_port, "targetPort": target}
    return {key: value for key, value in found.items() if value}


def a_service(
    name: str = "web", cluster_ip: str = "10.96.0.10", *ports: dict[str, Any], balancer: tuple[str, ...] = (), **spec: Any
) -> Service:
    """A ClusterIP Service of the namespace "default"; `spec` holds more of its fields."""
    ingress = [{"ip": ip} for ip in balancer]
    labels = spec.pop("labels", {})
    whole = {"type": "ClusterIP", "clusterIP": cluster_ip, "clusterIPs": [cluster_ip], "ports": list(ports) or [a_port()], **spec}
    tree = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": whole,
        "status": {"loadBalancer": {"ingress": ingress}},
    }
    return view(Service, tree)


def an_endpoint(address: str, *, node: str = NODE, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "nodeName": node, "conditions": conditions}


def a_slice(
    *endpoints: dict[str, Any] | str,
    port: int = 8080,
    name: str = "",
    protocol: str = "TCP",
    service: str = "web",
    family: str = "IPv4",
) -> EndpointSlice:
    """A slice of one port. A text stands for a ready endpoint of this node."""
    tree = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{service}-1", "namespace": "default", "labels": {"kubernetes.io/service-name": service}},
        "addressType": family,
        "endpoints": [an_endpoint(one, ready=True) if isinstance(one, str) else one for one in endpoints],
        "ports": [{"name": name, "port": port, "protocol": protocol}],
    }
    return view(EndpointSlice, tree)
