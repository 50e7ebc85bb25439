"""CNI network: somebody else's pod network in place of the built-in one, by the plugins of a configuration in /etc/cni/net.d.

Routes, rules and policies are then the plugins' matter. The network is named at the kubelet's start; a change of the
configuration is for the next one. Pods that a killed kubelet left behind are known by their written results; what cannot be
deleted is tried again.
https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/ · https://www.cni.dev/docs/spec/
"""

import asyncio
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from kube.api.meta import Key
from kube.component.logging import get_logger
from kubelet.network.cni_config import NetworkList, address_of, asked_capabilities
from kubelet.network.cni_plugins import Attachment, CniPlugins
from kubelet.pod_network import UNLIMITED, Bandwidth, HostPort, NetworkFailure

log = get_logger(__name__)


RETRY_SECONDS = 30.0


class CniNetwork:
    """`kubelet.pod_network.Network`, by plugins. A container's name for them is the pod's uid."""

    def __init__(self, network: NetworkList, binaries: Path, cache: Path) -> None:
        self._plugins = CniPlugins(network, binaries, cache / network.name)
        self._name = network.name
        self.ready = False
        self.range: IPv4Network | None = None
        self._to_delete: set[str] = set()

    async def start(self, pod_cidr: str) -> None:
        """Nothing is set up before the first pod; the range is the plugins' matter."""
        self.range = IPv4Network(pod_cidr)
        if not self.ready:
            log.info("pod network by CNI", network=self._name, adopted=len(self._plugins.known()))
        self.ready = True

    async def run(self) -> None:
        """Try again to delete what could not be deleted, until cancelled."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            for uid in sorted(self._to_delete):
                await self.teardown(uid)

    @property
    def addresses(self) -> Mapping[str, IPv4Address]:
        found = {uid: address_of(self._plugins.result(uid) or {}) for uid in self._plugins.known()}
        return {uid: IPv4Address(text) for uid, text in found.items() if text}

    async def setup(
        self, pod_key: Key, uid: str, pid: int, *, host_ports: Sequence[HostPort] = (), bandwidth: Bandwidth = UNLIMITED
    ) -> str:
        """See `Network.setup`: a pod with a new namespace is connected anew. One that is connected is checked, and stays
        as it is: a kubelet's start touches no running pod, and there are plugins that fail at CHECK with nothing wrong."""
        words = {"IgnoreUnknown": "1", "K8S_POD_NAMESPACE": pod_key.namespace, "K8S_POD_NAME": pod_key.name, "K8S_POD_UID": uid}
        arguments = ";".join(f"{name}={value}" for name, value in words.items())
        pod = Attachment(uid, f"/proc/{pid}/ns/net", arguments, asked_capabilities(host_ports, bandwidth))
        known = self._plugins.result(uid)
        if known is not None and self._plugins.namespace(uid) == pod.namespace:
            try:
                await self._plugins.check(pod)
            except NetworkFailure as error:
                log.warning("a plugin finds fault with a pod's network", pod=str(pod_key), reason=error)
            return address_of(known)
        await self._plugins.delete(uid)
        address = address_of(await self._plugins.add(pod))
        if not address:
            raise NetworkFailure(f"network {self._name} gave pod {pod_key} no address")
        return address

    async def teardown(self, uid: str) -> None:
        """See `Network.teardown`. A pod's end does not wait for a plugin that fails: it is asked again later."""
        try:
            await self._plugins.delete(uid)
            self._to_delete.discard(uid)
        except NetworkFailure as error:
            self._to_delete.add(uid)
            log.warning("cannot delete a pod's network, trying again later", pod=uid, reason=error, seconds=RETRY_SECONDS)

    async def cleanup(self) -> None:
        """Delete what is known of any pod. Needs no `start`."""
        for uid in self._plugins.known():
            await self.teardown(uid)
