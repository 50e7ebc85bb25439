"""The node's pod range: kept over a restart, and changed only when no pod uses the old one."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from kube.api.meta import Key
from kube.api.types import Node
from kube.api.views import view
from kubelet.network.bridge import BridgeNetwork
from kubelet.pod_range import FILE, PodRange
from tests.node.network.namespace import PodProcess, run
from tests.wait import eventually

pytestmark = pytest.mark.root
OLD, NEW = "10.244.1.0/24", "10.244.7.0/24"
WITHIN = 10.0


def node(pod_range: str) -> Node:
    return view(Node, {"metadata": {"name": "n"}, "spec": {"podCIDR": pod_range}})


def test_another_range_is_taken_once_and_when_no_pod_uses_the_old_one(tmp_path: Path, a_process: Callable[..., PodProcess]) -> None:
    """Rule: upstream updatePodCIDR; a running pod keeps its address; who is killed while it writes the range has the old one"""
    network, starts = BridgeNetwork("10.244.0.0/16"), []
    pod_range = PodRange(network, tmp_path, lambda: starts.append(str(network.range)))

    async def has(wanted: str) -> None:
        async def look() -> bool:
            return network.range == IPv4Network(wanted)

        await eventually(look, WITHIN, wanted)

    async def story() -> None:
        running = asyncio.create_task(pod_range.run())
        await pod_range.restore("")
        for _ in range(3):
            pod_range.node_is(node(OLD))
        await has(OLD)
        (tmp_path / "as-it-was").hardlink_to(tmp_path / FILE)
        address = await network.setup(Key("default", "pod"), "uid", a_process("pod").pid)
        assert address == "10.244.1.2"
        pod_range.node_is(node(NEW))
        await asyncio.to_thread(lambda: None)
        assert network.range == IPv4Network(OLD), "the pod keeps its address"
        await network.teardown("uid")
        pod_range.node_is(node(NEW))
        await has(NEW)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(story())
    assert starts == [OLD, NEW]
    assert (tmp_path / "as-it-was").read_text() == f"{OLD}\n", "the file is replaced, never written in place"
    assert "10.244.7.1/24" in run("ip -o addr show cni0")
    later = BridgeNetwork("10.244.0.0/16")
    asyncio.run(PodRange(later, tmp_path, lambda: None).restore(""))
    assert later.range == IPv4Network(NEW)
