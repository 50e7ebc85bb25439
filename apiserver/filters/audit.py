"""Audit: record what the policy wants recorded of a request, from when it is known who asks to the end of the answer.

A request that is not recorded has no Audit-ID in its answer. Who could not be authenticated never comes here; what fails by a
bug is recorded where that is caught (recover.py).
https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ · apiserver pkg/endpoints/filters/audit.go
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from apiserver.audit.record import Auditor, Record, failure, success
from apiserver.context import Request, Response, Server
from apiserver.filters.long_running import is_long_running
from kube.api.status import ApiError

SWITCHING_PROTOCOLS = 101


async def audit(server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]) -> Response | None:
    auditor: Auditor = server.state["audit"]
    record = auditor.begin(request)
    if record is None:
        request.audit_id = ""
        return await call_next(request)
    request.audit = record
    record.stage("RequestReceived")
    try:
        response = await call_next(request)
    except ApiError as error:
        record.stage("ResponseComplete", failure(error))
        raise
    if response is None:
        record.stage("ResponseComplete", success(record.code or SWITCHING_PROTOCOLS))
    elif response.stream is not None:
        response.stream = _until_the_end(record, response, response.stream, is_long_running(request.info))
    else:
        record.stage("ResponseComplete", success(response.status), response)
    return response


async def _until_the_end(
    record: Record, response: Response, stream: AsyncIterator[bytes], is_long: bool
) -> AsyncGenerator[bytes, None]:
    if is_long:
        record.stage("ResponseStarted", success(response.status))
    try:
        async for chunk in stream:
            yield chunk
    finally:
        record.stage("ResponseComplete", success(response.status))
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
