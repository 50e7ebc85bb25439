"""Deadline: a request that is not done in time is given up with 504. A client may ask for less time, never for more.

Who asks for a time gets it to the millisecond. All others share one timer, which looks every SWEEP_SECONDS for requests that are
beyond --request-timeout: a timer for each request costs more than reading an object.
apiserver pkg/endpoints/filters/request_deadline.go, pkg/server/filters/timeout.go
"""

import asyncio
from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server
from apiserver.filters.long_running import is_long_running, lasting
from kube.api import duration
from kube.api.status import BadRequest, Timeout

SWEEP_SECONDS = 0.5
ROOM = "deadlines"  # in server.state


async def deadline(server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]) -> Response | None:
    if is_long_running(request.info) or request.is_websocket:
        with lasting(server):
            return await call_next(request)
    longest = server.config.request_timeout
    if "timeout" not in request.info.query:
        deadlines = server.state.get(ROOM)
        if deadlines is None:
            deadlines = server.state[ROOM] = _Deadlines(longest)
        assert isinstance(deadlines, _Deadlines), "this filter's own room"
        return await deadlines.within(call_next(request))
    try:
        async with asyncio.timeout(_seconds(request, longest)):
            return await call_next(request)
    except TimeoutError:
        raise _timeout() from None


class _Deadlines:
    """The requests at work, in the order in which they end at the latest."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[asyncio.Task[None], float] = {}
        self._overdue: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, work: Awaitable[Response | None]) -> Response | None:
        task = asyncio.current_task()
        assert task is not None, "a request is a task"
        loop = asyncio.get_running_loop()
        self._ends[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(min(SWEEP_SECONDS, self._seconds), self._sweep, loop)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._overdue and task.uncancel() == 0:
                raise _timeout() from None
            raise
        finally:
            self._ends.pop(task, None)
            self._overdue.discard(task)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, end in list(self._ends.items()):
            if end > now:
                break
            del self._ends[task]
            self._overdue.add(task)
            task.cancel()
        self._timer = loop.call_later(min(SWEEP_SECONDS, self._seconds), self._sweep, loop) if self._ends else None


def _timeout() -> Timeout:
    return Timeout("Timeout: request did not complete within the allotted timeout")


def _seconds(request: Request, longest: float) -> float:
    asked = request.info.param("timeout")
    if not asked:
        return longest
    try:
        seconds = duration.parse_go(asked)
    except ValueError as error:
        raise BadRequest(f"invalid timeout specified in the request URL - {error}") from None
    return min(seconds, longest) if seconds > 0 else longest
