"""Endpoints controller: the older form of a service's addresses, one object of the service's name.

Ready and not ready addresses by ports, at most 1000 in all. Kept for clients that still read it; proxies read EndpointSlices.
https://kubernetes.io/docs/concepts/services-networking/service/#endpoints · pkg/controller/endpoint/endpoints_controller.go
"""

from collections.abc import Iterable

import orjson

from controller_manager import pod_endpoint
from controller_manager.controller import Controller, Watch
from controller_manager.pod_state import ready
from kube.api.labels import from_map
from kube.api.meta import Key, Tree, key_of
from kube.api.status import NotFound
from kube.api.types import Endpoints, Pod, Service
from kube.api.views import tree_of

MOST = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
HEADLESS = "service.kubernetes.io/headless"


class EndpointsController(Controller[Key]):
    name = "endpoints-controller"
    reconciles = Service
    reads = (Pod, Endpoints)

    @property
    def workers(self) -> int:
        return self.config.concurrent_endpoint_syncs

    def extra(self) -> tuple[Watch, ...]:
        return (
            Watch(Pod, lambda pod: pod_endpoint.services_of(pod, self.cache(Service))),
            Watch(Endpoints, lambda endpoints: [key_of(endpoints)]),
        )

    async def reconcile(self, key: Key) -> None:
        service = self.cache(Service).get(key)
        existing = self.cache(Endpoints).get(key)
        if service is None:
            await self._remove(existing)
            return
        if not pod_endpoint.selecting(service):
            return
        pods = self.cache(Pod).select(key.namespace, from_map(service.spec.selector))
        wanted = plan(service, pods)
        if existing is None:
            await self.client.create(Endpoints, wanted)
        elif patch := difference(existing, wanted):
            patch.setdefault("metadata", {})["resourceVersion"] = existing.metadata.resourceVersion
            await self.client.patch(Endpoints, key, patch)

    async def _remove(self, existing: Endpoints | None) -> None:
        """With its service, unless it was made by hand."""
        if existing is None or (existing.metadata.labels or {}).get(MANAGED_BY) != MANAGER:
            return
        try:
            await self.client.delete(Endpoints, key_of(existing), uid=existing.metadata.uid)
        except NotFound:
            return


def plan(service: Service, pods: Iterable[Pod]) -> Tree:
    """The Endpoints object of a service with these pods."""
    published = bool(service.spec.publishNotReadyAddresses)
    family = pod_endpoint.families(service)[0]
    subsets: dict[bytes, Tree] = {}
    taking = sorted(
        (pod for pod in pods if pod_endpoint.takes_part(pod, terminating=published) and pod_endpoint.address(pod, family)),
        key=lambda pod: (not ready(pod), pod_endpoint.address(pod, family)),
    )
    for pod in taking[:MOST]:
        ports = [{name: value for name, value in port.items() if value} for port in pod_endpoint.ports(service, pod)]
        if not ports and service.spec.ports:
            continue
        subset = subsets.setdefault(orjson.dumps(ports), {"ports": ports})
        side = "addresses" if published or ready(pod) else "notReadyAddresses"
        subset.setdefault(side, []).append(_address(service, pod, pod_endpoint.address(pod, family)))
    metadata = {
        "name": service.metadata.name,
        "namespace": service.metadata.namespace,
        "labels": _labels(service),
        "annotations": {OVER_CAPACITY: "truncated"} if len(taking) > MOST else {},
    }
    ordered = [subsets[name] for name in sorted(subsets)]
    return {"metadata": metadata, "subsets": [{name: part for name, part in one.items() if part} for one in ordered]}


def difference(existing: Endpoints, wanted: Tree) -> Tree:
    """A merge patch; empty where nothing differs."""
    patch: Tree = {}
    if [tree_of(one) for one in existing.subsets or ()] != wanted["subsets"]:
        patch["subsets"] = wanted["subsets"]
    metadata: Tree = {}
    labels = pod_endpoint.changed_labels(existing.metadata.labels, wanted["metadata"]["labels"], ())
    if labels:
        metadata["labels"] = labels
    noted, note = (existing.metadata.annotations or {}).get(OVER_CAPACITY), wanted["metadata"]["annotations"].get(OVER_CAPACITY)
    if noted != note:
        metadata["annotations"] = {OVER_CAPACITY: note}
    return patch | ({"metadata": metadata} if metadata else {})


def _address(service: Service, pod: Pod, ip: str) -> Tree:
    optional = {"hostname": pod_endpoint.host_name(service, pod), "nodeName": pod.spec.nodeName}
    return {"ip": ip, **{name: value for name, value in optional.items() if value}, "targetRef": pod_endpoint.reference(pod)}


def _labels(service: Service) -> dict[str, str]:
    labels = {**(service.metadata.labels or {}), MANAGED_BY: MANAGER}
    if service.spec.clusterIP == "None":
        return {**labels, HEADLESS: ""}
    return {key: value for key, value in labels.items() if key != HEADLESS}
