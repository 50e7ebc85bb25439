"""A small cluster for cluster DNS' tests; questions and answers go by way of dnspython, which reads messages on its own."""

import time
from typing import Any

import dns.message
import dns.rdatatype

from addons.dns.cluster import Cluster
from addons.dns.resolver import Resolver
from addons.dns.settings import read
from kube.api.types import EndpointSlice, Namespace, Service
from kube.api.views import view
from kube.client.cache import Cache

COREFILE = """
.:53 {
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    loadbalance
}
"""


def a_service(name: str, *addresses: str, ports: tuple[tuple[str, str, int], ...] = (), **spec: Any) -> Service:
    """A Service of the namespace "default"; without an address a headless one."""
    tree = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "clusterIP": addresses[0] if addresses else "None",
            "clusterIPs": list(addresses) or ["None"],
            "ports": [{"name": name, "protocol": protocol, "port": port} for name, protocol, port in ports],
            **spec,
        },
    }
    return view(Service, tree)


def a_slice(
    service: str, *endpoints: dict[str, Any], ports: tuple[tuple[str, str, int], ...] = (), suffix: str = "1"
) -> EndpointSlice:
    tree = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{service}-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv6" if endpoints and ":" in endpoints[0]["addresses"][0] else "IPv4",
        "endpoints": list(endpoints),
        "ports": [{"name": name, "protocol": protocol, "port": port} for name, protocol, port in ports],
    }
    return view(EndpointSlice, tree)


def an_endpoint(address: str, hostname: str = "", *, ready: bool | None = True) -> dict[str, Any]:
    whole: dict[str, Any] = {"addresses": [address], "conditions": {} if ready is None else {"ready": ready}}
    return whole | ({"hostname": hostname} if hostname else {})


def a_cluster(*objects: Service | EndpointSlice) -> Cluster:
    services: Cache[Service] = Cache()
    slices: Cache[EndpointSlice] = Cache()
    namespaces: Cache[Namespace] = Cache()
    for one in objects:
        if isinstance(one, Service):
            services.set(one)
        else:
            slices.set(one)
    for name in ("default", "empty"):
        namespaces.set(view(Namespace, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    return Cluster(services, slices, namespaces)


def a_resolver(*objects: Service | EndpointSlice, corefile: str = COREFILE) -> Resolver:
    return Resolver(read(corefile, {}), a_cluster(*objects))


def ask(resolver: Resolver, name: str, kind: str = "A", *, proto: str = "udp", **query: Any) -> dns.message.Message:
    """The answer to a question, which must be there at once."""
    asked = dns.message.make_query(name, kind, **query)
    told = resolver.at_once(asked.to_wire(), proto, time.perf_counter())
    assert isinstance(told, bytes), told
    answer = dns.message.from_wire(told)
    assert asked.is_response(answer)
    return answer


def records(answer: dns.message.Message, section: str = "answer") -> list[str]:
    """`name ttl type data`, in order."""
    return [
        f"{rrset.name} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {data}"
        for rrset in getattr(answer, section)
        for data in rrset
    ]


def data(answer: dns.message.Message) -> list[str]:
    return [str(one) for rrset in answer.answer for one in rrset]
