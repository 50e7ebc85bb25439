"""What Services are in IPVS, and the way from what is there to that."""

from ipaddress import IPv4Network

from kube.api.meta import Key
from kube_proxy.ipvs_guard import guard_slots
from kube_proxy.ipvs_plan import Command, Front, commands, text, wanted
from kube_proxy.layout import DROP, Settings, Slot
from kube_proxy.rules import Target, rules
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice, an_endpoint

FAR = an_endpoint("10.244.2.2", node="node-2", ready=True)
WEB = Key("default", "web")
GOAL = """\
-A -t 10.96.0.10:80 -s rr -p 10800
-a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1
-a -t 10.96.0.10:80 -r 10.244.2.2:8080 -m -w 1
-A -t 192.0.2.10:30080 -s rr -p 10800
-a -t 192.0.2.10:30080 -r 10.244.1.2:8080 -m -w 1
-A -t 203.0.113.7:80 -s rr -p 10800
-a -t 203.0.113.7:80 -r 10.244.1.2:8080 -m -w 1
"""


def test_every_address_of_a_service_is_a_virtual_server() -> None:
    """Its cluster IP leads everywhere, what comes from outside stays on this node (externalTrafficPolicy Local)."""
    service = a_service(
        "web", "10.96.0.10", a_port(80, node_port=30080), balancer=("203.0.113.7",), sessionAffinity="ClientIP",
        externalTrafficPolicy="Local",
    )  # fmt: skip
    found = wanted({WEB: rules(service, [a_slice("10.244.1.2", FAR)], HERE)}, ["192.0.2.10", "fd00::1"], "rr")
    assert text(found) == GOAL


def test_service_without_endpoints_has_no_virtual_server() -> None:
    """The address is the node's own: the kernel itself refuses."""
    assert wanted({WEB: rules(a_service(), [], HERE)}, [], "rr") == {}


def test_change_of_an_endpoint_is_two_commands_and_the_new_one_comes_first() -> None:
    before = wanted({WEB: rules(a_service(), [a_slice("10.244.1.2")], HERE)}, [], "rr")
    after = wanted({WEB: rules(a_service(), [a_slice("10.244.1.3")], HERE)}, [], "rr")
    front = Front("TCP", "10.96.0.10", 80)
    assert commands(before, after) == [
        Command("add-target", front, target=Target("10.244.1.3", 8080)),
        Command("del-target", front, target=Target("10.244.1.2", 8080)),
    ]
    assert commands(after, after) == []
    assert commands(after, {}) == [Command("del", front)]
    others = {front: after[front]._replace(ours=False)}
    assert commands(others, {}) == []
    assert commands(others, after) == [Command("set", front, "rr")]


def test_affinity_switched_on_changes_the_virtual_server_in_place() -> None:
    before = wanted({WEB: rules(a_service(), [a_slice("10.244.1.2")], HERE)}, [], "rr")
    after = wanted({WEB: rules(a_service(sessionAffinity="ClientIP"), [a_slice("10.244.1.2")], HERE)}, [], "rr")
    assert commands(before, after) == [Command("set", Front("TCP", "10.96.0.10", 80), "rr", 10800)]


def test_table_beside_ipvs_marks_guards_and_drops_and_leads_nowhere() -> None:
    settings = Settings(IPv4Network("10.244.0.0/16"))
    port = a_port(80, node_port=30080)
    found = guard_slots(rules(a_service("web", "10.96.0.10", port), [a_slice("10.244.1.2")], HERE), settings)
    assert {slot.name for slot in found} == {"hairpin", "ipvs-cluster", "ipvs-external", "service-ips", "node-ports"}
    local = a_service("web", "10.96.0.10", port, externalTrafficPolicy="Local")
    elsewhere = guard_slots(rules(local, [a_slice(FAR)], HERE), settings)
    assert elsewhere[Slot("element", "no-endpoint-node-ports", ("tcp", 30080))] == DROP
