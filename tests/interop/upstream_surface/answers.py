"""Answers: every path of upstream's OpenAPI is asked with every verb and every parameter that it names, and must not be unknown.

The names in paths are those of nothing, and writes are dry runs: what is looked for is a 404 that knows no such path, a 405, a
parameter that is refused, or a failure of the server.
"""

from collections.abc import AsyncIterator
from typing import Any

from kube.api.status import ApiError
from kube.client.rest import Client
from tests.interop.upstream_surface.difference import Difference
from tests.interop.upstream_surface.upstream import Folder

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
NOWHERE = "the server could not find the requested resource"
NAMES = {"name": "no-such-thing", "namespace": "default", "path": "x"}
VALUES = {  # of query parameters; others by their type
    "dryRun": "All", "fieldSelector": "metadata.name=no-such-thing", "labelSelector": "no=such", "fieldValidation": "Strict",
    "propagationPolicy": "Background", "watch": "false", "timeoutSeconds": "1", "limit": "1", "resourceVersion": "0",
    "resourceVersionMatch": "NotOlderThan", "stream": "All", "pretty": "true",
}  # fmt: skip
BY_TYPE = {"string": "x", "integer": "1", "boolean": "true"}
# Not at once with others, or of no use to ask for; each is asked for by tests of its own.
LEFT_OUT = frozenset((
    "continue", "sendInitialEvents", "orphanDependents", "shardSelector", "allowWatchBookmarks",
    "ignoreStoreReadErrorWithClusterBreakingPotential",
))  # fmt: skip


async def answers(folder: Folder, client: Client) -> AsyncIterator[Difference]:
    for document, tree in folder.openapi_3():
        for path, item in tree["paths"].items():
            for method in METHODS:
                if method in item:
                    text = await _asked(client, path, method, item)
                    if text:
                        yield Difference("answers", f"{document} {method.upper()} {path}", "answered", text)


async def _asked(client: Client, path: str, method: str, item: Any) -> str:
    """What is wrong with the answer; empty: nothing."""
    for name, value in NAMES.items():
        path = path.replace("{" + name + "}", value)
    params = _query(item, method)
    body, headers = _body(item[method], method)
    try:
        if "/watch/" in path:
            params.pop("resourceVersionMatch")  # says something else of a watch
            async with client.stream("GET", path, params=params):
                return ""
        await client.request(method.upper(), path, params=params, body=body, headers=headers)
    except ApiError as error:
        wrong = error.code in (405, 500) or (error.code == 404 and error.message == NOWHERE) or "unknown parameter" in error.message
        return f"{error.code} {error.message}" if wrong else ""
    return ""


def _query(item: Any, method: str) -> dict[str, str]:
    told = [*item.get("parameters", ()), *item[method].get("parameters", ())]
    return {
        one["name"]: VALUES.get(one["name"], BY_TYPE[one["schema"]["type"]])
        for one in told
        if one["in"] == "query" and one["name"] not in LEFT_OUT
    }


def _body(operation: Any, method: str) -> tuple[bytes | None, dict[str, str]]:
    if "requestBody" not in operation:
        return None, {}
    if method == "delete":
        return None, {}
    return b"{}", {"Content-Type": "application/merge-patch+json" if method == "patch" else "application/json"}
