"""Watch: the changes of a resource from a revision on, as they come.

Promise: every change after `resource_version`, in order, each once; then the stream ends (the server ends it now and then) or
raises: Expired where the server no longer has that revision, Unreachable where the connection broke. Resuming is the caller's.
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from kube.api.resource import Resource
from kube.api.status import from_status
from kube.client.rest import Client, Params, Unreachable


class Event(msgspec.Struct):
    """One change: ADDED, MODIFIED, DELETED or BOOKMARK, and the object's JSON, not decoded yet."""

    type: str
    object: msgspec.Raw


_DECODER = msgspec.json.Decoder(Event)


async def watch(
    client: Client,
    resource: Resource,
    *,
    namespace: str = "",
    resource_version: str = "",
    params: Params | None = None,
    accept: str = "",
) -> AsyncGenerator[Event, None]:
    """The events of one watch request; `accept` asks for objects in another form. Raises what an ERROR event tells."""
    query: dict[str, Any] = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": resource_version}
    query |= params or {}
    headers = {"Accept": accept} if accept else None
    async with client.stream("GET", resource.path(namespace), params=query, headers=headers) as stream:
        async for line in stream.iter_lines():
            try:
                event = _DECODER.decode(line)
            except msgspec.DecodeError as error:
                raise Unreachable(f"the server sent no watch event: {error}") from error
            if event.type == "ERROR":
                status = msgspec.json.decode(event.object)
                raise from_status(int(status.get("code") or 500), status)
            yield event
