"""Cluster DNS from pods: names of Services and pods over UDP and TCP, and what pods find in their resolv.conf.

The asking pod runs the image of cluster DNS itself: it has Python, so both the system's resolver and single questions.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.dns import PROGRAM
from deploy.images import python
from tests.e2e.conftest import OURS, UPSTREAM, Cluster

NAMESPACE = "dns"
ASKER = f"""
apiVersion: v1
kind: Pod
metadata: {{name: asker}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: {python.tag(PROGRAM)}
    command: [python3, -c, "import signal; signal.pause()"]
"""
# ask NAME TYPE: the data of the answer, over each protocol, as text; `resolve NAME`: what the system's resolver finds.
TOOLS = """
import ipaddress, json, socket, struct, sys
from addons.dns import wire
SERVER = ("10.96.0.10", 53)

def told(record):
    if record.type in (wire.A, wire.AAAA):
        return str(ipaddress.ip_address(record.data))
    if record.type == wire.SRV:
        return " ".join(map(str, struct.unpack("!HHH", record.data[:6]))) + " " + wire.text_of(record.data[6:])
    return record.data[1:].decode() if record.type == wire.TXT else wire.text_of(record.data)

def ask(name, kind):
    message = wire.question(wire.name_of(name), getattr(wire, kind), ident=7)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(5)
        udp.sendto(message, SERVER)
        by_udp = udp.recv(4096)
    with socket.create_connection(SERVER, timeout=5) as tcp:
        tcp.sendall(struct.pack("!H", len(message)) + message)
        stream = tcp.makefile("rb")
        by_tcp = stream.read(int.from_bytes(stream.read(2)))
    answers = [sorted(told(one) for one in wire.parse_records(each) if one.section == 0) for each in (by_udp, by_tcp)]
    assert answers[0] == answers[1], answers
    return {wire.NXDOMAIN: ["NXDOMAIN"]}.get(by_udp[3] & 15, answers[0])

def resolve(name):
    return sorted({one[4][0] for one in socket.getaddrinfo(name, 80, socket.AF_INET)})

print(json.dumps([resolve(name) if kind == "resolve" else ask(name, kind) for name, kind in json.loads(sys.argv[1])]))
"""

pytestmark = [pytest.mark.root, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def names(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace with Services and pods, all running."""
    cluster.ok(f"{UPSTREAM} create namespace {NAMESPACE}")
    inside = replace(cluster, kubectl=UPSTREAM, namespace=NAMESPACE)
    inside.ok(f"kubectl -n {NAMESPACE} apply -f dns.yaml")
    inside.ok(f"kubectl -n {NAMESPACE} apply -f -", stdin=ASKER)
    inside.ok(f"kubectl -n {NAMESPACE} wait pod --all --for=condition=Ready --timeout=60s", within=90)
    inside.until(f"kubectl -n {NAMESPACE} get endpoints db -o jsonpath={{.subsets[*].addresses[*].hostname}}", "db-0")
    yield inside
    inside.ok(f"kubectl delete namespace {NAMESPACE} --wait=false")


def ask(shell: Cluster, *questions: tuple[str, str]) -> list[list[str]]:
    """What the asking pod is told, question by question."""
    command = f"kubectl -n {NAMESPACE} exec -i asker -- python3 - '{json.dumps(questions)}'"
    told: list[list[str]] = json.loads(shell.ok(command, stdin=TOOLS))
    return told


def field(shell: Cluster, what: str, path: str) -> str:
    return shell.ok(f"kubectl -n {NAMESPACE} get {what} -o jsonpath={{{path}}}")


def resolver_of(shell: Cluster, pod: str) -> list[str]:
    return shell.ok(f"kubectl -n {NAMESPACE} exec {pod} -- cat /etc/resolv.conf").splitlines()


def test_services_have_names_and_addresses_lead_back(names: Cluster) -> None:
    """Over UDP and TCP: cluster IPs, headless Services, ports, the way back, and names that are not there.

    Conformance: [sig-network] DNS should provide DNS for services [Conformance]
    Conformance: [sig-network] DNS should provide DNS for the cluster [Conformance]
    Rule: behaviour E.4.48
    """
    address, pod = field(names, "service web", ".spec.clusterIP"), field(names, "pod db-one", ".status.podIP")
    zone = f"{NAMESPACE}.svc.cluster.local"
    expected = {
        ("kubernetes.default.svc.cluster.local", "A"): ["10.96.0.1"],
        (f"web.{zone}", "A"): [address],
        (f"web.{zone}", "AAAA"): [],
        (f"none.{zone}", "A"): ["NXDOMAIN"],
        (f"db.{zone}", "A"): [pod],
        (f"_http._tcp.web.{zone}", "SRV"): [f"0 100 80 web.{zone}."],
        (f"_sql._tcp.db.{zone}", "SRV"): [f"0 100 5432 db-0.db.{zone}."],
        (_reverse(address), "PTR"): [f"web.{zone}."],
        (f"{pod.replace('.', '-')}.{NAMESPACE}.pod.cluster.local", "A"): [pod],
        ("dns-version.cluster.local", "TXT"): ["1.1.0"],
    }
    assert dict(zip(expected, ask(names, *expected), strict=True)) == expected
    (back,) = ask(names, (_reverse(pod), "PTR"))
    assert f"db-0.db.{zone}." in back


def test_short_names_are_found_by_the_search_domains(names: Cluster) -> None:
    """Conformance: [sig-network] DNS should resolve DNS of partial qualified names for services [LinuxOnly] [Conformance]
    Rule: behaviour E.4.48, ndots:5"""
    address, pod = field(names, "service web", ".spec.clusterIP"), field(names, "pod db-one", ".status.podIP")
    short = ("web", f"web.{NAMESPACE}", f"web.{NAMESPACE}.svc", "db", "db-0.db", "kubernetes.default")
    found = ask(names, *((one, "resolve") for one in short))
    assert found == [[address], [address], [address], [pod], [pod], ["10.96.0.1"]]


def test_a_pod_has_the_name_of_its_hostname_and_subdomain(names: Cluster) -> None:
    """In DNS and in its own /etc/hosts.

    Conformance: [sig-network] DNS should provide DNS for pods for Hostname [Conformance]
    Conformance: [sig-network] DNS should provide DNS for pods for Subdomain [Conformance]
    Conformance: [sig-network] DNS should provide /etc/hosts entries for the cluster [Conformance]
    """
    pod, full = field(names, "pod db-one", ".status.podIP"), f"db-0.db.{NAMESPACE}.svc.cluster.local"
    assert ask(names, (full, "A"), ("db-0.db", "resolve")) == [[pod], [pod]]
    assert f"{pod}\t{full}\tdb-0" in names.ok(f"kubectl -n {NAMESPACE} exec db-one -- cat /etc/hosts")
    assert names.ok(f"kubectl -n {NAMESPACE} exec db-one -- hostname -f").strip() == full


def test_an_external_name_follows_its_service(names: Cluster) -> None:
    """Another target is told at once, and a Service that became a ClusterIP has its address.

    Conformance: [sig-network] DNS should provide DNS for ExternalName services [Conformance]
    """
    name = f"outside.{NAMESPACE}.svc.cluster.local"
    assert ask(names, (name, "CNAME"), ("outside", "resolve")) == [["kubernetes.default.svc.cluster.local."], ["10.96.0.1"]]
    names.ok(f'kubectl -n {NAMESPACE} patch service outside -p \'{{"spec":{{"externalName":"other.example"}}}}\'')
    _until_told(names, (name, "CNAME"), "other.example.")
    cluster_ip = {"spec": {"type": "ClusterIP", "externalName": None, "ports": [{"name": "http", "port": 80}]}}
    names.ok(f"kubectl -n {NAMESPACE} patch service outside -p '{json.dumps(cluster_ip)}'")
    _until_told(names, (name, "A"), field(names, "service outside", ".spec.clusterIP"))


def test_pods_may_choose_their_resolver(names: Cluster) -> None:
    """dnsPolicy None, Default, ClusterFirst merged with dnsConfig, and ClusterFirstWithHostNet.

    Conformance: [sig-network] DNS should support configurable pod DNS nameservers [Conformance]
    """
    own = ["nameserver 10.96.0.10", f"search {NAMESPACE}.svc.cluster.local svc.cluster.local cluster.local", "options ndots:5"]
    assert resolver_of(names, "none") == ["nameserver 192.0.2.53", "search one.example two.example", "options ndots:2 edns0"]
    server, search, options = resolver_of(names, "on-host")
    assert (server, options) == (own[0], own[2])
    assert search.startswith(own[1])
    server, search, options = resolver_of(names, "merged")
    assert (server, options) == (own[0], "options ndots:2")
    assert search.startswith(own[1])
    assert search.endswith(" one.example")
    assert own[0] not in resolver_of(names, "default")
    assert names.ok(f"kubectl -n {NAMESPACE} exec on-host -- nslookup kubernetes.default.svc.cluster.local").count("10.96.0.1") >= 1


def test_cluster_info_tells_where_dns_is(names: Cluster) -> None:
    """By the label kubernetes.io/cluster-service, in both kubectls. Rule: walkthrough, first steps"""
    for kubectl in (UPSTREAM, OURS):
        assert "/api/v1/namespaces/kube-system/services/kube-dns:dns/proxy" in names.ok(f"{kubectl} cluster-info")


def _reverse(address: str) -> str:
    return ".".join(address.split(".")[::-1]) + ".in-addr.arpa"


def _until_told(shell: Cluster, question: tuple[str, str], expected: str) -> None:
    (shell.state / "tools" / "ask.py").write_text(TOOLS)
    command = f"kubectl -n {NAMESPACE} exec -i asker -- python3 - '{json.dumps([question])}'"
    shell.until(f"{command} < {shell.state}/tools/ask.py", json.dumps([[expected]]), within=15)
