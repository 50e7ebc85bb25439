"""kube-proxy as a program, beside a real API server: it follows, survives, restores, and cleans up."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from kube.api.meta import Key
from kube.api.status import NotFound
from kube.api.types import EndpointSlice, Namespace, Service, ServiceCIDR
from kube.api.views import tree_of
from kube.client import kubeconfig
from kube.client.rest import Client
from tests.component.etcd_member import EtcdMember
from tests.node.kube_proxy.service_node import CLUSTER_CIDR, SERVICE_CIDR, ServiceNode
from tests.node.network.namespace import ask, run, world
from tests.unit.kube_proxy.objects import NODE, a_service, a_slice
from tests.wait import eventually, eventually_sync

pytestmark = pytest.mark.root
TOKEN, VIP = "admin-token", "10.96.0.10"
WITHIN = 20.0
API_PORT = 16443


@pytest.fixture
def etcd(node: ServiceNode) -> Iterator[EtcdMember]:
    """In the node's namespace, as everything here."""
    member = EtcdMember()
    try:
        member.start()
        yield member
    finally:
        member.remove()


@pytest.fixture
def api(etcd: EtcdMember, tmp_path: Path) -> Iterator[Path]:
    """An API server as a process: in this one its etcd client's threads might stay in another test's namespace. Its kubeconfig."""
    tokens, config_file = tmp_path / "tokens.csv", tmp_path / "kubeconfig"
    tokens.write_text(f'{TOKEN},admin,1,"system:masters"\n')
    config_file.write_text(yaml.safe_dump(_kubeconfig(f"http://127.0.0.1:{API_PORT}")))
    flags = {
        "etcd-servers": etcd.endpoint, "token-auth-file": tokens, "service-cluster-ip-range": SERVICE_CIDR,
        "bind-address": "127.0.0.1", "secure-port": API_PORT, "advertise-address": "192.0.2.10",
    }  # fmt: skip
    program = Program("apiserver", tmp_path / "apiserver.log", *(f"--{name}={value}" for name, value in flags.items()))
    try:
        eventually_sync(lambda: _accepts(API_PORT), WITHIN, "the API server listens")
        yield config_file
    finally:
        program.end()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def client_of(config_file: Path) -> AsyncIterator[Client]:
    """A client; what it needs at the start is there."""
    async with Client(kubeconfig.load(str(config_file)), "test") as client:

        async def look() -> bool:
            try:
                return bool((await client.get(Namespace, "", "default")).metadata.uid)
            except NotFound:
                return False

        await eventually(look, WITHIN, "the default namespace is there")
        yield client


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    }


class Program:
    def __init__(self, module: str, log: Path, *flags: str) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen([sys.executable, "-m", module, *flags], stdout=output, stderr=output)

    def end(self, how: int = signal.SIGTERM) -> int:
        self._process.send_signal(how)
        return self._process.wait()


def proxy(config_file: Path, *more: str) -> Program:
    flags = f"--kubeconfig={config_file}", f"--cluster-cidr={CLUSTER_CIDR}", f"--service-cluster-ip-range={SERVICE_CIDR}"
    return Program("kube_proxy", config_file.with_name("log"), *flags, f"--hostname-override={NODE}", *more)


def answered(name: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        try:
            return (await asyncio.to_thread(ask, VIP, 80, timeout=0.5)).startswith(f"{name} ")
        except OSError:
            return False

    return look


async def page(url: str) -> tuple[int, str]:
    def get() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(get)


def test_proxy_follows_the_api_server(node: ServiceNode, api: Path) -> None:
    """Services, their ranges and endpoints come, change and go; the rules follow, also while and after the proxy is killed."""
    first, second = node.pod("first"), node.pod("second")

    async def scenario() -> None:
        async with client_of(api) as client:
            program = proxy(api, "--iptables-sync-period=500ms")
            try:
                await client.create(Service, tree_of(a_service("web", VIP)))
                slice_ = tree_of(a_slice(first.address))
                await client.create(EndpointSlice, slice_)
                await eventually(answered("first"), WITHIN, "the Service answers")
                assert await page("http://127.0.0.1:10249/proxyMode") == (200, "nftables")
                assert "kubeproxy_sync_proxy_rules_duration_seconds_count" in (await page("http://127.0.0.1:10249/metrics"))[1]
                status, health = await page("http://127.0.0.1:10256/healthz")
                assert (status, json.loads(health)["nodeEligible"]) == (200, True)

                await client.create(ServiceCIDR, {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.111.0.0/24"]}})
                await eventually(_route_of_ranges_is(f"{SERVICE_CIDR} 10.111.0.0/24"), WITHIN, "a way to the second range")
                await client.delete(ServiceCIDR, Key("", "more"))
                await eventually(_route_of_ranges_is(SERVICE_CIDR), WITHIN, "it is gone with the range")

                moved = {"endpoints": [{"addresses": [second.address], "conditions": {"ready": True}}]}
                await client.patch(EndpointSlice, Key("default", "web-1"), moved)
                await eventually(answered("second"), WITHIN, "connections have moved")

                await asyncio.to_thread(run, "nft delete table ip kube-proxy")
                await eventually(answered("second"), WITHIN, "the rules are back")

                program.end(signal.SIGKILL)
                assert await answered("second")()  # rules need no proxy
                await client.patch(EndpointSlice, Key("default", "web-1"), slice_)
                program = proxy(api)
                await eventually(answered("first"), WITHIN, "what changed meanwhile is taken up")

                await asyncio.to_thread(run, "nft delete table ip kube-proxy")
                await client.patch(EndpointSlice, Key("default", "web-1"), moved)
                await eventually(answered("second"), WITHIN, "a refused change makes all rules anew")

                await client.delete(Service, Key("default", "web"))
                await eventually(lambda: _no_rules_for(VIP), WITHIN, "the Service is gone")
                assert await asyncio.to_thread(program.end) == 0
            finally:
                program.end(signal.SIGKILL)

    asyncio.run(scenario())
    assert "kube-proxy" in world()
    subprocess.run([sys.executable, "-m", "kube_proxy", "--cleanup"], check=True)
    assert "kube-proxy" not in world()
    assert "kube-svc0" not in world()


def _route_of_ranges_is(text: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        routes = await asyncio.to_thread(run, "ip route show dev kube-svc0")
        return " ".join(line.split()[0] for line in routes.splitlines()) == text

    return look


async def _no_rules_for(address: str) -> bool:
    return address not in await asyncio.to_thread(run, "nft list table ip kube-proxy")


def test_load_balancer_learns_whether_this_node_has_endpoints(node: ServiceNode, api: Path) -> None:
    """Rule: https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/ (healthCheckNodePort)"""
    service = a_service("web", VIP, type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=31999)

    async def answers(wanted: int, endpoints: int) -> Any:
        async def look() -> bool:
            try:
                status, body = await page("http://192.0.2.10:31999/")
            except OSError:
                return False
            return (status, json.loads(body)["localEndpoints"]) == (wanted, endpoints)

        return await eventually(look, WITHIN, f"{wanted} with {endpoints} endpoints")

    async def scenario() -> None:
        async with client_of(api) as client:
            program = proxy(api)
            try:
                await client.create(Service, tree_of(service))
                await answers(503, 0)
                await client.create(EndpointSlice, tree_of(a_slice("10.244.1.2")))
                await answers(200, 1)
            finally:
                program.end()

    asyncio.run(scenario())
