"""The pod network in the kernel: who reaches whom, what is left when pods and kubelets go, and how it stands beside Docker."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kube.api.meta import Key
from kubelet.network import packet_filter, rules
from kubelet.network.bridge import BridgeNetwork
from kubelet.pod_network import HostPort, NetworkFailure
from tests.node.network.namespace import PodProcess, ask, ask_udp, inside, own_namespace, reach, run, world
from tests.wait import eventually_sync

pytestmark = pytest.mark.root
CLUSTER, NODE_RANGE = "10.244.0.0/16", "10.244.1.0/24"
AProcess = Callable[..., PodProcess]


def started() -> BridgeNetwork:
    network = BridgeNetwork(CLUSTER)
    asyncio.run(network.start(NODE_RANGE))
    return network


def connect(network: BridgeNetwork, process: PodProcess, *host_ports: HostPort) -> str:
    return asyncio.run(network.setup(Key("default", process.name), process.name, process.pid, host_ports=host_ports))


def test_pods_reach_each_other_the_node_and_themselves(a_process: AProcess) -> None:
    """Without NAT: a pod is seen under its own address.  Rule: https://kubernetes.io/docs/concepts/services-networking/"""
    network = started()
    first, second = a_process("first", 8080), a_process("second", 8080)
    one, two = connect(network, first), connect(network, second)
    assert (one, two) == ("10.244.1.2", "10.244.1.3")
    assert inside(first.pid, lambda: ask(two, 8080)) == f"second {one}"
    assert inside(second.pid, lambda: ask_udp(one, 8080)) == f"first {two}"
    assert inside(first.pid, lambda: ask("127.0.0.1", 8080)) == "first 127.0.0.1"
    assert ask(one, 8080) == "first 10.244.1.1"


def test_pod_speaks_to_the_outside_as_the_node(a_process: AProcess) -> None:
    """Rule: https://kubernetes.io/docs/tutorials/services/source-ip/"""
    network, server = started(), a_process("server", 8080)
    run(f"ip link add to-server type veth peer name eth9 netns {server.pid}; ip link set to-server master outside up")
    inside(server.pid, lambda: run("ip addr add 192.0.2.20/24 dev eth9; ip link set eth9 up"))
    pod = a_process("pod")
    connect(network, pod)
    assert inside(pod.pid, lambda: ask("192.0.2.20", 8080)) == "server 192.0.2.10"


def test_address_without_a_pod_is_unreachable_and_never_leaves_by_the_default_route(node: None) -> None:
    """Our choice: else it would go to whoever has the address outside."""
    started()
    with pytest.raises(OSError, match=r"No route to host|Network is unreachable"):
        ask("10.244.7.7", 80)


def test_mtu_is_that_of_the_way_out(a_process: AProcess) -> None:
    network, pod = started(), a_process("pod")
    connect(network, pod)
    assert "mtu 1400" in inside(pod.pid, lambda: run("ip link show eth0"))


def test_setup_again_gives_the_same_address_and_keeps_the_connection(a_process: AProcess) -> None:
    network, pod = started(), a_process("pod", 8080)
    before = connect(network, pod), run("ip -o link show master cni0")
    assert (connect(network, pod), run("ip -o link show master cni0")) == before


def test_new_namespace_of_a_pod_replaces_its_old_one(a_process: AProcess) -> None:
    """A pause container that died is started anew under the same pod."""
    network, old = started(), a_process("pod", 8080)
    address = connect(network, old)
    new = a_process("pod", 8080)
    assert connect(network, new) == address
    assert ask(address, 8080).startswith("pod ")
    assert "eth0" not in inside(old.pid, lambda: run("ip -o link"))


def test_killed_kubelet_finds_its_pods_again(a_process: AProcess) -> None:
    """Nothing is written down: the links are the record, and host ports are read back from the rules."""
    before, pod = started(), a_process("pod", 8080)
    address = connect(before, pod, HostPort("", 8088, 8080, "TCP"))
    after = started()
    other = a_process("other")
    assert connect(after, pod) == address
    assert connect(after, other) == "10.244.1.3"
    assert ask("192.0.2.10", 8088) == "pod 192.0.2.10"
    asyncio.run(after.teardown("pod"))
    with pytest.raises(ConnectionRefusedError):
        ask("192.0.2.10", 8088)


def test_address_of_a_pod_that_died_with_its_kubelet_is_free_again(a_process: AProcess) -> None:
    pod = a_process("pod")
    connect(started(), pod, HostPort("", 8088, 8080, "UDP"))
    pod.stop()
    eventually_sync(lambda: "veth" not in run("ip -o link"), 10, "the kernel has removed the pod's namespace")
    again = started()
    assert again._addresses is not None
    assert dict(again._addresses.held) == {}
    assert "8088" not in run("nft list ruleset")


def test_host_port_leads_to_the_pod_from_outside_from_the_node_and_from_pods(a_process: AProcess) -> None:
    """Rule: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (hostPort)"""
    network, pod, client = started(), a_process("pod", 8080), a_process("client")
    connect(network, pod, HostPort("", 8088, 8080, "TCP"), HostPort("", 8088, 8080, "UDP"))
    connect(network, client)
    assert ask("192.0.2.10", 8088).startswith("pod")
    assert ask("127.0.0.1", 8088).startswith("pod")
    assert ask_udp("127.0.0.1", 8088).startswith("pod")
    assert inside(client.pid, lambda: ask("192.0.2.10", 8088)).startswith("pod")
    assert inside(pod.pid, lambda: ask("192.0.2.10", 8088)).startswith("pod")


def test_host_port_may_be_used_again_with_another_address_or_protocol_alone(a_process: AProcess) -> None:
    """Rule: conformance, [sig-network] HostPort validates that there is no conflict"""
    network = started()
    everywhere, loopback, udp, clash = (a_process(name, 8080) for name in ("everywhere", "loopback", "udp", "clash"))
    connect(network, everywhere, HostPort("192.0.2.10", 8088, 8080, "TCP"))
    connect(network, loopback, HostPort("127.0.0.1", 8088, 8080, "TCP"))
    connect(network, udp, HostPort("192.0.2.10", 8088, 8080, "UDP"))
    assert ask("192.0.2.10", 8088).startswith("everywhere")
    assert ask("127.0.0.1", 8088).startswith("loopback")
    assert ask_udp("192.0.2.10", 8088).startswith("udp")
    with pytest.raises(NetworkFailure, match="File exists"):
        connect(network, clash, HostPort("127.0.0.1", 8088, 8080, "TCP"))
    assert "clash" not in run("ip link")


def test_pod_cannot_reach_the_loopback_of_the_node(a_process: AProcess) -> None:
    """What serves host ports on 127.0.0.1 must not open the node: without our rule, a pod with raw routes gets there.
    Rule: CVE-2020-8558"""
    network, pod = started(), a_process("pod")
    connect(network, pod)
    inside(pod.pid, lambda: run("echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; ip route add 127.0.0.99 via 10.244.1.1"))
    inside(pod.pid, lambda: run("ip route del local 127.0.0.0/8 table local"))
    with socket.create_server(("127.0.0.99", 9999)):
        with pytest.raises(TimeoutError):
            inside(pod.pid, lambda: reach("127.0.0.99", 9999, source="10.244.1.2"))
        run("nft flush chain ip skiff-pod-network raw")
        inside(pod.pid, lambda: reach("127.0.0.99", 9999, source="10.244.1.2"))


def test_namespace_of_the_node_itself_is_refused(node: None) -> None:
    network = started()
    with subprocess.Popen(["sleep", "60"]) as neighbour:
        with pytest.raises(NetworkFailure, match="the node's own"):
            asyncio.run(network.setup(Key("default", "pod"), "pod", neighbour.pid))
        neighbour.kill()


def test_process_that_is_gone_is_refused_and_its_address_given_back(node: None) -> None:
    network = started()
    with pytest.raises(NetworkFailure, match="cannot enter"):
        asyncio.run(network.setup(Key("default", "pod"), "pod", 2**22 + 1))
    assert network._addresses is not None
    assert not network._addresses.held


def test_dropping_firewall_is_passed_through_its_own_chain(a_process: AProcess) -> None:
    """Docker before us: FORWARD drops, and bridged packets meet it, too. Nobody's policy is changed.
    Rule: https://docs.docker.com/engine/network/packet-filtering-firewalls/"""
    run("iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -I FORWARD -j DOCKER-USER")
    before = world()
    network = started()
    first, second = a_process("first", 8080), a_process("second")
    address = connect(network, first)
    connect(network, second)
    assert inside(second.pid, lambda: ask(address, 8080)) == "first 10.244.1.3"
    asyncio.run(network.cleanup())
    assert world() == before


def test_dropping_forward_chain_without_docker_is_passed_too(a_process: AProcess) -> None:
    run("iptables -P FORWARD DROP")
    before, network = world(), started()
    first, second = a_process("first", 8080), a_process("second")
    address = connect(network, first)
    connect(network, second)
    assert inside(second.pid, lambda: ask(address, 8080)) == "first 10.244.1.3"
    asyncio.run(network.cleanup())
    assert world() == before


def test_flushed_rules_are_put_back_with_their_host_ports(a_process: AProcess) -> None:
    """As `systemctl restart nftables` flushes them; a pod that goes meanwhile is no trouble."""
    network, pod, gone = started(), a_process("pod", 8080), a_process("gone", 8080)
    connect(network, pod, HostPort("", 8088, 8080, "TCP"))
    connect(network, gone, HostPort("", 8089, 8080, "TCP"))
    run("nft flush ruleset")
    asyncio.run(network.teardown("gone"))
    asyncio.run(network.look())
    assert ask("192.0.2.10", 8088).startswith("pod")
    assert "8089" not in run("nft list ruleset")
    before = run("nft list ruleset")
    asyncio.run(network.look())
    assert run("nft list ruleset") == before


def test_rules_that_cannot_be_put_back_end_no_kubelet(a_process: AProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """# what if nft fails for a while, just when somebody flushed the rules

    Rule: a kubelet whose work is refused tries again, and its other pods do not feel it
    """
    network = started()
    run("nft flush ruleset")
    program = tmp_path / "nft"
    program.write_text("#!/bin/sh\necho there is no room >&2\nexit 1\n")
    program.chmod(0o755)
    with monkeypatch.context() as without_room:
        without_room.setitem(packet_filter.ENVIRONMENT, "PATH", f"{tmp_path}:{packet_filter.ENVIRONMENT['PATH']}")
        asyncio.run(network.look())
    assert rules.TABLE not in run("nft list tables")
    asyncio.run(network.look())
    assert rules.TABLE in run("nft list tables")


def test_clean_up_leaves_the_world_as_it_was(a_process: AProcess) -> None:
    """Also from a process that never started the network, as `kubelet --cleanup` is one."""
    before = world()
    network = started()
    connect(network, a_process("pod", 8080), HostPort("", 8088, 8080, "TCP"))
    assert world() != before
    asyncio.run(BridgeNetwork(CLUSTER).cleanup())
    assert world() == before


def test_time_of_a_pods_network(a_process: AProcess, capsys: pytest.CaptureFixture[str]) -> None:
    """A measurement, printed and not judged."""
    network, took, removed = started(), [], []
    pods = [a_process(f"pod-{number}") for number in range(10)]
    for pod in pods:
        began = time.perf_counter()
        connect(network, pod)
        took.append((time.perf_counter() - began) * 1000)
    for pod in pods:
        began = time.perf_counter()
        asyncio.run(network.teardown(pod.name))
        removed.append((time.perf_counter() - began) * 1000)
    with capsys.disabled():
        print(f"\npod network: set up {sorted(took)[5]:.1f} ms, removed {sorted(removed)[5]:.1f} ms (medians of 10)")


def test_namespaces_of_tests_are_their_own() -> None:
    """The safety net of everything here: nothing of this machine is seen inside."""
    with own_namespace():
        assert "eth0" not in run("ip -o link")
        assert run("ip route") == ""
