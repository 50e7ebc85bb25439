"""Pod network: what the kubelet asks of the network of its node; `kubelet.network` is the one there is.

https://kubernetes.io/docs/concepts/cluster-administration/networking/
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from kube.api.meta import Key
from kube.api.types import Pod


class HostPort(NamedTuple):
    """A port of the node that leads to a port of the pod."""

    host_ip: str  # empty: every address of the node
    host_port: int
    container_port: int
    protocol: str  # TCP, UDP or SCTP


class NetworkFailure(Exception):
    """A pod could not be connected, for this reason."""


class Network(Protocol):
    @property
    def ready(self) -> bool:
        """Whether pods can be connected: the node's pod range is known and the node's side is set up."""

    async def setup(self, pod_key: Key, uid: str, pid: int, *, host_ports: Sequence[HostPort] = ()) -> str:
        """Connect the network namespace of a process; returns the pod's address, the same one if it has one already."""

    async def teardown(self, uid: str) -> None:
        """Disconnect; a pod that is not connected is no error."""


def host_ports(pod: Pod) -> list[HostPort]:
    """Every host port that the pod's containers ask for; on the host's network there is nothing to forward."""
    if pod.spec.hostNetwork:
        return []
    containers = [*(pod.spec.initContainers or ()), *pod.spec.containers]
    ports = [port for container in containers for port in container.ports or ()]
    return [HostPort(one.hostIP or "", one.hostPort, one.containerPort, one.protocol or "TCP") for one in ports if one.hostPort]
