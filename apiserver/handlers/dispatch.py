"""Dispatch: the one table of verbs, and which handler a request meets once the filters let it through."""

from apiserver.context import Handler, Request, RequestInfo, Response, Server
from apiserver.handlers import connect, delete, patch, read, scale, status, watch, write
from apiserver.handlers.negotiation import check_router_accepts
from apiserver.nowhere import no_method, nowhere
from apiserver.subresources import METHODS, SUBRESOURCES
from kube.api import names
from kube.api.resource import Resource
from kube.api.status import BadRequest, MethodNotAllowed, go_quoted

VERBS: dict[str, Handler] = {
    "get": read.get,
    "list": read.list_objects,
    "watch": watch.watch,
    "create": write.create,
    "update": write.update,
    "patch": patch.patch,
    "delete": delete.delete,
    "deletecollection": delete.delete_collection,
}
NAMED = frozenset(("get", "update", "patch", "delete"))  # of one object, by its path
SELECTED = frozenset(("list", "watch", "deletecollection"))  # their name, if any, is a selector's
GENERIC_SUBRESOURCES: dict[str, dict[str, Handler]] = {
    "status": {"get": read.get, "update": status.update, "patch": status.patch},
    "scale": {"get": scale.get, "update": scale.update, "patch": scale.patch},
}


async def handle(server: Server, request: Request) -> Response | None:
    """Answer a request for a resource."""
    handler = request.once("handler", handler_of, request.info)
    if request.info.resource is not None and request.info.resource.deprecation:
        request.warn(request.info.resource.deprecation)
    if request.info.subresource in connect.OPTIONS:
        await connect.admit(server, request)
    return await handler(server, request)


def handler_of(request: Request) -> Handler:
    """Raises NotFound for a path that is not served, MethodNotAllowed for a method that a served path has not."""
    info = request.info
    row = info.resource
    if row is None or not _served(info, row):
        raise nowhere()
    if not _addressed(info, row):
        raise _not_allowed(info, row)
    if info.name and (why := names.path_segment(info.name)):
        raise BadRequest(f"Name parameter invalid: {go_quoted(info.name)}: {';'.join(why)}")
    if info.verb == "create" and not info.subresource and not row.accepts_create:
        raise MethodNotAllowed("create not allowed while custom resource definition is terminating", {"kind": row.plural})
    handler: Handler | None
    if (row.group, row.plural, "") in SUBRESOURCES:  # a row without storage
        handler = SUBRESOURCES[(row.group, row.plural, "")] if info.verb in row.verbs else None
    elif not info.subresource:
        handler = VERBS.get(info.verb) if info.verb in row.verbs else None
    elif (row.group, row.plural, info.subresource) in SUBRESOURCES:
        found = SUBRESOURCES[(row.group, row.plural, info.subresource)]
        handler = found if info.method in METHODS[info.subresource] else None
    else:
        handler = GENERIC_SUBRESOURCES.get(info.subresource, {}).get(info.verb)
    generic = (row.group, row.plural, info.subresource) not in SUBRESOURCES
    if handler is None or _is_head_of_object(info, row):
        raise _not_allowed(info, row)
    if generic and row.view is not None:
        check_router_accepts(request)
    return handler


def _is_head_of_object(info: RequestInfo, row: Resource) -> bool:
    """HEAD is for custom resources, and for what is behind a proxy."""
    return info.method == "HEAD" and row.view is not None and info.subresource != "proxy"


def _addressed(info: RequestInfo, row: Resource) -> bool:
    """Whether the path has the parts that the verb needs."""
    if not info.subresource and info.verb in SELECTED:
        if row.namespaced and not info.namespace:
            return info.verb != "deletecollection"  # what is deleted is deleted in one namespace
        return row.namespaced or not info.namespace or row.plural == "namespaces"  # which are in themselves
    placed = bool(info.namespace) or not row.namespaced
    return placed and bool(info.name) == bool(info.subresource or info.verb in NAMED)


def _served(info: RequestInfo, row: Resource) -> bool:
    """Whether the path is one of the row's: an object is reached through its namespace, a collection across all of them too."""
    placed = bool(info.namespace) == row.namespaced or row.plural == "namespaces"  # which are in themselves
    if info.subresource:
        return placed and info.subresource in row.subresources
    if info.name and info.verb not in SELECTED:
        return placed and not NAMED.isdisjoint(row.verbs)
    return placed or (row.namespaced and "list" in row.verbs and (row.view is not None or info.verb in ("list", "watch")))


def _not_allowed(info: RequestInfo, row: Resource) -> MethodNotAllowed:
    if row.view is None:  # upstream serves custom resources by another handler, which words it in its own way
        return MethodNotAllowed(f'{info.verb} is not supported on resources of kind "{row.qualified}"', {"kind": row.plural})
    return no_method()
