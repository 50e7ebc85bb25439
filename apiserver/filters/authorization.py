"""Authorization: whether the user may do this. How it is decided is auth/'s matter.

Of a request that is recorded the decision and its reason are noted.
https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from collections.abc import Awaitable, Callable

from apiserver.auth.authorization import forbidden
from apiserver.context import Request, Response, Server

DECISION, REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"


async def authorize(
    server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]
) -> Response | None:
    if request.audit is None:
        await server.authorizer.authorize(request.user, request.info)
    else:
        await _noted(server, request)
    return await call_next(request)


async def _noted(server: Server, request: Request) -> None:
    decision = await server.authorizer.decide(request.user, request.info)
    request.audit.annotate(DECISION, "allow" if decision.allowed else "forbid")
    request.audit.annotate(REASON, decision.reason)
    if not decision.allowed:
        raise forbidden(request.user, request.info, decision.reason)
