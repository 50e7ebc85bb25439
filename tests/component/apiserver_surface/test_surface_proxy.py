"""The proxies: what of a request and of its answer passes, and what is changed. A node's kubelet stands for every backend."""

import asyncio
import gzip
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import h11
import pytest

from apiserver.config import Config
from apiserver.subresources.html_links import Place, Rewriter
from kube.api.types import Node
from kube.client.rest import Client
from tests.certificates import Authority
from tests.component.apiserver_faults.raw_http import ask
from tests.component.conftest import RunningApi

PROXY = "/api/v1/nodes/n/proxy"
PAGE = b"""<!DOCTYPE html><html><head><link rel=stylesheet href=/style.css><script src='/app.js'>if (a < b) "<a href='/x'>"</script>
</head><body class="/x"><!-- <a href="/comment"> --><a href="/docs/?q=1#there">docs</a> <a HREF="relative">r</a>
<a href="https://elsewhere.example/">e</a><img alt='a > b' src="/logo.png"> 1 < 2
<a href="/api/v1/nodes/n/proxy/done">d</a></body></html>"""
REWRITTEN = PAGE.replace(b"=/style", b"=/api/v1/nodes/n/proxy/style").replace(b"'/app.js", b"'/api/v1/nodes/n/proxy/app.js")
REWRITTEN = REWRITTEN.replace(b'"/docs/', b'"/api/v1/nodes/n/proxy/docs/').replace(b'"/logo', b'"/api/v1/nodes/n/proxy/logo')


@dataclass
class Backend:
    """Tells back what it was asked, or what its path says."""

    port: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER)
        body = b""
        request: h11.Request | None = None
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(1000))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
        assert request is not None
        await self._answer(http, writer, request, body)
        writer.close()

    async def _answer(self, http: h11.Connection, writer: asyncio.StreamWriter, request: h11.Request, body: bytes) -> None:
        path = request.target.partition(b"?")[0]
        headers, pieces = [("content-type", "text/plain")], [b"%s %s %s\n" % (request.method, request.target, body)]
        pieces += [b"%s: %s\n" % pair for pair in request.headers]
        if path == b"/page":
            headers, pieces = [("content-type", "text/html; charset=utf-8")], [PAGE[i : i + 7] for i in range(0, len(PAGE), 7)]
        elif path == b"/packed":
            headers, pieces = [("content-type", "text/html"), ("content-encoding", "gzip")], [gzip.compress(PAGE)]
        elif path == b"/answer":
            headers += [("connection", "x-own"), ("x-own", "1"), ("x-kept", "1"), ("access-control-allow-origin", "*")]
        writer.write(http.send(h11.Response(status_code=200, headers=headers)))
        for piece in pieces:
            writer.write(http.send(h11.Data(data=piece)) or b"")
            await writer.drain()
            if path == b"/slow":
                await self.go_on.wait()
        writer.write(http.send(h11.EndOfMessage()) or b"")


@pytest.fixture
def api_config(api_config: Config) -> Config:
    return replace(api_config, kubelet_preferred_address_types=("InternalIP",))


@pytest.fixture
def backend(runner: asyncio.Runner, client: Client, tmp_path: Path) -> Iterator[Backend]:
    async def start() -> tuple[Backend, asyncio.Server]:
        made = Backend()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = Authority(tmp_path).issue("n")
        context.load_cert_chain(pair.certificate, pair.key)
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
        made.port = server.sockets[0].getsockname()[1]
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": made.port}},
        }
        await client.create(Node, {"metadata": {"name": "n"}, "status": status})
        return made, server

    made, server = runner.run(start())
    yield made
    server.close()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_verb_passes_with_its_path_query_and_body(
    runner: asyncio.Runner, apiserver: RunningApi, backend: Backend, method: str
) -> None:
    """Rule: behaviour E.4.49: all verbs, query kept."""

    async def scenario() -> None:
        body = b"some text" if method in ("POST", "PUT", "PATCH") else None
        answer = await ask(apiserver.url, method, f"{PROXY}/a%2Fb/c?q=1&q=2", body)
        assert answer.body.startswith(b"%s /a%%2Fb/c?q=1&q=2 %s" % (method.encode(), body or b""))

    runner.run(scenario())


def test_headers_about_the_connection_and_credentials_stay_behind(
    runner: asyncio.Runner, apiserver: RunningApi, backend: Backend
) -> None:
    """Rule: https://datatracker.ietf.org/doc/html/rfc9110#section-7.6.1"""

    async def scenario() -> None:
        mine = {"Connection": "x-secret", "X-Secret": "1", "TE": "trailers", "X-Mine": "1", "X-Forwarded-For": "192.0.2.9"}
        answer = await ask(apiserver.url, "GET", f"{PROXY}/headers", headers=mine)
        told = dict(line.split(": ", 1) for line in answer.body.decode().splitlines() if ": " in line)
        assert told["x-mine"] == "1"
        assert told["x-forwarded-for"] == "192.0.2.9, 127.0.0.1"
        assert told["x-forwarded-uri"] == f"{PROXY}/headers"
        assert not {"authorization", "x-secret", "te"} & told.keys()
        back = (await ask(apiserver.url, "GET", f"{PROXY}/answer")).headers
        assert back["x-kept"] == "1"
        assert not {"x-own", "access-control-allow-origin"} & back.keys()

    runner.run(scenario())


def test_a_path_without_its_slash_is_sent_there(runner: asyncio.Runner, apiserver: RunningApi, backend: Backend) -> None:
    """Rule: apimachinery pkg/util/proxy/upgradeaware.go"""

    async def scenario() -> None:
        for method in ("GET", "HEAD"):
            answer = await ask(apiserver.url, method, f"{PROXY}?method={method}")
            assert (answer.status, answer.headers["location"]) == (301, f"{PROXY}/?method={method}")
        assert (await ask(apiserver.url, "POST", PROXY, b"x")).status == 200

    runner.run(scenario())


def test_links_of_a_page_lead_through_the_proxy(runner: asyncio.Runner, apiserver: RunningApi, backend: Backend) -> None:
    """Rule: apimachinery pkg/util/proxy/transport.go"""

    async def scenario() -> None:
        for path in ("page", "packed"):
            answer = await ask(apiserver.url, "GET", f"{PROXY}/{path}")
            assert answer.body == REWRITTEN
            assert "content-encoding" not in answer.headers

    runner.run(scenario())


def test_an_answer_passes_as_it_comes(runner: asyncio.Runner, apiserver: RunningApi, backend: Backend) -> None:
    async def scenario() -> None:
        text = f"GET {PROXY}/slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin-token\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", int(apiserver.url.rpartition(":")[2]))
        async with asyncio.timeout(10):
            writer.write(text.encode())
            assert b"GET /slow" in await reader.readuntil(b"GET /slow")  # while its sender waits
            backend.go_on.set()
            await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    runner.run(scenario())


def test_a_backend_that_does_not_answer_is_told_in_upstreams_words(
    runner: asyncio.Runner, apiserver: RunningApi, client: Client, backend: Backend
) -> None:
    async def scenario() -> None:
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
        }
        await client.create(Node, {"metadata": {"name": "dead"}, "status": status})
        answer = await ask(apiserver.url, "GET", "/api/v1/nodes/dead/proxy/healthz")
        assert answer.status == 503
        assert answer.tree["message"] == "error trying to reach service: dial tcp 127.0.0.1:1: connect: connection refused"
        for path, code in (("nodes/a:b:c:d", 400), ("nodes/https:n:1", 400), ("namespaces/default/services/nobody", 404)):
            assert (await ask(apiserver.url, "GET", f"/api/v1/{path}/proxy/")).status == code

    runner.run(scenario())


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_page_is_rewritten_in_whatever_pieces_it_comes(size: int) -> None:
    rewriter, page = Rewriter(Place("127.0.0.1:10250", PROXY)), PAGE.decode()
    done = "".join(rewriter.feed(page[i : i + size]) for i in range(0, len(page), size)) + rewriter.end()
    assert done.encode() == REWRITTEN


@pytest.mark.parametrize("text", ["<", "<a", "<!-- never ends", "<a href='", "a < b", "<script>never ends", "</a", "<>"])
def test_what_is_no_whole_page_passes_unchanged(text: str) -> None:
    rewriter = Rewriter(Place("h", "/p"))
    assert rewriter.feed(text) + rewriter.end() == text
