"""Paths that lead nowhere, methods that a path has not, and bodies that mean another object than the URL does."""

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from kube.api.status import BadRequest
from kube.client.rest import Client
from tests.component.conftest import ADMIN_TOKEN, RunningApi

ROUTER = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "details": {}}
NO_PATH = {**ROUTER, "message": "the server could not find the requested resource", "reason": "NotFound", "code": 404}
NO_METHOD = {
    **ROUTER,
    "message": "the server does not allow this method on the requested resource",
    "reason": "MethodNotAllowed",
    "code": 405,
}
POD = "/api/v1/namespaces/default/pods/one"


def test_what_a_path_or_a_method_that_there_is_not_gets(runner: asyncio.Runner, apiserver: RunningApi) -> None:
    """A Status with empty details: 404, or 405 where the path is served.

    Rule: apiserver pkg/server/genericapiserver.go (serviceErrorHandler)
    """

    async def scenario() -> None:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with aiohttp.ClientSession(apiserver.url, headers=headers) as session:

            async def told(method: str, path: str) -> Any:
                async with session.request(method, path, data=b"{}" if method != "HEAD" else None) as answer:
                    assert answer.headers["Cache-Control"] == "no-cache, private"
                    return (
                        (await answer.json()) if "json" in answer.headers["Content-Type"] else (answer.status, await answer.text())
                    )

            for path in (
                "/api/v2",
                "/apis/apps/v9",
                "/api/v1/foos",
                POD + "/nothing",
                "/apis/authentication.k8s.io/v1/tokenreviews/x",
            ):
                for method in ("GET", "POST", "DELETE"):
                    assert await told(method, path) == NO_PATH, (method, path)
            for method, path in (
                ("POST", "/api"), ("POST", "/apis/apps/v1"), ("POST", "/api/v1/namespaces/default"), ("POST", POD + "/log"),
                ("PUT", POD + "/binding"), ("GET", POD + "/eviction"), ("DELETE", POD + "/exec"), ("POST", "/api/v1/configmaps"),
                ("GET", "/api/v1/namespaces/default/finalize"), ("PUT", "/api/v1/namespaces/default/serviceaccounts/x/token"),
            ):  # fmt: skip
                assert await told(method, path) == NO_METHOD, (method, path)
            async with session.head("/api/v1/namespaces/default") as answer:
                assert answer.status == 405
            wrong = "Name parameter invalid: \"a%b\": may not contain '%'"
            assert (await told("GET", "/api/v1/namespaces/default/configmaps/a%25b"))["message"] == wrong

    runner.run(scenario())


def test_a_body_that_does_not_name_the_object_of_the_url_is_refused(runner: asyncio.Runner, client: Client) -> None:
    """Rule: apiserver pkg/endpoints/handlers/rest.go (checkName); registry/core/pod/storage (BindingREST, EvictionREST)"""

    async def scenario() -> None:
        unnamed = "the name of the object ({} based on URL) was undeterminable: name must be provided"
        for method, path, message in (
            ("PUT", "/api/v1/namespaces/default/status", unnamed.format("default")),
            ("PUT", "/api/v1/namespaces/default/finalize", unnamed.format("default")),
            ("PUT", "/apis/apps/v1/namespaces/default/deployments/x/scale", unnamed.format("x")),
            ("PUT", POD + "/resize", unnamed.format("one")),
            ("POST", POD + "/eviction", "name in URL does not match name in Eviction object"),
            ("POST", POD + "/binding", "name in URL does not match name in Binding object"),
        ):
            with pytest.raises(BadRequest) as refusal:
                await client.request(method, path, body={})
            assert refusal.value.message == message, path
        kept = orjson.loads((await client.request("GET", "/api/v1/namespaces/default")).body)
        assert kept["spec"]["finalizers"] == ["kubernetes"]

    runner.run(scenario())
