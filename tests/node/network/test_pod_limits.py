"""Pods that come and go by the hundred, and pods that may not speak as fast as they can."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable

import pytest

from kube.api.meta import Key
from kubelet.network.bridge import BridgeNetwork
from kubelet.pod_network import Bandwidth, HostPort
from tests.node.network.namespace import PodProcess, inside, run

pytestmark = pytest.mark.root
CYCLES = 200
MEGABIT = 1_000_000
SENT = 1 << 20  # bytes


def test_hundreds_of_pods_leave_no_link_address_or_rule_behind(a_process: Callable[..., PodProcess]) -> None:
    """More pods than the range has addresses, some with a host port, through one namespace."""
    network, pod = BridgeNetwork("10.244.0.0/16"), a_process("pod")
    links = "ip -o link | grep -c veth || true"

    async def cycle() -> None:
        await network.start("10.244.1.0/26")
        for number in range(CYCLES):
            uid = f"pod-{number}"
            ports = [HostPort("", 8088, 8080, "TCP")] if number % 10 == 0 else []
            await network.setup(Key("default", uid), uid, pod.pid, host_ports=ports)
            await network.teardown(uid)

    asyncio.run(cycle())
    assert dict(network.addresses) == {}
    assert run(links).strip() == "0"
    assert "8088" not in run("nft list ruleset")


def test_bandwidth_annotations_hold_in_both_directions(a_process: Callable[..., PodProcess]) -> None:
    """Rule: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/network-plugins/#support-traffic-shaping"""
    network, pod = BridgeNetwork("10.244.0.0/16"), a_process("pod")
    asyncio.run(network.start("10.244.1.0/24"))
    allowed = Bandwidth(ingress=16 * MEGABIT, egress=8 * MEGABIT)
    address = asyncio.run(network.setup(Key("default", "pod"), "pod", pod.pid, bandwidth=allowed))
    inwards = inside(pod.pid, lambda: socket.create_server((address, 7000)))
    outwards = socket.create_server(("10.244.1.1", 7000))
    with inwards, outwards:
        into = _seconds(inwards, lambda: socket.create_connection((address, 7000)))
        out = _seconds(outwards, lambda: inside(pod.pid, lambda: socket.create_connection(("10.244.1.1", 7000))))
    assert 0.2 < into < 2, "8 megabits at 16 a second, but for the first burst"
    assert 0.5 < out < 4, "8 megabits at 8 a second, but for the first burst"


def _seconds(server: socket.socket, connect: Callable[[], socket.socket]) -> float:
    """How long a mebibyte takes from one end to the other."""
    with connect() as sender, server.accept()[0] as receiver:
        sender.setblocking(False)
        began, left, received = time.monotonic(), SENT, 0
        receiver.settimeout(5)
        while received < SENT:
            if left:
                with contextlib.suppress(BlockingIOError):
                    left -= sender.send(b"x" * left)
            received += len(receiver.recv(1 << 16))
        return time.monotonic() - began
