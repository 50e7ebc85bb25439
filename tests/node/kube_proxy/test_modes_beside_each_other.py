"""Modes: how iptables reads, switching from one to another, cleaning up, and the rules of others on the same host."""

import random
from pathlib import Path

import pytest

from kube.api.meta import Key
from kube.component.run import StartupError
from kube_proxy import ipvs_plan, modes
from kube_proxy.config import Config
from kube_proxy.iptables_mode import LinesOf, restore_text, shared_chains
from kube_proxy.iptables_rules import JUMPS, lines_of
from kube_proxy.ipvs_guard import guard_lines
from kube_proxy.rules import PortRule, rules
from kube_proxy.start import clean_up
from tests.node.kube_proxy.service_node import SETTINGS, ServiceNode
from tests.node.network.namespace import ask, own_namespace, run, world
from tests.unit.kube_proxy.objects import HERE, a_port, a_service, a_slice, an_endpoint

pytestmark = pytest.mark.root
GOLDEN = Path(__file__).parent / "golden"
VIP = "10.96.0.10"
KERNEL_MODES = ("nftables", "iptables")


def _saved() -> str:
    return "\n".join(line for line in run("iptables-save").splitlines() if not line.startswith("#"))


def one_of_each() -> dict[Key, list[PortRule]]:
    """A Service of every kind."""
    far = an_endpoint("10.244.2.2", node="node-2", ready=True)
    guarded = a_service("guarded", "10.96.0.15", balancer=("203.0.113.7",), loadBalancerSourceRanges=["192.0.2.0/24"])
    local = a_service(
        "local", "10.96.0.13", a_port(80, node_port=30080), externalTrafficPolicy="Local", internalTrafficPolicy="Local"
    )
    return {
        Key("default", service.metadata.name): rules(service, slices, HERE)
        for service, slices in (
            (a_service(), [a_slice("10.244.1.2", far)]),
            (a_service("sticky", "10.96.0.12", sessionAffinity="ClientIP"), [a_slice("10.244.1.2", far, service="sticky")]),
            (local, [a_slice("10.244.1.2", far, service="local")]),
            (a_service("empty", "10.96.0.14", a_port(80, node_port=30081)), []),
            (guarded, [a_slice("10.244.1.2", service="guarded")]),
        )
    }


def as_restored(of: LinesOf) -> str:
    """What iptables-restore gets for one Service of every kind."""
    found = {key: of(some, SETTINGS) for key, some in one_of_each().items()}
    chains = {name: lines for one in found.values() for name, lines in one.chains.items()}
    return restore_text(shared_chains(found, SETTINGS), chains, JUMPS)


def assert_golden(name: str, text: str) -> None:
    """To write a file anew, delete it and run its test."""
    golden = GOLDEN / name
    if not golden.exists():
        golden.write_text(text)
    assert text == golden.read_text()


def test_iptables_rules_read_as_the_golden_file_says() -> None:
    """And the kernel takes them."""
    assert_golden("one_of_each.iptables", as_restored(lines_of))
    with own_namespace():
        run(f"iptables-restore --noflush < {GOLDEN / 'one_of_each.iptables'}")
        assert "KUBE-SERVICES" in _saved()


def test_ipvs_and_the_table_beside_it_read_as_the_golden_files_say() -> None:
    """As ipvsadm shows the virtual servers, and as iptables-restore gets the table where there is no nftables."""
    assert_golden("one_of_each.ipvsadm", ipvs_plan.text(ipvs_plan.wanted(one_of_each(), ["192.0.2.10"], "rr")))
    assert_golden("beside_ipvs.iptables", as_restored(guard_lines))
    with own_namespace():
        run(f"iptables-restore --noflush < {GOLDEN / 'beside_ipvs.iptables'}")
        assert "KUBE-POSTROUTING" in _saved()


def test_hundreds_of_services_leave_nothing_behind() -> None:
    """Two hundred of all kinds, made and removed one after the other. Rule: field lesson B18"""
    node_ports = {"type": "NodePort", "externalTrafficPolicy": "Local"}
    with own_namespace():
        node = ServiceNode()
        try:
            node.start()
            before = world()
            for number in range(200):
                name, port = f"s{number}", a_port(80, node_port=30000 + number)
                more = ({}, {"sessionAffinity": "ClientIP"}, node_ports, {"loadBalancerSourceRanges": ["192.0.2.0/24"]})[number % 4]
                service = a_service(name, f"10.96.1.{number}", port, balancer=("203.0.113.7",) if number % 4 == 3 else (), **more)
                node.serve(service, a_slice("10.244.1.2", "10.244.1.3", service=name))
                node.serve(service, a_slice("10.244.1.3", service=name))
                node.forget(name)
            assert world() == before
        finally:
            node.stop()


def test_iptables_changes_one_by_one_lead_to_the_rules_built_anew() -> None:
    """Thirty changes drawn by chance, each one restore; then everything goes."""
    chance = random.Random(1)
    with own_namespace():
        node = ServiceNode("iptables")
        try:
            node.start()
            empty = _saved()
            for _ in range(30):
                name = f"s{chance.randrange(4)}"
                port = a_port(80, node_port=chance.choice((0, 30000 + int(name[1:]))))
                service = a_service(
                    name, f"10.96.1.{name[1:]}", port, sessionAffinity=chance.choice(("None", "ClientIP")),
                    externalTrafficPolicy=chance.choice(("Local", "Cluster")),
                )  # fmt: skip
                ends = [f"10.244.1.{last}" for last in range(2, 2 + chance.randrange(4))]
                node.serve(service, a_slice(*ends, service=name))
            changed = _saved()
            node.sync_whole()
            assert sorted(_saved().splitlines()) == sorted(changed.splitlines())
            for number in range(4):
                node.forget(f"s{number}")
            assert _saved() == empty
        finally:
            node.stop()


@pytest.mark.parametrize("docker_first", [True, False])
@pytest.mark.parametrize("mode", KERNEL_MODES)
def test_services_work_beside_docker_whichever_starts_first(mode: str, docker_first: bool) -> None:
    """What Docker does to a host: it drops what is forwarded, by policy.  Rule: field lessons B9, B10"""
    docker = (
        "iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -j RETURN"
    )
    with own_namespace():
        if docker_first:
            run(docker)
        node = ServiceNode(mode)
        try:
            node.start()
            if not docker_first:
                run(docker)
                node.restart_network()
            server, client, outsider = node.pod("server"), node.pod("client"), node.outsider()
            node.serve(a_service("web", VIP, a_port(80, node_port=30080), type="NodePort"), a_slice(server.address))
            assert client.ask(VIP, 80).startswith("server ")
            assert outsider.ask("192.0.2.10", 30080).startswith("server ")
            assert "-P FORWARD DROP" in run("iptables -S FORWARD")
        finally:
            node.stop()


def test_mode_that_starts_removes_what_the_others_left() -> None:
    """There and back, with a connection through each; and --cleanup leaves the host as it was."""
    with own_namespace():
        run("iptables -t nat -A POSTROUTING -s 198.51.100.9 -j ACCEPT; iptables -A FORWARD -s 198.51.100.9 -j DROP")
        node = ServiceNode("nftables")
        try:
            node.start()
            before = _saved(), run("ip -o addr")
            server = node.pod("server")
            for mode in ("nftables", "iptables", "userspace", "iptables", "nftables"):
                node.switch(mode)
                node.serve(a_service(), a_slice(server.address))
                assert ask(VIP, 80).startswith("server ")
                assert ("KUBE-SERVICES" in _saved()) is (mode == "iptables")
                assert ("table ip kube-proxy" in run("nft list tables")) is (mode == "nftables")
                assert (f"inet {VIP}/32" in run("ip -o addr")) is (mode == "userspace")
            node.switch("iptables")
            node.serve(a_service(), a_slice(server.address))
            clean_up()
            assert _saved() == before[0]
            assert "kube-" not in world()
            clean_up()
            assert _saved() == before[0]
        finally:
            node.stop()


def test_mode_that_this_kernel_lacks_is_refused_with_those_it_has() -> None:
    if Path("/proc/net/ip_vs").exists():
        pytest.fail(
            "this kernel has IPVS: the refusal cannot be shown here; tests/node/kube_proxy/test_ipvs_traffic.py shows the mode"
        )
    with (
        own_namespace(),
        pytest.raises(StartupError, match=r"ipvs cannot be had here: .*; this host has: nftables, iptables, userspace"),
    ):
        modes.chosen(Config(proxy_mode="ipvs"), [SETTINGS])
