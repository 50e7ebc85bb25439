"""The whole program on loopback: a real API server before it, a real name server behind it, real questions from outside."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset

from addons.dns.config import Config
from addons.dns.settings import read
from addons.dns.start import Program, follow
from kube.api.meta import Key, Tree
from kube.api.types import Service
from kube.client.informer import Informers
from kube.client.rest import Client
from tests.component.conftest import RunningApi
from tests.wait import eventually

COREFILE = """
.:{port} {{
    health 127.0.0.1:0 {{
        lameduck 0s
    }}
    ready 127.0.0.1:0
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    prometheus 127.0.0.1:0
    forward . {upstreams}
    cache 30
    loop
    reload 2s
}}
"""
NAME = "web.default.svc.cluster.local"


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """A name server of another organisation: tells one address for every name; counts."""

    asked: list[str] = field(default_factory=list)
    forward_to: tuple[str, int] | None = None  # instead of answering

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    @property
    def address(self) -> str:
        host, port = self.transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: Any) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name
        self.asked.append(str(name))
        if self.forward_to is not None:
            self.transport.sendto(data, self.forward_to)
            return
        answer = dns.message.make_response(query)
        if str(name).startswith("none."):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.80"))
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def a_name_server() -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield protocol
    transport.close()


@asynccontextmanager
async def a_program(api: RunningApi, corefile: Path, upstreams: str) -> AsyncIterator[Program]:
    """Running, and ready."""
    text = COREFILE.format(port=_free_port(), upstreams=upstreams)
    await asyncio.to_thread(corefile.write_text, text)
    config = Config(conf=corefile, bind_address="127.0.0.1")
    async with Client(api.config(), "cluster-dns") as client:
        informers = Informers(client)
        program = follow(config, read(text, {}), informers)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(informers.run()), tasks.create_task(program.run(informers, tasks))]
            await eventually(lambda: _is(program.port), 10, "the port")
            yield program
            for one in running:
                one.cancel()


async def ask(program: Program, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    ways: tuple[Callable[..., Awaitable[Any]], ...] = (dns.asyncquery.udp, dns.asyncquery.tcp)
    answer: dns.message.Message = await ways[tcp](query, "127.0.0.1", port=program.port, timeout=8)
    return answer


def data(answer: dns.message.Message) -> list[str]:
    return [str(one) for rrset in answer.answer for one in rrset]


def test_a_service_has_a_name_as_soon_as_it_is_there(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path
) -> None:
    """Over UDP and TCP; and none as soon as it is gone; pages for health, readiness and metrics.
    Rule: behaviour E.4.48"""

    async def scenario() -> None:
        async with a_program(apiserver, tmp_path / "Corefile", "127.0.0.1:1") as program:
            assert (await ask(program, NAME)).rcode() == dns.rcode.NXDOMAIN
            made = await client.create(Service, a_service("web", port=80), namespace="default")
            address = made["spec"]["clusterIP"]
            await eventually(lambda: _tells(program, NAME, [address]), 5)
            assert await _tells(program, NAME, [address], tcp=True)
            reverse = str(dns.name.from_text(".".join(address.split(".")[::-1]) + ".in-addr.arpa"))
            assert data(await ask(program, reverse, "PTR")) == [f"{NAME}."]
            assert data(await ask(program, f"_http._tcp.{NAME}", "SRV")) == [f"0 100 80 {NAME}."]
            await client.delete(Service, Key("default", "web"))
            await eventually(lambda: _tells(program, NAME, []), 5)
            assert await _page(program, "/health") == "OK"
            assert await _page(program, "/ready") == "OK"
            metrics = await _page(program, "/metrics")
            assert 'coredns_dns_requests_total{family="1",proto="tcp",server="dns://:53",type="A",view="",zone="."}' in metrics
            assert 'rcode="NXDOMAIN"' in metrics

    runner.run(scenario())


def test_what_is_not_the_clusters_is_forwarded_once_and_kept(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path
) -> None:
    """An ExternalName is followed; without an upstream that answers, other names fail and the cluster's do not.
    Rule: https://coredns.io/plugins/forward/, https://coredns.io/plugins/cache/"""

    async def scenario() -> None:
        async with a_name_server() as other, a_program(apiserver, tmp_path / "Corefile", f"127.0.0.1:1 {other.address}") as program:
            for _ in range(3):
                assert data(await ask(program, "www.example.com")) == ["192.0.2.80"]
            assert other.asked.count("www.example.com.") == 1
            assert (await ask(program, "WWW.Example.com")).question[0].name == dns.name.from_text("WWW.Example.com")
            assert (await ask(program, "none.example.com")).rcode() == dns.rcode.NXDOMAIN
            assert data(await ask(program, "4.3.2.1.in-addr.arpa", "A")) == ["192.0.2.80"]  # no cluster address: left to others
            outside = {**a_service("outside"), "spec": {"type": "ExternalName", "externalName": "far.example.com"}}
            await client.create(Service, outside, namespace="default")
            await eventually(lambda: _tells(program, "outside.default.svc.cluster.local", ["far.example.com.", "192.0.2.80"]), 5)
        async with a_program(apiserver, tmp_path / "Corefile", "127.0.0.1:1") as program:
            assert (await ask(program, "www.example.com")).rcode() == dns.rcode.SERVFAIL
            assert len(data(await ask(program, "kubernetes.default.svc.cluster.local"))) == 1

    runner.run(scenario())


def test_an_upstream_that_leads_back_is_asked_no_more(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path
) -> None:
    """The cluster's names go on being answered.
    Rule: field lesson B14; https://coredns.io/plugins/loop/"""

    async def scenario() -> None:
        async with a_name_server() as mirror, a_program(apiserver, tmp_path / "Corefile", mirror.address) as program:
            mirror.forward_to = ("127.0.0.1", program.port)
            await program.resolver.probe()
            upstream = program.resolver.served[0].forwarder.upstreams.servers[0]
            await eventually(lambda: _is(upstream.looping), 5, "the loop")
            asked = len(mirror.asked)
            assert (await ask(program, "www.example.com")).rcode() == dns.rcode.SERVFAIL
            assert len(mirror.asked) == asked
            assert len(data(await ask(program, "kubernetes.default.svc.cluster.local"))) == 1

    runner.run(scenario())


def test_a_new_corefile_is_taken_and_a_broken_one_is_not(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path
) -> None:
    """Rule: https://coredns.io/plugins/reload/; a stub domain is added while questions are answered"""
    corefile = tmp_path / "Corefile"

    async def scenario() -> None:
        async with a_name_server() as other, a_program(apiserver, corefile, "127.0.0.1:1") as program:
            good = corefile.read_text()
            first = program.resolver
            corefile.write_text(f"{good}\nconsul.local:{program.port} {{\n forward . {other.address}\n}}\n")
            await eventually(lambda: _is(program.resolver is not first), 10, "the new Corefile")
            assert data(await ask(program, "db.consul.local")) == ["192.0.2.80"]
            corefile.write_text("what is this")
            await eventually(lambda: _in(program, "coredns_reload_failed_total 1.0"), 10)
            assert data(await ask(program, "db.consul.local")) == ["192.0.2.80"]

    runner.run(scenario())


def test_a_connection_may_ask_several_questions(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, tmp_path: Path
) -> None:
    """Sent at once, in pieces that have nothing to do with the messages.
    Rule: RFC 7766 6.2.1"""

    async def scenario() -> None:
        async with a_program(apiserver, tmp_path / "Corefile", "127.0.0.1:1") as program:
            reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
            queries = [dns.message.make_query("kubernetes.default.svc.cluster.local", "A", id=ident) for ident in (1, 2, 3)]
            whole = b"".join(len(one.to_wire()).to_bytes(2) + one.to_wire() for one in queries)
            for at in range(0, len(whole), 7):
                writer.write(whole[at : at + 7])
                await writer.drain()
            idents = []
            for _ in queries:
                length = int.from_bytes(await reader.readexactly(2))
                idents.append(dns.message.from_wire(await reader.readexactly(length)).id)
            assert sorted(idents) == [1, 2, 3]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    runner.run(scenario())


def a_service(name: str, port: int = 0) -> Tree:
    ports = [{"name": "http", "port": port, "protocol": "TCP"}] if port else []
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": ports}}


async def _is(what: Any) -> bool:
    return bool(what)


async def _tells(program: Program, name: str, expected: list[str], *, tcp: bool = False) -> bool:
    return data(await ask(program, name, tcp=tcp)) == expected


async def _in(program: Program, text: str) -> bool:
    return text in await _page(program, "/metrics")


async def _page(program: Program, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", program.page_ports[path])
    writer.write(f"GET {path} HTTP/1.1\r\nHost: dns\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert " 200 " in head.splitlines()[0]
    return body


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
