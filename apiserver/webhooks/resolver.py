"""Resolver: where a Service that is named as a webhook or an aggregated API answers.

By default at its cluster IP, which this host must be able to reach (kube-proxy on it); with --enable-aggregator-routing at one of
its ready endpoints. `kubernetes.default` is this server itself. Of an ExternalName Service it is the name.
kube-aggregator pkg/apiserver/resolvers.go · apiserver pkg/util/proxy/proxy.go
"""

import random
from dataclasses import dataclass

from apiserver.context import Server
from apiserver.webhooks.connections import CallFailed
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.types import EndpointSlice, Service

SERVICE_NAME = "kubernetes.io/service-name"
SERVICE_PORT = 443
OWN_SERVICE = ("default", "kubernetes")

_random = random.SystemRandom()


class Unresolved(CallFailed):
    """The Service does not lead anywhere."""


@dataclass(frozen=True)
class Place:
    host: str
    port: int


def resolve(server: Server, namespace: str, name: str, port: int) -> Place:
    """Raises Unresolved, in upstream's words."""
    config = server.config
    if (namespace, name) == OWN_SERVICE and port == SERVICE_PORT:
        return Place("127.0.0.1" if config.bind_address in ("0.0.0.0", "::") else config.bind_address, config.secure_port)
    service = server.stores.store_for(resource_of(Service)).cached(Key(namespace, name))
    if service is None:
        raise Unresolved(f'service "{name}" not found')
    if not config.enable_aggregator_routing:
        return place_of(service, port)
    slices = server.stores.store_for(resource_of(EndpointSlice)).cached_list(namespace)
    own = [one for one in slices if (one["metadata"].get("labels") or {}).get(SERVICE_NAME) == name]
    found = endpoints_of(service, own, port)
    if not found:
        raise Unresolved(f'no endpoints available for service "{name}"')
    return _random.choice(found)


def place_of(service: Tree, port: int) -> Place:
    """The Service's own address. Pure."""
    spec = service["spec"]
    kind = spec.get("type") or "ClusterIP"
    if kind == "ExternalName":
        return Place(spec["externalName"], port)
    if spec.get("clusterIP") in (None, "", "None"):
        raise Unresolved('service with ClusterIP "None" not supported')
    service_port(service, port)
    return Place(spec["clusterIP"], port)


def endpoints_of(service: Tree, slices: list[Tree], port: int) -> list[Place]:
    """Where the ready endpoints of a Service's port are. Pure."""
    if service["spec"].get("type") == "ExternalName":
        return [Place(service["spec"]["externalName"], port)]
    wanted = service_port(service, port).get("name") or ""
    return [
        Place(endpoint["addresses"][0], int(known["port"]))
        for one in slices
        for known in one.get("ports") or ()
        if (known.get("name") or "") == wanted and known.get("port")
        for endpoint in one.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready") is not False
    ]


def service_port(service: Tree, port: int) -> Tree:
    """The port of that number. Pure."""
    for one in service["spec"].get("ports") or ():
        if one.get("port") == port:
            found: Tree = one
            return found
    raise Unresolved(f'no service port {port} found for service "{service["metadata"]["name"]}"')
