"""Watching: the events of a watch, one after the other, until the server or --request-timeout ends it.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import math
import time
from collections.abc import Iterator
from http.client import HTTPResponse
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
    end = time.monotonic() + server.seconds if server.seconds else math.inf
    with server.stream("GET", path, params={**params, "watch": "true"}, headers={"Accept": accept}) as answer:
        while time.monotonic() < end and (line := _line(answer)):
            event = orjson.loads(line)
            if event["type"] == "ERROR":
                raise from_status(event["object"].get("code", 500), event["object"])
            if event["type"] != "BOOKMARK":
                yield Event(event["type"], event["object"])


def _line(answer: HTTPResponse) -> bytes:
    """The next line; none at the end, and none when nothing comes for as long as a request may last."""
    try:
        return answer.readline()
    except TimeoutError:
        return b""
