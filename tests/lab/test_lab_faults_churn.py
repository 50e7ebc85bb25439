"""Services come and go in a loop, and nothing of them is left: in the kernels of the nodes, and in the database."""

import json
import re
import sys
from functools import partial
from typing import Any

import pytest

from tests.lab.conftest import Lab
from tests.lab.faults import web
from tests.wait import eventually_sync

NODES = ("node1", "node2")  # the two that nothing happens to meanwhile
ROUNDS, AT_ONCE = 4, 50
OF_SERVICES = re.compile(r"/(services|endpointslices)/.*/churn-")

# All keys of the database. https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
KEYS = """
import base64, json, ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
context.load_cert_chain(*sys.argv[2:])
asked = json.dumps({"key": "AA==", "range_end": "AA==", "keys_only": True}).encode()
with urllib.request.urlopen("https://127.0.0.1:2379/v3/kv/range", asked, context=context) as answer:
    print(json.dumps(sorted(base64.b64decode(one["key"]).decode() for one in json.load(answer)["kvs"])))
"""
# A datagram to each address, from one port.
SEND = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    for address in sys.argv[1:]:
        one.sendto(b"", (address, 80))
"""

pytestmark = [pytest.mark.root, pytest.mark.timeout(300), pytest.mark.usefixtures("outage")]


def test_two_hundred_services_come_and_go_and_nothing_is_left(lab: Lab) -> None:
    """Rule: what a Service takes (rules, maps, addresses, ports, keys, connections that are followed) is given back with it"""
    deployment, _ = web("churn", 1, {"nodeSelector": {"kubernetes.io/hostname": "node2"}})
    lab.apply(deployment)
    lab.kubectl("rollout", "status", "deployment/churn", "--timeout=60s", within=70)
    try:
        for _ in range(ROUNDS):
            names = [f"churn-{number}" for number in range(AT_ONCE)]
            lab.create(*(service(name) for name in names))
            addresses = {one["spec"]["clusterIP"] for one in lab.get("services", "--selector=of=churn")}
            assert len(addresses) == AT_ONCE
            for node in NODES:
                eventually_sync(partial(serves, lab, node, addresses), 20, f"{node} serves all of them")
            lab.on("node2", sys.executable, "-c", SEND, *addresses)
            assert followed(lab, addresses)
            lab.kubectl("delete", "services", "--selector=of=churn", "--wait=false")
            eventually_sync(partial(nothing_is_left, lab, addresses), 30, "nothing is left")
        # The addresses and ports are free again: a whole round fits into what the first one took.
        lab.apply(service("last", clusterIP=sorted(addresses)[0]))
        lab.kubectl("delete", "service", "last")
    finally:
        lab.kubectl("delete", "services", "--selector=of=churn")
        lab.kubectl("delete", "deployment", "churn")


def service(name: str, **more: Any) -> dict[str, Any]:
    ports = [{"name": "tcp", "port": 80}, {"name": "udp", "port": 80, "protocol": "UDP"}]
    spec = {"type": "NodePort", "selector": {"app": "churn"}, "ports": ports, "sessionAffinity": "ClientIP", **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"of": "churn"}}, "spec": spec}


def serves(lab: Lab, node: str, addresses: set[str]) -> bool:
    table = lab.on(node, "nft", "list", "ruleset").stdout
    return all(f"{one} . tcp" in table for one in addresses)


def nothing_is_left(lab: Lab, addresses: set[str]) -> bool:
    """Neither in the nodes' rules, addresses, routes and records of connections, nor among the keys of the database."""
    assert [one for one in keys(lab) if OF_SERVICES.search(one) or one.rpartition("/")[2] in addresses] == []
    for node in NODES:
        for what in ("nft list ruleset", "ip -o address", "ip route show table all"):
            words = re.findall(r"[\w./-]+", lab.on(node, *what.split()).stdout)
            assert [one for one in words if "churn-" in one or one.partition("/")[0] in addresses] == [], (node, what)
    assert followed(lab, addresses) == []
    return True


def keys(lab: Lab) -> list[str]:
    """All keys of the database."""
    pki = lab.host("node1").pki / "etcd"
    files = (str(pki / name) for name in ("ca.crt", "server.crt", "server.key"))
    done = lab.on("node1", sys.executable, "-c", KEYS, *files)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def followed(lab: Lab, addresses: set[str]) -> list[str]:
    """The kernel's records of datagrams to these addresses."""
    return [line for line in lab.on("node2", "conntrack", "-L", "-p", "udp").stdout.splitlines() if words(line) & addresses]


def words(line: str) -> set[str]:
    return {one.removeprefix("dst=") for one in line.split()}
