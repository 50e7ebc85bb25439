"""EndpointSlice mirroring: hand-made Endpoints of a service without a selector, as EndpointSlices, which is what proxies read.

Not mirrored: Endpoints labelled endpointslice.kubernetes.io/skip-mirror=true, leader election records, services with a selector.
https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#endpointslice-mirroring
"""

from collections.abc import Iterable
from typing import Any

from controller_manager.controller import Controller, Watch
from controller_manager.pod_endpoint import family_of
from controller_manager.slice_writer import write
from controller_manager.slices import MANAGED_BY, SERVICE_NAME, Changes, Wanted, changes, ports_key
from kube.api.meta import Key, Tree, key_of, owner_reference
from kube.api.types import Endpoints, EndpointSlice, Service
from kube.api.views import tree_of

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
MOST_PER_SUBSET = 1000  # --mirroring-max-endpoints-per-subset


class EndpointSliceMirroringController(Controller[Key]):
    name = "endpointslice-mirroring-controller"
    reconciles = Endpoints
    owns: tuple[type[Any], ...] = (EndpointSlice,)
    expects = EndpointSlice
    reads = (Service,)

    def extra(self) -> tuple[Watch, ...]:
        return (Watch(Service, lambda service: [key_of(service)]),)

    async def reconcile(self, key: Key) -> None:
        endpoints = self.cache(Endpoints).get(key)
        if endpoints is None or not self.expectations.satisfied(endpoints.metadata.uid):
            return
        existing = [
            one
            for one in self.cache(EndpointSlice).owned_by(endpoints.metadata.uid)
            if (one.metadata.labels or {}).get(MANAGED_BY) == MANAGER
        ]
        await write(self.client, self.expectations, endpoints.metadata.uid, plan(endpoints, self.cache(Service).get(key), existing))


def plan(endpoints: Endpoints, service: Service | None, existing: Iterable[EndpointSlice]) -> Changes:
    """The slices to write; where these Endpoints are not to be mirrored, those that there are go."""
    if not mirrored(endpoints, service):
        return Changes(delete=list(existing))
    return changes(existing, wanted(endpoints), _metadata(endpoints))


def mirrored(endpoints: Endpoints, service: Service | None) -> bool:
    if service is None or service.spec.selector or service.spec.type == "ExternalName":
        return False
    if (endpoints.metadata.labels or {}).get(SKIP) == "true" or LEADER in (endpoints.metadata.annotations or {}):
        return False
    return bool(endpoints.subsets)


def wanted(endpoints: Endpoints) -> list[Wanted]:
    """By address family and by ports: subsets with the same ports are one group."""
    groups: dict[tuple[str, bytes], Wanted] = {}
    for subset in endpoints.subsets or ():
        ports = [{"name": "", **tree_of(port)} for port in subset.ports or ()]
        ready = [_endpoint(one, ready=True) for one in subset.addresses or ()]
        unready = [_endpoint(one, ready=False) for one in subset.notReadyAddresses or ()]
        for one in (ready + unready)[:MOST_PER_SUBSET]:
            family = family_of(one["addresses"][0])
            groups.setdefault((family, ports_key(ports)), Wanted(family, ports, [])).endpoints.append(one)
    return list(groups.values())


def _endpoint(address: Any, *, ready: bool) -> Tree:
    tree: Tree = {"addresses": [address.ip], "conditions": {"ready": ready}}
    optional = {"hostname": address.hostname, "nodeName": address.nodeName, "targetRef": tree_of(address.targetRef)}
    return tree | {name: value for name, value in optional.items() if value}


def _metadata(endpoints: Endpoints) -> Tree:
    name = endpoints.metadata.name
    return {
        "generateName": f"{name}-",
        "namespace": endpoints.metadata.namespace,
        "labels": {**(endpoints.metadata.labels or {}), SERVICE_NAME: name, MANAGED_BY: MANAGER},
        "ownerReferences": [owner_reference(endpoints)],
    }
