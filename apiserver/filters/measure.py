"""Measure: how long a request took and how it was answered, for /metrics; and how many long-running ones there are.

apiserver pkg/endpoints/metrics/metrics.go
"""

import time
from collections.abc import Awaitable, Callable

from apiserver import metrics
from apiserver.context import Message, Request, Response, Send, Server
from apiserver.filters.long_running import is_long_running

SWITCHING_PROTOCOLS = 101
NO_ANSWER = 0  # the client left before there was one


async def measure(server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]) -> Response | None:
    labels = request.once("labels", _labels, request.info)
    noted = _Noted(request)
    began = time.monotonic()
    going_on = None
    if is_long_running(request.info):
        going_on = metrics.LONG_RUNNING.labels(*(label for index, label in enumerate(labels) if index != 1))  # no dry run
        going_on.inc()
    try:
        return await call_next(request)
    finally:
        noted.end()
        if going_on is not None:
            going_on.dec()
        metrics.observe(labels, request.answered or noted.code, time.monotonic() - began)


def _labels(request: Request) -> metrics.Labels:
    return metrics.labels_of(request.info, request.headers.get("content-type", ""))


class _Noted:
    """The code that an answer begins with, where it goes out by messages."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._send: Send = request.send
        self._code = NO_ANSWER
        request.send = self.send

    @property
    def code(self) -> int:
        """A connection that became something else had no answer of ours."""
        return SWITCHING_PROTOCOLS if self._code == NO_ANSWER and self._request.started else self._code

    async def send(self, message: Message) -> None:
        if message["type"].endswith("response.start"):
            self._code = message["status"]
            self.end()
        elif message["type"] == "websocket.accept":
            self._code = SWITCHING_PROTOCOLS
            self.end()
        await self._send(message)

    def end(self) -> None:
        """What follows passes unlooked at; and the request and this no longer hold each other, for the cycle collector to find."""
        self._request.send = self._send
