"""Authentication: who sends this request. How it is found out is auth/'s matter.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server


async def authenticate(
    server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]
) -> Response | None:
    request.user = await server.authenticator.authenticate(request)
    return await call_next(request)
