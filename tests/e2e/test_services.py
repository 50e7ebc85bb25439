"""Services over a whole cluster, as the official suite asks: pods and the node speak with pods, Services change their type, slices
made by hand are served, endpoints come and go with pods, host ports share a number.

The servers, and who asks them from a pod, run `netexec.py` in the image of cluster DNS, which has Python.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.dns import PROGRAM
from deploy.images import python
from tests.e2e.conftest import UPSTREAM, Cluster
from tests.wait import eventually_sync

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]  # the first of a run waits for the cluster, too
NETEXEC = Path(__file__).with_name("netexec.py")
NAMESPACE = "services"
ZONE = f"{NAMESPACE}.svc.cluster.local"
WEB = {"app": "web"}
ASKS = 12  # that two endpoints both answer, but for one time in 2,000
SOON = 20.0  # seconds within which rules have followed the API, on a busy machine


@dataclass(frozen=True)
class Place:
    """The cluster with two servers, `first` and `second` (HTTP 8080 and 9090, UDP 8081), and a pod that asks."""

    cluster: Cluster

    def kubectl(self, words: str, stdin: str = "") -> str:
        return self.cluster.ok(f"{UPSTREAM} -n {NAMESPACE} {words}", stdin=stdin)

    def apply(self, *trees: dict[str, Any]) -> None:
        self.kubectl("apply -f -", json.dumps({"apiVersion": "v1", "kind": "List", "items": trees}))

    def get(self, what: str, path: str) -> str:
        return self.kubectl(f"get {what} -o jsonpath='{{{path}}}'")

    def update(self, service: str, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Read a Service, change it, write it back whole: what client libraries do."""
        tree = json.loads(self.kubectl(f"get service {service} -o json"))
        change(tree["spec"])
        self.kubectl("replace -f -", json.dumps(tree))
        spec: dict[str, Any] = json.loads(self.kubectl(f"get service {service} -o json"))["spec"]
        return spec

    def address(self, pod: str) -> str:
        return self.get(f"pod {pod}", ".status.podIP")

    @property
    def node(self) -> str:
        return self.get("nodes", '.items[0].status.addresses[?(@.type=="InternalIP")].address')

    def dialled(self, host: str, port: int = 80, *, by: str = "asker", protocol: str = "http", tries: int = 1) -> dict[str, Any]:
        """What a pod is answered, and what went wrong."""
        query = f"host={host}&port={port}&protocol={protocol}&request=hostname&tries={tries}"
        told: dict[str, Any] = json.loads(self.cluster.ok(f"curl -s 'http://{self.address(by)}:8080/dial?{query}'"))
        return told

    def by_udp(self, host: str, port: int) -> str:
        """What the node is answered."""
        return self.cluster.ok(f"exec 3<>/dev/udp/{host}/{port}; echo hostname >&3; timeout 3 dd bs=1500 count=1 <&3 2>/dev/null")

    def until_answered(self, host: str, port: int, *names: str) -> None:
        """Ask from a pod until exactly these servers answer, and nobody fails to; without a name: until nobody answers."""

        def look() -> bool:
            told = self.dialled(host, port, tries=ASKS)
            assert (set(told["responses"]), not told["errors"]) == ({*names}, bool(names)), told
            return True

        eventually_sync(look, SOON, f"{names} at {host}:{port}")


def a_server(
    name: str, labels: dict[str, str], http: str = "8080,9090", ports: tuple[Any, ...] = (), **more: Any
) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": python.tag(PROGRAM),
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", NETEXEC.read_text(), http, "8081"],
        "ports": list(ports),
        "readinessProbe": {"httpGet": {"path": "/hostname", "port": int(http.split(",")[0])}, "periodSeconds": 1},
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container], **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def a_service(name: str, *ports: dict[str, Any], selector: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    spec = {"ports": list(ports), **({"selector": selector} if selector else {}), **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def to_web(**more: Any) -> dict[str, Any]:
    return {"port": 80, "targetPort": 8080, "protocol": "TCP", **more}


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Place]:
    cluster.ok(f"{UPSTREAM} create namespace {NAMESPACE}")
    one = Place(cluster)
    asker = a_server("asker", {"app": "asker"})
    one.apply(asker, a_server("first", WEB), a_server("second", WEB), a_service("target", to_web(), selector=WEB))
    one.kubectl("wait pod --all --for=condition=Ready --timeout=60s")
    yield one
    cluster.ok(f"{UPSTREAM} delete namespace {NAMESPACE} --wait=false")


def test_pods_speak_http_and_udp_with_pods(place: Place) -> None:
    """
    Conformance: [sig-network] Networking Granular Checks: Pods should function for intra-pod communication: http [NodeConformance] [Conformance]
    Conformance: [sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp [NodeConformance] [Conformance]
    """  # noqa: E501
    for by, of in (("first", "second"), ("second", "first"), ("first", "first")):
        for protocol, port in (("http", 8080), ("udp", 8081)):
            assert place.dialled(place.address(of), port, by=by, protocol=protocol) == {"responses": [of], "errors": []}


def test_node_speaks_http_and_udp_with_pods(place: Place) -> None:
    """
    Conformance: [sig-network] Networking Granular Checks: Pods should function for node-pod communication: http [LinuxOnly] [NodeConformance] [Conformance]
    Conformance: [sig-network] Networking Granular Checks: Pods should function for node-pod communication: udp [LinuxOnly] [NodeConformance] [Conformance]
    """  # noqa: E501
    for name in ("first", "second"):
        address = place.address(name)
        assert place.cluster.ok(f"curl -s --max-time 5 http://{address}:8080/hostname") == name
        assert place.by_udp(address, 8081) == name


def test_external_name_becomes_a_cluster_ip(place: Place) -> None:
    """Rule: behaviour E.4.45

    Conformance: [sig-network] Services should be able to change the type from ExternalName to ClusterIP [Conformance]
    """
    place.apply(a_service("name-to-ip", selector=WEB, type="ExternalName", externalName="outside.example.com"))
    assert place.get("service name-to-ip", ".spec.clusterIP") == ""

    def change(spec: dict[str, Any]) -> None:
        del spec["externalName"]
        spec |= {"type": "ClusterIP", "ports": [to_web()]}

    spec = place.update("name-to-ip", change)
    for at in (spec["clusterIP"], "name-to-ip"):
        place.until_answered(at, 80, "first", "second")


def test_external_name_becomes_a_node_port(place: Place) -> None:
    """Rule: behaviour E.4.45

    Conformance: [sig-network] Services should be able to change the type from ExternalName to NodePort [Conformance]
    """
    place.apply(a_service("name-to-port", selector=WEB, type="ExternalName", externalName="outside.example.com"))

    def change(spec: dict[str, Any]) -> None:
        del spec["externalName"]
        spec |= {"type": "NodePort", "ports": [to_web()]}

    spec = place.update("name-to-port", change)
    node_port = spec["ports"][0]["nodePort"]
    for at, port in ((spec["clusterIP"], 80), ("name-to-port", 80), (place.node, node_port)):
        place.until_answered(at, port, "first", "second")
    assert place.cluster.ok(f"curl -s --max-time 5 http://{place.node}:{node_port}/hostname") in ("first", "second")


def test_cluster_ip_and_node_port_become_an_external_name(place: Place) -> None:
    """The address and the port are free again, and the name leads on.

    Rule: behaviour E.4.45
    Conformance: [sig-network] Services should be able to change the type from ClusterIP to ExternalName [Conformance]
    Conformance: [sig-network] Services should be able to change the type from NodePort to ExternalName [Conformance]
    """
    for type_ in ("ClusterIP", "NodePort"):
        name = f"from-{type_.lower()}"
        place.apply(a_service(name, to_web(), selector=WEB, type=type_))
        before = json.loads(place.kubectl(f"get service {name} -o json"))["spec"]
        place.until_answered(name, 80, "first", "second")
        spec = place.update(name, lambda spec: spec.update(type="ExternalName", externalName=f"target.{ZONE}"))
        assert not {"clusterIP", "clusterIPs"} & spec.keys()
        assert not any("nodePort" in port for port in spec["ports"])
        place.until_answered(f"{name}.{ZONE}", 80, "first", "second")
        again = {**to_web(), **({"nodePort": before["ports"][0]["nodePort"]} if type_ == "NodePort" else {})}
        place.apply(a_service(f"{name}-again", again, selector=WEB, type=type_, clusterIP=before["clusterIP"]))


def test_endpoints_come_and_go_with_pods_port_by_port(place: Place) -> None:
    """Rule: behaviour E.4.46

    Conformance: [sig-network] Services should serve a basic endpoint from pods [Conformance]
    Conformance: [sig-network] Services should serve multiport endpoints from pods [Conformance]
    """
    labels = {"app": "multi"}
    one, two = ({"name": f"portname{at}", "port": 79 + at, "targetPort": f"portname{at}"} for at in (1, 2))
    place.apply(a_service("multi", one, two, selector=labels))

    def told(*expected: str) -> None:
        """Address and ports of every endpoint, in Endpoints and in slices."""
        subsets = '{range .subsets[*]}{.addresses[*].ip} {.ports[*].name} {.ports[*].port}{"\\n"}{end}'
        slices = '{range .items[*]}{.endpoints[*].addresses[0]} {.ports[*].name} {.ports[*].port}{"\\n"}{end}'
        for what, path in (("endpoints multi", subsets), ("endpointslices -l kubernetes.io/service-name=multi", slices)):
            line = f"{UPSTREAM} -n {NAMESPACE} get {what} -o jsonpath='{path}' | grep '[0-9]' | sort | tr '\\n' ,"
            place.cluster.until(f"{line}; echo '<'", "".join(f"{one}," for one in sorted(expected)) + "<", within=SOON)

    told()
    place.apply(a_server("pod1", labels, "8100", ({"name": "portname1", "containerPort": 8100},)))
    place.kubectl("wait pod/pod1 --for=condition=Ready --timeout=60s")
    first = f"{place.address('pod1')} portname1 8100"
    told(first)
    place.until_answered("multi", 80, "pod1")
    place.apply(a_server("pod2", labels, "8101", ({"name": "portname2", "containerPort": 8101},)))
    place.kubectl("wait pod/pod2 --for=condition=Ready --timeout=60s")
    second = f"{place.address('pod2')} portname2 8101"
    told(first, second)
    place.until_answered("multi", 80, "pod1")
    place.until_answered("multi", 81, "pod2")
    place.kubectl("delete pod pod1")
    told(second)
    place.until_answered("multi", 81, "pod2")
    place.until_answered("multi", 80)
    place.kubectl("delete pod pod2")
    told()


def test_slices_made_by_hand_are_served(place: Place) -> None:
    """One address with two ports, each in a slice of its own; then two addresses with a port each.

    Conformance: [sig-network] EndpointSlice should support a Service with multiple ports specified in multiple EndpointSlices [Conformance]
    Conformance: [sig-network] EndpointSlice should support a Service with multiple endpoint IPs specified in multiple EndpointSlices [Conformance]
    """  # noqa: E501

    def a_slice(name: str, service: str, address: str, port: str, number: int) -> dict[str, Any]:
        metadata = {"name": name, "labels": {"kubernetes.io/service-name": service}}
        ports = [{"name": port, "port": number, "protocol": "TCP"}]
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
                "endpoints": [{"addresses": [address]}], "ports": ports}  # fmt: skip

    first, second = place.address("first"), place.address("second")
    ports = [{"name": "port80", "port": 80}, {"name": "port81", "port": 81}]
    place.apply(a_service("by-hand", *ports), a_slice("by-hand-1", "by-hand", first, "port80", 8080))
    place.apply(a_slice("by-hand-2", "by-hand", first, "port81", 9090))
    for port in (80, 81):
        place.until_answered("by-hand", port, "first")
    place.apply(a_slice("by-hand-2", "by-hand", second, "port81", 9090))
    place.until_answered("by-hand", 80, "first")
    place.until_answered("by-hand", 81, "second")


def test_host_port_is_shared_by_address_and_protocol(place: Place) -> None:
    """
    Conformance: [sig-network] HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol [LinuxOnly] [Conformance]
    """  # noqa: E501
    node = place.node
    for name, address, protocol, inside in (
        ("host-loopback", "127.0.0.1", "TCP", 8080), ("host-node", node, "TCP", 8080), ("host-udp", node, "UDP", 8081),
    ):  # fmt: skip
        port = {"containerPort": inside, "hostPort": 54323, "hostIP": address, "protocol": protocol}
        place.apply(a_server(name, {"app": name}, ports=(port,)))
    place.kubectl("wait pod/host-loopback pod/host-node pod/host-udp --for=condition=Ready --timeout=60s")
    assert place.cluster.ok(f"curl -s --max-time 5 --interface {node} http://127.0.0.1:54323/hostname") == "host-loopback"
    assert place.cluster.ok(f"curl -s --max-time 5 http://{node}:54323/hostname") == "host-node"
    assert place.by_udp(node, 54323) == "host-udp"
