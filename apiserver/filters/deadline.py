"""Deadline: a request that is not done in time is given up with 504. A client may ask for less time, never for more.

apiserver pkg/endpoints/filters/request_deadline.go, pkg/server/filters/timeout.go
"""

import asyncio
from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server
from apiserver.filters.long_running import is_long_running
from kube.api import duration
from kube.api.status import BadRequest, Timeout


async def deadline(server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]) -> Response | None:
    if is_long_running(request.info) or request.is_websocket:
        return await call_next(request)
    seconds = _seconds(request, server.config.request_timeout)
    try:
        async with asyncio.timeout(seconds):
            return await call_next(request)
    except TimeoutError:
        raise Timeout("Timeout: request did not complete within the allotted timeout") from None


def _seconds(request: Request, longest: float) -> float:
    asked = request.info.param("timeout")
    if not asked:
        return longest
    try:
        seconds = duration.parse_go(asked)
    except ValueError:
        raise BadRequest(f'invalid timeout specified in the request URL - time: invalid duration "{asked}"') from None
    return min(seconds, longest) if seconds > 0 else longest
