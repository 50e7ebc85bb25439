"""Watching: the events of a watch, one after the other, until the server ends it.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from kube.api.meta import Tree
from kube.api.status import from_status
from kubectl.transport import JSON, Server


class Event(NamedTuple):
    type: str  # ADDED, MODIFIED, DELETED
    object: Tree


def watch(server: Server, path: str, params: dict[str, str | int | None], accept: str = JSON) -> Iterator[Event]:
    """Events from `params["resourceVersion"]` on. Bookmarks are not shown; an ERROR raises."""
    with server.stream("GET", path, params={**params, "watch": "true"}, headers={"Accept": accept}) as answer:
        while line := answer.readline():
            event = orjson.loads(line)
            if event["type"] == "ERROR":
                raise from_status(event["object"].get("code", 500), event["object"])
            if event["type"] != "BOOKMARK":
                yield Event(event["type"], event["object"])
