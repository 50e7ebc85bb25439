"""Authorization: whether the user may do this. How it is decided is auth/'s matter.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server


async def authorize(
    server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]
) -> Response | None:
    await server.authorizer.authorize(request.user, request.info)
    return await call_next(request)
