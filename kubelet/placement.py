"""Placement: whether a pod may be on this node at all: by the node's labels, its taints, and the host ports that are taken. Pure.

A pod that names its node goes by no scheduler, and a node may have changed since the scheduler looked.
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename · upstream pkg/kubelet/lifecycle/predicate.go
"""

from collections.abc import Callable, Iterable

from kube.api.node_affinity import wanted
from kube.api.toleration import untolerated
from kube.api.types import Node, Pod
from kubelet.pod_network import HostPort, host_ports

NodeSource = Callable[[], Node | None]
EVERYWHERE = ("", "0.0.0.0", "::")


def unknown() -> None:
    """A kubelet without an API server knows no Node object: nothing of it is asked."""


def misplaced(pod: Pod, running: Iterable[Pod], node: Node | None) -> tuple[str, str] | None:
    """The reason and message of the first thing that is against the pod."""
    if node is not None and not wanted(pod, node):
        return _failed("NodeAffinity", "node(s) didn't match Pod's node affinity/selector")
    taken = [port for one in running for port in host_ports(one)]
    if any(_clash(port, other) for port in host_ports(pod) for other in taken):
        return _failed("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    if node is not None and untolerated(pod.spec.tolerations, node.spec.taints or (), ("NoExecute",)):
        return _failed("TaintToleration", "node(s) had untolerated taint(s)")
    return None


def _failed(predicate: str, why: str) -> tuple[str, str]:
    return predicate, f"Predicate {predicate} failed: {why}"


def _clash(one: HostPort, other: HostPort) -> bool:
    """The same port of the same protocol, on addresses that overlap."""
    same_address = one.host_ip == other.host_ip or one.host_ip in EVERYWHERE or other.host_ip in EVERYWHERE
    return same_address and (one.host_port, one.protocol) == (other.host_port, other.protocol)
