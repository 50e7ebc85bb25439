"""Connections into nodes and pods: what the API server passes on to a kubelet, and what it refuses itself.

The kubelet is a TLS server here that tells back what it was asked: what is tested is what goes through.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from apiserver.config import Config
from kube.api.meta import Key
from kube.api.status import BadRequest, NotFound
from kube.api.types import Node, Pod, ServiceAccount
from kube.client.rest import Client
from tests.certificates import Authority
from tests.component.conftest import ADMIN_TOKEN, NOBODY_TOKEN, RunningApi

REFUSAL = b'container "gone" in pod "p" is waiting to start: ContainerCreating'
PATIENCE_SECONDS = 10.0


@dataclass
class Peer:
    """What answers on the node."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        target = head.split(b" ")[1]
        if b"gone" in target:
            writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: %d\r\n\r\n%s" % (len(REFUSAL), REFUSAL))
        elif b"upgrade: spdy/3.1" in head.lower():
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: SPDY/3.1\r\nconnection: Upgrade\r\n\r\n")
            while data := await reader.read(1000):
                writer.write(data.upper())
        elif target.startswith(b"/redirect"):
            writer.write(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere?a=b\r\ncontent-length: 0\r\n\r\n")
        else:
            body = b"asked " + target
            if b"content-length: 3" in head.lower():
                body += b" with " + await reader.readexactly(3)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()


@pytest.fixture
def api_config(api_config: Config) -> Config:
    return replace(api_config, kubelet_preferred_address_types=("InternalIP",))


@pytest.fixture
def kubelet(runner: asyncio.Runner, client: Client, tmp_path: Path) -> Iterator[Peer]:
    """A node with a pod on it, and who answers there."""
    peer = Peer()

    async def start() -> asyncio.Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = Authority(tmp_path).issue("n")
        context.load_cert_chain(pair.certificate, pair.key)
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=context)
        peer.port = server.sockets[0].getsockname()[1]
        addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
        endpoint = {"kubeletEndpoint": {"Port": peer.port}}
        await client.create(Node, {"metadata": {"name": "n"}, "status": {"addresses": addresses, "daemonEndpoints": endpoint}})
        await client.create(ServiceAccount, {"metadata": {"name": "default", "namespace": "default"}})
        containers = [{"name": name, "image": "i"} for name in ("c", "gone")]
        metadata = {"name": "p", "namespace": "default"}
        await client.create(Pod, {"metadata": metadata, "spec": {"nodeName": "n", "containers": containers}})
        return server

    server = runner.run(start())
    yield peer
    server.close()


@asynccontextmanager
async def upgraded(
    apiserver: RunningApi, path: str, token: str = ADMIN_TOKEN
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]]:
    """Ask for an upgrade; the connection, and the head of the answer."""
    lines = (f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Connection: Upgrade", "Upgrade: SPDY/3.1",
             "X-Stream-Protocol-Version: v4.channel.k8s.io")  # fmt: skip
    async with sent(apiserver.url, "\r\n".join([*lines, "", ""])) as (reader, writer):
        yield reader, writer, await reader.readuntil(b"\r\n\r\n")


@asynccontextmanager
async def sent(url: str, text: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which this was sent, for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            writer.write(text.encode())
            yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


EXEC = "/api/v1/namespaces/default/pods/p/exec?command=ls&stdin=true&container="


def test_bytes_of_an_upgraded_connection_pass_both_ways(runner: asyncio.Runner, apiserver: RunningApi, kubelet: Peer) -> None:
    async def scenario() -> None:
        async with upgraded(apiserver, EXEC + "c") as (reader, writer, head):
            assert head.startswith(b"HTTP/1.1 101")
            writer.write(b"\x00hello")
            assert await reader.readexactly(6) == b"\x00HELLO"
        asked = kubelet.heads[0].lower()
        assert asked.startswith(b"post /exec/default/p/c?input=1&command=ls http/1.1")
        assert b"x-stream-protocol-version: v4.channel.k8s.io" in asked
        assert ADMIN_TOKEN.encode() not in asked

    runner.run(scenario())


def test_refusal_of_the_kubelet_reaches_the_client(runner: asyncio.Runner, apiserver: RunningApi, kubelet: Peer) -> None:
    async def scenario() -> None:
        async with upgraded(apiserver, EXEC + "gone") as (reader, _, head):
            assert head.startswith(b"HTTP/1.1 400")
            assert await reader.read() == REFUSAL

    runner.run(scenario())


def test_upgrade_passes_the_same_filters(runner: asyncio.Runner, apiserver: RunningApi, kubelet: Peer) -> None:
    """Rule: behaviour D.3: sub-resources are named in a refusal."""

    async def scenario() -> None:
        async with upgraded(apiserver, EXEC + "c", NOBODY_TOKEN) as (reader, _, head):
            assert head.startswith(b"HTTP/1.1 403")
            assert b'cannot create resource \\"pods/exec\\"' in await reader.read()
        async with upgraded(apiserver, EXEC + "c", "wrong") as (_, _, head):
            assert head.startswith(b"HTTP/1.1 401")
        async with upgraded(apiserver, "/api/v1/namespaces/default/pods/p/exec?command=ls") as (reader, _, head):
            assert head.startswith(b"HTTP/1.1 400")
            assert b"a container name must be specified for pod p, choose one of: [c gone]" in await reader.read()
        assert kubelet.heads == []

    runner.run(scenario())


def test_exec_without_an_upgrade_is_refused(runner: asyncio.Runner, client: Client, kubelet: Peer) -> None:
    async def scenario() -> None:
        with pytest.raises(BadRequest, match="Upgrade request required"):
            await client.request("POST", EXEC.partition("?")[0], params={"command": "ls", "container": "c"})

    runner.run(scenario())


def test_log_is_the_kubelets(runner: asyncio.Runner, client: Client, kubelet: Peer) -> None:
    async def scenario() -> None:
        log = "/api/v1/namespaces/default/pods/p/log"
        answer = await client.request("GET", log, params={"container": "c", "tailLines": "5", "pretty": "1"})
        assert answer.body == b"asked /containerLogs/default/p/c?tailLines=5"
        with pytest.raises(BadRequest, match="is waiting to start: ContainerCreating"):
            await client.request("GET", log, params={"container": "gone"})

    runner.run(scenario())


def test_node_proxy_passes_paths_and_brings_redirects_back(runner: asyncio.Runner, client: Client, kubelet: Peer) -> None:
    async def scenario() -> None:
        proxy = "/api/v1/nodes/n/proxy"
        answer = await client.request("GET", f"{proxy}/a%2Fb/c/", params={"q": "1"})
        assert (answer.body, answer.headers["content-type"]) == (b"asked /a%2Fb/c/?q=1", "text/x")
        assert (await client.request("POST", f"{proxy}/run", body=b"abc")).body == b"asked /run with abc"
        text = f"GET {proxy}/redirect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n"
        async with sent(client.config.server, text) as (reader, _):
            head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 302")
        assert b"location: /api/v1/nodes/n/proxy/elsewhere?a=b\r\n" in head

    runner.run(scenario())


def test_pod_that_is_not_there_cannot_be_entered(runner: asyncio.Runner, apiserver: RunningApi, client: Client) -> None:
    async def scenario() -> None:
        async with upgraded(apiserver, EXEC + "c") as (_, _, head):
            assert head.startswith(b"HTTP/1.1 404")
        with pytest.raises(NotFound, match='pods "p" not found'):
            await client.get(Pod, *Key("default", "p"))

    runner.run(scenario())
