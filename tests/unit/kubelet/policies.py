"""Network policies, pods and namespaces for tests, as the API server has them."""

from ipaddress import IPv4Address
from typing import Any

from kube.api.types import Namespace, NetworkPolicy, Pod
from kube.api.views import view
from kubelet.network.policy import Peer


def peer(namespace: str, name: str, address: str, *ports: dict[str, Any], **labels: str) -> Peer:
    tree = {
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "uid": f"{namespace}/{name}"},
        "spec": {"containers": [{"name": "c", "ports": list(ports)}]},
        "status": {"podIP": address, "phase": "Running"},
    }
    return Peer(view(Pod, tree), IPv4Address(address))


def namespace(name: str, **labels: str) -> Namespace:
    return view(Namespace, {"metadata": {"name": name, "labels": labels}})


def policy(name: str, selector: dict[str, Any] | None = None, *, within: str = "default", **spec: Any) -> NetworkPolicy:
    tree = {"metadata": {"name": name, "namespace": within}, "spec": {"podSelector": selector or {}, **spec}}
    return view(NetworkPolicy, tree)


def labels(**wanted: str) -> dict[str, Any]:
    return {"matchLabels": wanted}
