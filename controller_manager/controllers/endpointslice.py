"""EndpointSlice controller: the addresses behind each service that has a selector.

serving: the pod is ready; terminating: it is being deleted; ready: serving and not terminating, or publishNotReadyAddresses.
A Service with trafficDistribution has hints at its ready endpoints, which proxies follow: each is for its own zone, and with
PreferSameNode for its own node, too (KEP-4444, KEP-3015). One with `topology-mode: Auto` has its endpoints shared out among the
zones; whether that can be done is told by an event when it changes.
https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/ · pkg/controller/endpointslice
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import orjson

from controller_manager import pod_endpoint
from controller_manager.controller import Context, Controller, Watch
from controller_manager.pod_state import ready
from controller_manager.slice_writer import write
from controller_manager.slices import MANAGED_BY, SERVICE_NAME, Changes, Wanted, changes
from controller_manager.topology_hints import NoHints, Shares, asks_for_hints, shares, with_hints
from controller_manager.trigger_times import TriggerTimes, noted
from kube.api.labels import from_map
from kube.api.meta import Key, Tree, key_of, owner_reference
from kube.api.types import EndpointSlice, Node, Pod, Service

MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
ZONE = "topology.kubernetes.io/zone"

NEAR = ("PreferClose", "PreferSameZone", "PreferSameNode")  # the first is the second's older name

ENABLED = "Topology Aware Hints has been enabled"

ZoneOf = Callable[[str], str]


class EndpointSliceController(Controller[Key]):
    name = "endpointslice-controller"
    component = "endpoint-slice-controller"
    reconciles = Service
    owns: tuple[type[Any], ...] = (EndpointSlice,)
    expects = EndpointSlice
    reads = (Pod, Node)

    def __init__(self, context: Context) -> None:
        self._triggers = TriggerTimes()
        self._shares: Shares = {}
        self._told: dict[Key, str] = {}  # by Service: why its endpoints are not shared out, or that they are
        super().__init__(context)

    @property
    def workers(self) -> int:
        return self.config.concurrent_service_endpoint_syncs

    def extra(self) -> tuple[Watch, ...]:
        return (
            Watch(Pod, lambda pod: pod_endpoint.services_of(pod, self.cache(Service))),
            Watch(Node, lambda node: self._zones_changed()),
        )

    def _zones_changed(self) -> list[Key]:
        """The Services that are shared out by zones, where these have changed."""
        concerned = [key_of(service) for service in self.cache(Service) if asks_for_hints(service)]
        now = shares(self.cache(Node)) if concerned else {}
        before, self._shares = self._shares, now
        return concerned if now != before else []

    async def reconcile(self, key: Key) -> None:
        service = self.cache(Service).get(key)
        if service is None:
            self._triggers.forget(key)
            self._told.pop(key, None)
        if service is None or not pod_endpoint.selecting(service) or service.metadata.deletionTimestamp is not None:
            return
        if not self.expectations.satisfied(service.metadata.uid):
            return  # the slice that was made last brings this service back when it is seen
        existing = [
            one
            for one in self.cache(EndpointSlice).owned_by(service.metadata.uid)
            if (one.metadata.labels or {}).get(MANAGED_BY) == MANAGER and one.metadata.deletionTimestamp is None
        ]
        pods = self.cache(Pod).select(key.namespace, from_map(service.spec.selector))
        groups = self._shared_out(service, wanted(service, pods, self._zone_of))
        planned = noted(plan(service, groups, existing), self._triggers.of(service, pods))
        await write(self.client, self.expectations, service.metadata.uid, planned)

    def _shared_out(self, service: Service, groups: list[Wanted]) -> list[Wanted]:
        if not asks_for_hints(service):
            self._tell(service, "Topology Aware Hints has been disabled" if key_of(service) in self._told else "")
            return groups
        self._shares = shares(self.cache(Node))
        try:
            hinted = [replace(group, endpoints=with_hints(group.endpoints, self._shares)) for group in groups]
        except NoHints as why:
            self._tell(service, str(why))
            return groups
        self._tell(service, ENABLED)
        return hinted

    def _tell(self, service: Service, text: str) -> None:
        if text == self._told.get(key_of(service), ""):
            return
        self._told[key_of(service)] = text
        kind, state = ("Normal", "Enabled") if text == ENABLED else ("Warning", "Disabled")
        self.recorder.event(service, kind, f"TopologyAwareHints{state}", text)

    def _zone_of(self, node: str) -> str:
        found = self.cache(Node).get(Key("", node))
        return str(((found.metadata.labels or {}) if found is not None else {}).get(ZONE, ""))


def plan(service: Service, groups: Iterable[Wanted], existing: Iterable[EndpointSlice]) -> Changes:
    """What to write for a service with these endpoints."""
    return changes(existing, groups, slice_metadata(service))


def wanted(service: Service, pods: Iterable[Pod], zone_of: ZoneOf) -> list[Wanted]:
    """The endpoints by address family and by ports; where there are none, an empty group of each family."""
    groups: dict[tuple[str, bytes], Wanted] = {}
    taking = [pod for pod in pods if pod_endpoint.takes_part(pod, terminating=True)]
    for family in pod_endpoint.families(service):
        found = False
        for pod in taking:
            address = pod_endpoint.address(pod, family)
            if not address:
                continue
            ports = pod_endpoint.ports(service, pod)
            group = groups.setdefault((family, orjson.dumps(ports)), Wanted(family, ports, []))
            group.endpoints.append(endpoint(service, pod, address, zone_of))
            found = True
        if not found:
            groups[family, b""] = Wanted(family, [], [])
    return list(groups.values())


def endpoint(service: Service, pod: Pod, address: str, zone_of: ZoneOf) -> Tree:
    terminating = pod.metadata.deletionTimestamp is not None
    serving = ready(pod)
    published = bool(service.spec.publishNotReadyAddresses)
    tree: Tree = {
        "addresses": [address],
        "conditions": {
            "ready": published or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": pod_endpoint.reference(pod),
    }
    optional = {
        "hostname": pod_endpoint.host_name(service, pod),
        "nodeName": pod.spec.nodeName,
        "zone": zone_of(pod.spec.nodeName) if pod.spec.nodeName else "",
    }
    tree |= {name: value for name, value in optional.items() if value}
    found = hints(service, tree)
    return tree | ({"hints": found} if found else {})


def hints(service: Service, endpoint: Tree) -> Tree:
    """For whom an endpoint is meant; empty: for everybody."""
    wish = "" if asks_for_hints(service) else service.spec.trafficDistribution
    if wish not in NEAR or not endpoint["conditions"]["ready"]:
        return {}
    found = {"forZones": [{"name": endpoint["zone"]}]} if "zone" in endpoint else {}
    if wish == "PreferSameNode" and "nodeName" in endpoint:
        found["forNodes"] = [{"name": endpoint["nodeName"]}]
    return found


def slice_metadata(service: Service) -> Tree:
    """Of a new slice: the service's labels, and ours."""
    labels = {key: value for key, value in (service.metadata.labels or {}).items() if key != HEADLESS}
    labels |= {SERVICE_NAME: service.metadata.name, MANAGED_BY: MANAGER}
    if service.spec.clusterIP == "None":
        labels[HEADLESS] = ""
    return {
        "generateName": f"{service.metadata.name}-",
        "namespace": service.metadata.namespace,
        "labels": labels,
        "ownerReferences": [owner_reference(service)],
    }
