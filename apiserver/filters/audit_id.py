"""Audit-ID: the name of a request, the client's own if it sent one.

https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ · apiserver pkg/endpoints/filters/audit_init.go
"""

from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server
from kube.api.uid import new_uid

MAX_LENGTH = 64  # a longer one is not believed


async def audit_id(server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]) -> Response | None:
    given = request.headers.get("audit-id", "")
    request.audit_id = given if 0 < len(given) <= MAX_LENGTH else new_uid()
    return await call_next(request)
