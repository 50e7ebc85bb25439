"""Debian's CNI plugins in place of the built-in pod network. Rule: https://www.cni.dev/docs/spec/"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.host import unpack
from kube.api.meta import Key
from kubelet.network.cni_config import find_network
from kubelet.network.cni_network import CniNetwork
from kubelet.pod_network import Bandwidth, HostPort, NetworkFailure
from tests.node.network.namespace import PodProcess, ask, inside, run, world

pytestmark = [pytest.mark.root, pytest.mark.timeout(120)]


def chain(records: Path) -> dict[str, object]:
    """What a network add-on writes: a bridge with addresses of its own, host ports, bandwidth."""
    ipam = {"type": "host-local", "subnet": "10.245.0.0/24", "dataDir": str(records), "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cnitest0", "isGateway": True, "hairpinMode": True, "ipam": ipam}
    meta = [{"type": "portmap", "capabilities": {"portMappings": True}}, {"type": "bandwidth", "capabilities": {"bandwidth": True}}]
    return {"cniVersion": "1.0.0", "name": "plugged", "plugins": [bridge, *meta]}


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugins; fetched before a test leaves the machine's network."""
    directory = tmp_path_factory.mktemp("plugins")
    unpack("containernetworking-plugins", directory)
    return directory / "usr/lib/cni"


def test_a_chain_of_plugins_connects_checks_and_disconnects_pods(
    binaries: Path, tmp_path: Path, a_process: Callable[..., PodProcess]
) -> None:
    """ADD in order with the results of those before, host ports and bandwidth as capabilities; results outlive the kubelet; a
    namespace made anew is connected anew; DEL leaves no link, address or rule."""
    configuration, cache = tmp_path / "net.d", tmp_path / "cache"
    configuration.mkdir()
    (configuration / "10-plugged.conflist").write_text(json.dumps(chain(tmp_path / "ipam")))
    network = find_network(configuration)
    assert network is not None
    first, second, anew = (a_process(name, 8080) for name in ("first", "second", "anew"))

    async def life(kubelet: CniNetwork, process: PodProcess, name: str, *ports: HostPort, limit: int = 0) -> str:
        await kubelet.start("10.244.1.0/24")
        where = Key("default", name)
        return await kubelet.setup(where, name, process.pid, host_ports=ports, bandwidth=Bandwidth(0, limit))

    one = CniNetwork(network, binaries, cache)
    address = asyncio.run(life(one, first, "first", HostPort("", 8088, 8080, "TCP")))
    other = asyncio.run(life(one, second, "second", limit=8_000_000))
    assert (address, other) == ("10.245.0.2", "10.245.0.3")
    assert inside(second.pid, lambda: ask(address, 8080)) == f"first {other}"
    assert ask("192.0.2.10", 8088).startswith("first")
    assert "tbf" in run("tc qdisc")

    again = CniNetwork(network, binaries, cache)
    assert asyncio.run(life(again, first, "first", HostPort("", 8088, 8080, "TCP"))) == address, "CHECK finds it as it was made"
    moved = asyncio.run(life(again, anew, "first"))
    assert inside(second.pid, lambda: ask(moved, 8080)).startswith("anew")
    assert {name: str(held) for name, held in again.addresses.items()} == {"first": moved, "second": other}

    asyncio.run(CniNetwork(network, binaries, cache).cleanup())
    assert not again.addresses
    assert "veth" not in run("ip -o link")
    assert "8088" not in world()
    assert not list((tmp_path / "ipam" / "plugged").glob("10.*"))


def test_a_plugin_that_is_missing_is_told_and_nothing_is_left(tmp_path: Path, a_process: Callable[..., PodProcess]) -> None:
    (tmp_path / "10-none.conf").write_text(json.dumps({"cniVersion": "1.0.0", "name": "none", "type": "no-such-plugin"}))
    network = find_network(tmp_path)
    assert network is not None
    one, pod = CniNetwork(network, tmp_path / "bin", tmp_path / "cache"), a_process("pod")
    with pytest.raises(NetworkFailure, match='failed to find plugin "no-such-plugin" in path'):
        asyncio.run(one.setup(Key("default", "pod"), "pod", pod.pid))
