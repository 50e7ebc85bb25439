"""In-flight limit: so many requests at once, reading and writing counted apart; the next one gets 429 and a second to wait.

apiserver pkg/server/filters/maxinflight.go
"""

from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server
from apiserver.filters.long_running import is_long_running
from kube.api.status import TooManyRequests

READING = frozenset(("get", "list", "watch", "head", "options"))
RETRY_SECONDS = 1


async def in_flight(
    server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]
) -> Response | None:
    if is_long_running(request.info):
        return await call_next(request)
    reads = request.info.verb in READING
    limit = server.place.part(server.config.max_requests_inflight if reads else server.config.max_mutating_requests_inflight)
    counted = server.in_flight
    if limit and counted[reads] >= limit and "system:masters" not in request.user.groups:
        raise TooManyRequests("Too many requests, please try again later.", {"retryAfterSeconds": RETRY_SECONDS})
    counted[reads] += 1
    try:
        return await call_next(request)
    finally:
        counted[reads] -= 1
