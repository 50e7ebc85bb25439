"""Pod network: what the kubelet asks of the network of its node; `kubelet.network` is the one there is.

https://kubernetes.io/docs/concepts/cluster-administration/networking/ ·
https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/#support-traffic-shaping
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from kube.api import quantity
from kube.api.meta import Key
from kube.api.types import Pod


class HostPort(NamedTuple):
    """A port of the node that leads to a port of the pod."""

    host_ip: str  # empty: every address of the node
    host_port: int
    container_port: int
    protocol: str  # TCP, UDP or SCTP


class Bandwidth(NamedTuple):
    """How many bits a second may come in and go out; 0: as many as can."""

    ingress: int = 0
    egress: int = 0


class NetworkFailure(Exception):
    """A pod could not be connected, for this reason."""


UNLIMITED = Bandwidth()
BANDWIDTH_ANNOTATION = "kubernetes.io/{}-bandwidth"
LEAST_BITS, MOST_BITS = 1_000, 1_000_000_000_000_000


class Network(Protocol):
    @property
    def ready(self) -> bool:
        """Whether pods can be connected: the node's pod range is known and the node's side is set up."""

    async def setup(
        self, pod_key: Key, uid: str, pid: int, *, host_ports: Sequence[HostPort] = (), bandwidth: Bandwidth = UNLIMITED
    ) -> str:
        """Connect the network namespace of a process; returns the pod's address, the same one if it has one already."""

    async def teardown(self, uid: str) -> None:
        """Disconnect; a pod that is not connected is no error."""


def bandwidth(pod: Pod) -> Bandwidth:
    """What the pod's annotations ask for, in upstream's words where they are wrong. Raises NetworkFailure."""
    annotations = pod.metadata.annotations or {}
    return Bandwidth(*(_bits(annotations.get(BANDWIDTH_ANNOTATION.format(way), "")) for way in Bandwidth._fields))


def _bits(text: str) -> int:
    if not text:
        return 0
    try:
        bits = quantity.value(text)
    except ValueError as error:
        raise NetworkFailure(f"failed to get pod bandwidth from annotations: {error}") from error
    if bits < LEAST_BITS:
        raise NetworkFailure("failed to get pod bandwidth from annotations: resource is unreasonably small (< 1kbit)")
    if bits > MOST_BITS:
        raise NetworkFailure("failed to get pod bandwidth from annotations: resource is unreasonably large (> 1Pbit)")
    return bits


def host_ports(pod: Pod) -> list[HostPort]:
    """Every host port that the pod's containers ask for; on the host's network there is nothing to forward."""
    if pod.spec.hostNetwork:
        return []
    containers = [*(pod.spec.initContainers or ()), *pod.spec.containers]
    ports = [port for container in containers for port in container.ports or ()]
    return [HostPort(one.hostIP or "", one.hostPort, one.containerPort, one.protocol or "TCP") for one in ports if one.hostPort]
