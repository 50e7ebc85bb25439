"""Flow control: a request takes its seat before it is worked on, or waits for one, or is told to come later (429, Retry-After).

Which level's seat, and who is next, is flowcontrol/'s matter. A watch gives its seat back once it has begun; other long-running
requests take none. With --enable-priority-and-fairness=false there are two plain limits instead (in_flight.py).
apiserver pkg/server/filters/priority-and-fairness.go
"""

import time
from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server
from apiserver.filters.in_flight import READING, RETRY_SECONDS, in_flight
from apiserver.filters.long_running import is_long_running
from apiserver.flowcontrol import metrics
from apiserver.flowcontrol.control import Control, Flow
from apiserver.flowcontrol.level import Level, Refused
from kube.api.status import TooManyRequests

Next = Callable[[Request], Awaitable[Response | None]]


async def flow_control(server: Server, request: Request, call_next: Next) -> Response | None:
    control: Control | None = server.state.get("flowcontrol")
    if control is None:
        return await in_flight(server, request, call_next)
    info = request.info
    if info.verb != "watch" and is_long_running(info):
        return await call_next(request)
    flow = control.flow_of(request.user, info)
    request.answer_headers = flow.headers
    if flow.level is not None and not flow.level.take():
        return await _queued(control, flow, flow.level, request, call_next)
    reads = info.verb in READING
    server.in_flight[reads] += 1
    flow.begin()
    try:
        return await call_next(request)
    finally:
        server.in_flight[reads] -= 1
        flow.end()


async def _queued(control: Control, flow: Flow, level: Level, request: Request, call_next: Next) -> Response | None:
    """Wait for a seat, in a queue of the flow."""
    counts, came = flow.counts, time.monotonic()
    counts.queued += 1
    got = False
    try:
        queue = await level.wait(flow.hand, control.wait_seconds)
        got = True
    except Refused as refused:
        counts.rejected[refused.reason] = counts.rejected.get(refused.reason, 0) + 1
        details = {"retryAfterSeconds": RETRY_SECONDS}
        raise TooManyRequests("Too many requests, please try again later.", details) from None
    finally:
        counts.queued -= 1
        began = time.monotonic()
        metrics.WAITED.labels(counts.level, counts.schema, str(got).lower()).observe(began - came)
    counts.dispatched += 1
    counts.executing += 1
    try:
        return await call_next(request)
    finally:
        counts.executing -= 1
        level.served(queue, time.monotonic() - began)
        level.give()
