"""Requests: what is sent, which errors come back, what is tried again. On virtual time, against a server that misbehaves."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest

from kube.api.meta import Key
from kube.api.status import ApiError, Conflict, NotFound, ServiceUnavailable, TooManyRequests
from kube.api.types import ConfigMap, Deployment
from kube.client.rest import APPLY, JSON, MERGE, STRATEGIC, TRIES, TRIES_OF_A_BUSY_SERVER, Client, Unreachable
from tests import virtual_time
from tests.component.kube_client.faults import Asked, Scripted, client_of, cut

OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "n"}}
MISSING = {"kind": "Status", "reason": "NotFound", "code": 404, "message": 'configmaps "x" not found'}


async def well(asked: Asked) -> None:
    await asked.answer(200, OBJECT)


def test_paths_and_methods_are_the_apis_own() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris"""
    script = Scripted(well)
    key = Key("n", "x")

    async def scenario() -> None:
        async with client_of(script) as client:
            await client.get(ConfigMap, "n", "x")
            await client.create(ConfigMap, OBJECT)
            await client.update(ConfigMap, OBJECT)
            await client.patch(Deployment, key, {"spec": {}}, subresource="scale")
            await client.patch_status(Deployment, key, {"replicas": 1})
            await client.apply(ConfigMap, OBJECT, manager="m", force=True)
            await client.delete(ConfigMap, key, uid="u", grace_seconds=0, propagation="Background")
            await client.create_subresource(ConfigMap, key, "binding", {})
            await client.get_tree(ConfigMap, "", "system:a b")

    virtual_time.run(scenario())
    assert [(one.method, one.path, one.query) for one in script.asked] == [
        ("GET", "/api/v1/namespaces/n/configmaps/x", {}),
        ("POST", "/api/v1/namespaces/n/configmaps", {}),
        ("PUT", "/api/v1/namespaces/n/configmaps/x", {}),
        ("PATCH", "/apis/apps/v1/namespaces/n/deployments/x/scale", {}),
        ("PATCH", "/apis/apps/v1/namespaces/n/deployments/x/status", {}),
        ("PATCH", "/api/v1/namespaces/n/configmaps/x", {"fieldManager": "m", "force": "true"}),
        ("DELETE", "/api/v1/namespaces/n/configmaps/x", {}),
        ("POST", "/api/v1/namespaces/n/configmaps/x/binding", {}),
        ("GET", "/api/v1/configmaps/system:a b", {}),
    ]
    assert orjson.loads(script.asked[6].body) == {
        "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u"}, "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
    }  # fmt: skip
    assert script.asked[0].headers["user-agent"].startswith("test/v1.36.0 (linux/")


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        (MERGE, "application/merge-patch+json"),
        (STRATEGIC, "application/strategic-merge-patch+json"),
        (JSON, "application/json-patch+json"),
        (APPLY, "application/apply-patch+yaml"),
    ],
)
def test_patches_are_named_by_their_content_type(kind: str, content_type: str) -> None:
    script = Scripted(well)

    async def scenario() -> None:
        async with client_of(script) as client:
            await client.patch(ConfigMap, Key("n", "x"), {}, type=kind)

    virtual_time.run(scenario())
    assert script.asked[0].headers["content-type"] == content_type


async def tried(script: Scripted, method: str) -> float:
    """Make a request; returns the seconds it took."""
    async with client_of(script) as client:
        await client.request(method, "/api", body=None if method == "GET" else {})
        return asyncio.get_running_loop().time()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_idempotent_request_is_made_again_when_the_connection_breaks(method: str) -> None:
    script = Scripted(cut, cut, well)
    virtual_time.run(tried(script, method))
    assert len(script.asked) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_write_whose_fate_is_unknown_is_not_repeated(method: str) -> None:
    script = Scripted(cut)
    with pytest.raises(Unreachable):
        virtual_time.run(tried(script, method))
    assert len(script.asked) == 1


def test_tries_are_bounded() -> None:
    script = Scripted(cut)
    with pytest.raises(Unreachable):
        virtual_time.run(tried(script, "GET"))
    assert len(script.asked) == TRIES


def test_server_that_is_not_there_is_told_after_some_tries() -> None:
    async def scenario() -> float:
        async with client_of(Scripted(well)) as client:
            config = client.config
        async with Client(config) as client:
            with pytest.raises(Unreachable) as told:
                await client.request("POST", "/api", body={})
            assert told.value.refused
            return asyncio.get_running_loop().time()

    assert virtual_time.run(scenario()) >= 0.7  # 0.1 + 0.2 + 0.4


def test_busy_server_is_asked_again_when_it_says() -> None:
    """Rule: client-go rest/with_retry.go: 429 and 5xx with Retry-After"""

    async def busy(asked: Asked) -> None:
        await asked.answer(429, {"reason": "TooManyRequests", "code": 429, "message": "slow down"}, retry_after="7")

    async def starting(asked: Asked) -> None:
        await asked.answer(503, b"not yet", retry_after="2")

    assert virtual_time.run(tried(Scripted(busy, starting, well), "POST")) >= 9


def test_busy_server_is_not_asked_for_ever() -> None:
    async def busy(asked: Asked) -> None:
        await asked.answer(429, {"reason": "TooManyRequests", "details": {"retryAfterSeconds": 1}})

    script = Scripted(busy)
    with pytest.raises(TooManyRequests):
        virtual_time.run(tried(script, "GET"))
    assert len(script.asked) == TRIES_OF_A_BUSY_SERVER


def test_refusal_without_a_time_to_come_back_is_told_at_once() -> None:
    """What if a disruption budget refuses an eviction?"""

    async def refused(asked: Asked) -> None:
        await asked.answer(429, {"reason": "TooManyRequests", "message": "Cannot evict pod"})

    script = Scripted(refused)
    with pytest.raises(TooManyRequests, match="Cannot evict pod"):
        virtual_time.run(tried(script, "POST"))
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (404, MISSING, NotFound, 'configmaps "x" not found'),
        (409, {"reason": "Conflict", "message": "modified"}, Conflict, "modified"),
        (503, b"<html>proxy</html>", ServiceUnavailable, "<html>proxy</html>"),
        (418, b"", ApiError, "the server responded with HTTP status 418"),
    ],
)
def test_failure_comes_back_as_its_reasons_error(status: int, body: object, error: type[ApiError], message: str) -> None:
    async def fail(asked: Asked) -> None:
        await asked.answer(status, body)

    with pytest.raises(error) as told:
        virtual_time.run(tried(Scripted(fail), "GET"))
    assert told.value.message == message


class Refuses(Scripted):
    """Answers a WebSocket's handshake with a Status."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert parse_qsl(scope["query_string"]) == [(b"command", b"a"), (b"command", b"b")]
        await send({"type": "websocket.http.response.start", "status": 404, "headers": []})
        await send({"type": "websocket.http.response.body", "body": orjson.dumps(MISSING)})


def test_refused_websocket_tells_why() -> None:
    async def scenario() -> None:
        async with client_of(Refuses(well)) as client, client.websocket("/exec", params=[("command", "a"), ("command", "b")]):
            pass

    with pytest.raises(NotFound, match='configmaps "x" not found'):
        virtual_time.run(scenario())


def test_token_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    """Rule: client-go transport/token_source.go: a minute"""
    script, file = Scripted(well), tmp_path / "token"

    async def scenario() -> None:
        file.write_text("one\n")
        async with client_of(script, token_file=file) as client:
            await client.request("GET", "/api")
            file.write_text("two\n")
            await client.request("GET", "/api")
            await asyncio.sleep(61)  # noqa: TID251 -- virtual
            await client.request("GET", "/api")

    virtual_time.run(scenario())
    assert [one.headers["authorization"] for one in script.asked] == ["Bearer one", "Bearer one", "Bearer two"]


def test_list_gives_views_that_know_what_they_are() -> None:
    """Rule: a typed list's items come without apiVersion and kind from upstream's server"""

    async def listed(asked: Asked) -> None:
        items = [{"metadata": {"name": "x", "namespace": "n"}, "data": {"a": "1"}}]
        await asked.answer(200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "5"}, "items": items})

    async def scenario() -> list[ConfigMap]:
        async with client_of(Scripted(listed)) as client:
            return await client.list(ConfigMap, "n", label_selector="a=b")

    (one,) = virtual_time.run(scenario())
    assert (one.apiVersion, one.kind, one.data) == ("v1", "ConfigMap", {"a": "1"})
