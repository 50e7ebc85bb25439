"""Requests with odd paths, parameters, methods and manners of speaking HTTP: a Status each, and no connection that hangs."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from tests.component.apiserver_faults.raw_http import Answer, ask, conversation, request
from tests.component.conftest import ADMIN_TOKEN, RunningApi
from tests.wait import eventually

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
NOT_FOUND = "the server could not find the requested resource"

PATHS: dict[str, tuple[str, int, str]] = {
    "nowhere": ("/nowhere", 404, NOT_FOUND),
    "an unknown group": ("/apis/nobody.example.com/v1", 404, NOT_FOUND),
    "an unknown version": ("/api/v7/pods", 404, NOT_FOUND),
    "an unknown resource": ("/api/v1/nothings", 404, NOT_FOUND),
    "a resource of another group": ("/apis/apps/v1/pods", 404, NOT_FOUND),
    "an unknown document": ("/openapi/v3/apis/nobody", 404, NOT_FOUND),
    "an unknown subresource": (f"{PODS}/x/nothing", 404, NOT_FOUND),
    "a status where there is none": (f"{CONFIG_MAPS}/x/status", 404, NOT_FOUND),
    "a slash in a name": (f"{CONFIG_MAPS}/a%2Fb", 404, ""),
    "dots": ("/api/v1/../../etc/passwd", 404, NOT_FOUND),
    "dots in disguise": ("/api/v1/%2e%2e/namespaces", 404, NOT_FOUND),
    "dots as name": (f"{CONFIG_MAPS}/..", 400, "may not be '..'"),
    "doubled slashes": ("//api//v1//pods", 404, NOT_FOUND),
    "a null byte": (f"{CONFIG_MAPS}/%00", 404, ""),
    "bytes that are no text": (f"{CONFIG_MAPS}/%ff%fe", 404, ""),
    "a percent sign": (f"{CONFIG_MAPS}/%zz", 400, "may not contain '%'"),
    "a kind of the cluster in a namespace": ("/api/v1/namespaces/default/nodes", 404, NOT_FOUND),
    "a long name": (f"{CONFIG_MAPS}/{'a' * 60_000}", 404, ""),
    "the old watch of nothing": ("/api/v1/watch", 404, NOT_FOUND),
}
QUERIES: dict[str, tuple[str, int, str]] = {
    "limit that is no number": ("limit=x", 400, "invalid syntax"),
    "limit in other digits": ("limit=%D9%A1", 400, "invalid syntax"),
    "limit that Python would take": ("limit=1_0", 400, "invalid syntax"),
    "limit of fifty digits": (f"limit={'9' * 50}", 400, "value out of range"),
    "seconds that are no number": ("watch=1&timeoutSeconds=x", 400, "invalid syntax"),
    "an open bracket": ("labelSelector=a+in+(", 400, "unable to parse requirement: found '', expected: ',', ')' or identifier"),
    "a label key that is none": (
        "labelSelector=-a",
        400,
        'unable to parse requirement: <nil>: Invalid value: "-a": name part must',
    ),
    "a label value that is none": ("labelSelector=a%3D-b", 400, 'unable to parse requirement: values[0][a]: Invalid value: "-b"'),
    "two words": ("labelSelector=a+b", 400, "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
    "a null byte as label": ("labelSelector=%00", 400, ""),
    "no field selector": ("fieldSelector=a", 400, "invalid selector"),
    "an unknown field": ("fieldSelector=spec.a%3Db", 400, "is not a known field selector"),
    "a field in a watch": ("watch=1&fieldSelector=spec.a%3Db", 400, "is not a known field selector"),
    "a token that is none": ("continue=xyz", 400, "continue key is not valid"),
    "a token below zero": (
        "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTUsInN0YXJ0IjoiLi4vLi4vIn0",
        400,
        "incorrect encoded start",
    ),
    "a version that is no number": ("resourceVersion=abc", 400, 'parsing "abc": invalid syntax'),
    "a version below zero": ("resourceVersion=-1", 400, "invalid syntax"),
    "a version beyond 64 bits": (f"resourceVersion={'9' * 25}", 400, "value out of range"),
    "such a version in a watch": ("watch=1&resourceVersion=abc", 400, "invalid syntax"),
    "an unknown match": ("resourceVersion=1&resourceVersionMatch=Foo", 422, "Unsupported value"),
    "a match of nothing": ("resourceVersionMatch=Exact", 422, "forbidden unless resourceVersion is provided"),
    "initial events of a list": ("sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"),
    "initial events without bookmarks": ("watch=1&sendInitialEvents=true", 422, "sendInitialEvents"),
    "no duration": ("timeout=soon", 400, "invalid timeout"),
}


def check(case: str, answer: Answer, code: int, text: str = "") -> None:
    assert answer.status == code, f"{case}: {answer}"
    assert answer.is_status(), f"{case}: {answer}"
    assert text in answer.tree["message"], f"{case}: {answer}"


def test_an_odd_path_or_query_gets_its_status(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: behaviour E.1; unknown paths: client-go turns a bare 404 into the same words."""

    async def scenario() -> None:
        for case, (path, code, text) in PATHS.items():
            check(case, await ask(apiserver.url, "GET", path), code, text)
        for case, (query, code, text) in QUERIES.items():
            check(case, await ask(apiserver.url, "GET", f"{CONFIG_MAPS}?{query}"), code, text)
        many = "&".join(f"a{i}=1" for i in range(3000))
        assert (await ask(apiserver.url, "GET", f"{CONFIG_MAPS}?{many}")).status == 200

    runner.run(scenario())


def test_a_method_that_is_not_offered_is_405(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: apiserver pkg/endpoints/request/requestinfo.go"""

    async def scenario() -> None:
        for method in ("OPTIONS", "TRACE", "CONNECT", "PROPFIND", "PUT"):
            check(method, await ask(apiserver.url, method, CONFIG_MAPS), 405)
        check("a create of one", await ask(apiserver.url, "POST", f"{CONFIG_MAPS}/x", b"{}"), 405)
        check("a document", await ask(apiserver.url, "DELETE", "/version"), 405)
        head = await ask(apiserver.url, "HEAD", CONFIG_MAPS)
        assert (head.status, head.body) == (405, b"")  # upstream has HEAD for custom resources alone
        assert (await ask(apiserver.url, "HEAD", "/nowhere")).status == 404

    runner.run(scenario())


def test_what_cannot_be_accepted_is_406(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources"""

    async def scenario() -> None:
        for accept in (
            "text/html",
            ";;q=,,",
            "application/cbor",
            "application/vnd.kubernetes.protobuf",
            "application/json;as=Nothing",
        ):
            check(accept, await ask(apiserver.url, "GET", CONFIG_MAPS, headers={"Accept": accept}), 406)
        fallback = await ask(apiserver.url, "GET", CONFIG_MAPS, headers={"Accept": "application/cbor, application/json"})
        assert fallback.headers["content-type"] == "application/json"

    runner.run(scenario())


def test_a_client_that_prefers_protobuf_gets_json_at_each_verb_or_406(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources"""
    one, protobuf = f"{CONFIG_MAPS}/one", "application/vnd.kubernetes.protobuf"
    body = b'{"metadata":{"name":"one"}}'
    table = ";as=Table;v=v1;g=meta.k8s.io"
    calls: list[tuple[str, str, bytes | None, str, bool]] = [
        ("POST", CONFIG_MAPS, body, "application/json", False),
        ("GET", one, None, "", False),
        ("GET", CONFIG_MAPS, None, "", False),
        ("GET", f"{CONFIG_MAPS}?watch=1", None, "", True),
        ("PUT", one, body, "application/json", False),
        ("PATCH", one, b"{}", "application/merge-patch+json", False),
        ("PATCH", one, b"[]", "application/json-patch+json", False),
        ("DELETE", one, None, "", False),
        ("DELETE", CONFIG_MAPS, None, "", False),
    ]

    async def scenario() -> None:
        for method, path, sent, media, stream in calls:
            about = {"Content-Type": media} if media else {}
            refused = await ask(apiserver.url, method, path, sent, {**about, "Accept": protobuf})
            check(f"{method} {path}", refused, 406)
            for accept in (f"{protobuf},application/json", f"{protobuf}, */*", f"application/cbor;q=0.9,{protobuf},*/*;q=0.1"):
                dry = f"{path}{'&' if '?' in path else '?'}dryRun=All" if method in ("POST", "DELETE") else path
                got = await ask(apiserver.url, method, dry, sent, {**about, "Accept": accept}, stream=stream)
                assert got.status in (200, 201), f"{method} {path} {accept}: {got}"
                assert got.headers["content-type"] == "application/json", f"{method} {path}"
            if method == "POST":
                assert (await ask(apiserver.url, method, path, sent)).status == 201
        rows = f"{protobuf}{table},application/json{table},application/json"
        assert (await ask(apiserver.url, "GET", one, headers={"Accept": rows})).tree["kind"] == "Table"

    runner.run(scenario())


def test_a_head_that_is_too_large_or_no_http_ends_the_connection(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: net/http (DefaultMaxHeaderBytes): refused before there is a request that a Status could answer."""

    async def scenario() -> None:
        large = await ask(apiserver.url, "GET", CONFIG_MAPS, headers={"X-Large": "a" * 2_000_000})
        assert large.status == 431
        for text in (
            b"GET\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        ):
            (answer,) = await conversation(apiserver.url, [text, b"\r\n\r\n"], ["GET"])
            assert answer.status == 400, answer
        assert (await ask(apiserver.url, "GET", CONFIG_MAPS)).status == 200

    runner.run(scenario())


def test_a_body_that_is_announced_too_large_is_refused_unread(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        answer = await ask(apiserver.url, "POST", CONFIG_MAPS, b"{}", {"Content-Length": "99999999999"})
        check("announced", answer, 413, "Request entity too large: limit is 3145728")

    runner.run(scenario())


def test_requests_in_a_row_are_answered_in_their_order(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Pipelining. Rule: https://datatracker.ietf.org/doc/html/rfc9112#section-9.3.2"""

    async def scenario() -> None:
        bodies = [b'{"metadata":{"name":"p%d"}}' % i for i in range(5)]
        row = b"".join([request("POST", CONFIG_MAPS, body) for body in bodies] + [request("GET", CONFIG_MAPS)])
        *created, listed = await conversation(apiserver.url, [row], ["POST"] * 5 + ["GET"])
        assert [answer.tree["metadata"]["name"] for answer in created] == [f"p{i}" for i in range(5)]
        assert len(listed.tree["items"]) == 5

    runner.run(scenario())


def test_a_request_in_pieces_is_one_request(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    async def scenario() -> None:
        whole = request("POST", CONFIG_MAPS, b'{"metadata":{"name":"slow"}}')
        (answer,) = await conversation(apiserver.url, [whole[i : i + 1] for i in range(len(whole))], ["POST"])
        assert answer.status == 201
        chunks = b'2\r\n{"\r\n' + b'1c\r\nmetadata":{"name":"chunked"}\r\n' + b"1\r\n}\r\n0\r\n\r\n"
        head = request("POST", CONFIG_MAPS, headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        (answer,) = await conversation(apiserver.url, [head, chunks], ["POST"])
        assert answer.status == 201, answer

    runner.run(scenario())


def test_a_client_that_waits_to_send_its_body_is_told_to_go_on(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """Rule: https://datatracker.ietf.org/doc/html/rfc9110#section-10.1.1"""

    async def scenario() -> None:
        body = b'{"metadata":{"name":"expected"}}'
        whole = request("POST", CONFIG_MAPS, body, {"Expect": "100-continue"})
        reader, writer = await asyncio.open_connection("127.0.0.1", int(apiserver.url.rpartition(":")[2]))
        async with asyncio.timeout(10):
            writer.write(whole.removesuffix(body))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(body)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201")
        writer.close()
        await writer.wait_closed()

    runner.run(scenario())


@pytest.mark.parametrize(
    "leave", [lambda writer: writer.close(), lambda writer: writer.transport.abort()], ids=["closes", "resets"]
)
def test_who_leaves_in_the_middle_leaves_nothing_behind(
    runner: asyncio.Runner, apiserver: RunningApi, leave: Callable[[asyncio.StreamWriter], None]
) -> None:
    """What if a client goes away within its request, or within its watch? Its work ends."""

    async def scenario() -> None:
        before = len(asyncio.all_tasks())
        whole = request("POST", CONFIG_MAPS, b'{"metadata":{"name":"half"}}')
        watch = request("GET", f"{CONFIG_MAPS}?watch=1")
        for text in (whole[:40], whole[:-5], watch, b"", request("GET", CONFIG_MAPS)) * 5:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(apiserver.url.rpartition(":")[2]))
            writer.write(text)
            if text == watch:
                await reader.readuntil(b"\r\n\r\n")
            leave(writer)
        await eventually(lambda: _at_most(before), 10, "the requests' tasks end")
        assert (await ask(apiserver.url, "GET", f"{CONFIG_MAPS}/half")).status == 404
        assert apiserver.server.in_flight == [0, 0]

    runner.run(scenario())


def test_who_stops_sending_still_gets_the_answer(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """A half-closed connection. Rule: https://datatracker.ietf.org/doc/html/rfc9112#section-9.6"""

    async def scenario() -> None:
        text = request("GET", CONFIG_MAPS, headers={"Connection": "close"})
        reader, writer = await asyncio.open_connection("127.0.0.1", int(apiserver.url.rpartition(":")[2]))
        async with asyncio.timeout(10):
            writer.write(text)
            await reader.readuntil(b"\r\n\r\n")
            writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
            assert b'"items":[]' in await reader.read()
        writer.close()
        await writer.wait_closed()

    runner.run(scenario())


def test_the_token_is_told_to_nobody(runner: asyncio.Runner, apiserver: RunningApi, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        for path in ("/nowhere", f"{CONFIG_MAPS}?limit=x"):
            assert ADMIN_TOKEN.encode() not in (await ask(apiserver.url, "GET", path)).body

    runner.run(scenario())
    assert ADMIN_TOKEN not in caplog.text


async def _at_most(tasks: int) -> bool:
    return len(asyncio.all_tasks()) <= tasks + 1  # the one that asks
