"""ServiceCIDR controller: tells when a range may be allocated from, and keeps it while addresses would be left without one.

A range gets a finalizer and becomes Ready. One that is being deleted is not allocated from any more; it goes once every address in
it lies in another range, too, and the API servers have had time to see that it is being deleted.
https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/ (KEP-1880) · kubernetes pkg/controller/servicecidrs
"""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from controller_manager.conditions import condition, trees, with_condition
from controller_manager.controller import Controller, Watch
from kube.api.meta import Key, Tree, key_of
from kube.api.types import IPAddress, ServiceCIDR

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
READY_MESSAGE = "Kubernetes Service CIDR is ready"
BLOCKED_MESSAGE = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
GRACE_SECONDS = 10.0  # within which every API server has seen that the range is being deleted


class ServiceCIDRController(Controller[Key]):
    name = "service-cidr-controller"
    reconciles = ServiceCIDR

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(IPAddress, lambda _: self._leaving()), Watch(ServiceCIDR, lambda _: self._leaving()))

    async def reconcile(self, key: Key) -> float | None:
        block = self.cache(ServiceCIDR).get(key)
        if block is None:
            return None
        finalizers = list(block.metadata.finalizers or ())
        if block.metadata.deletionTimestamp is None:
            if FINALIZER not in finalizers:
                await self._set_finalizers(block, [*finalizers, FINALIZER])
                return None  # the event that follows brings it back
            await self._tell(block, condition("Ready", "True", "", READY_MESSAGE, self.clock.now()))
            return None
        if FINALIZER not in finalizers:
            return None
        if orphans(block, self.cache(ServiceCIDR), self.cache(IPAddress)):
            await self._tell(block, condition("Ready", "False", "Terminating", BLOCKED_MESSAGE, self.clock.now()))
            return None
        waited = (self.clock.now() - block.metadata.deletionTimestamp).total_seconds()
        if waited < GRACE_SECONDS:
            return GRACE_SECONDS - waited
        await self._set_finalizers(block, [one for one in finalizers if one != FINALIZER])
        return None

    def _leaving(self) -> list[Key]:
        """Any event may be what a range that is being deleted waits for."""
        return [key_of(one) for one in self.cache(ServiceCIDR) if one.metadata.deletionTimestamp is not None]

    async def _set_finalizers(self, block: ServiceCIDR, finalizers: list[str]) -> None:
        guard = {"uid": block.metadata.uid, "resourceVersion": block.metadata.resourceVersion}
        await self.client.patch(ServiceCIDR, key_of(block), {"metadata": {**guard, "finalizers": finalizers}})

    async def _tell(self, block: ServiceCIDR, new: Tree) -> None:
        told = trees(block.status.conditions if block.status is not None else None)
        wanted = with_condition(told, new)
        await self.write_status(block, {"conditions": wanted} if wanted != told else {})


def orphans(block: ServiceCIDR, blocks: Iterable[ServiceCIDR], addresses: Iterable[IPAddress]) -> list[str]:
    """The addresses that lie in this range and in no other."""
    mine = [ip_network(one) for one in block.spec.cidrs or ()]
    others = [ip_network(one) for other in blocks if other.metadata.name != block.metadata.name for one in other.spec.cidrs or ()]
    return [
        one.metadata.name
        for one in addresses
        if any(ip_address(one.metadata.name) in network for network in mine)
        and not any(ip_address(one.metadata.name) in network for network in others)
    ]
