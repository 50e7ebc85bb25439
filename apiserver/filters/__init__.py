"""Filters: what every request passes before its handler, outermost first. The order is this tuple.

Each is `async filter(server, request, call_next) -> Response | None`, by these names; None: the answer went out by another way.
apiserver pkg/server/config.go (DefaultBuildHandlerChain)
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from apiserver.context import Request, Response, Server
from apiserver.filters.audit import audit
from apiserver.filters.audit_id import audit_id
from apiserver.filters.authentication import authenticate
from apiserver.filters.authorization import authorize
from apiserver.filters.deadline import deadline
from apiserver.filters.flow_control import flow_control
from apiserver.filters.impersonation import impersonate
from apiserver.filters.measure import measure
from apiserver.filters.recover import recover

Next = Callable[[Request], Awaitable[Response | None]]


class Filter(Protocol):
    def __call__(self, server: Server, request: Request, call_next: Next) -> Awaitable[Response | None]: ...


FILTER_CHAIN: tuple[Filter, ...] = (
    measure,  # sees every answer, also those to what failed
    recover,  # the answer goes out here; a failure becomes a Status
    audit_id,  # names the request, in the log and to the client
    authenticate,
    audit,  # only where it is asked for; records who asks, not who is impersonated
    impersonate,  # from here on the user is who is impersonated
    flow_control,  # knows the user, by whom the requests are told apart
    authorize,
    deadline,
)


def chain(server: Server, handler: Next) -> Next:
    """The handler behind all filters."""
    for one in reversed(FILTER_CHAIN):
        if one is audit and server.state.get("audit") is None:
            continue
        handler = partial(one, server, call_next=handler)
    return handler
