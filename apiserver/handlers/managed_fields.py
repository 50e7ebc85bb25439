"""Managed fields: who set what, kept with every write. The bookkeeping itself is kube.api.patch.apply's.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from apiserver import empty_objects
from apiserver.context import Request
from kube.api.meta import Tree
from kube.api.patch import apply
from kube.api.resource import Resource
from kube.api.status import BadRequest

MAX_NAME = 128


def manager_of(request: Request) -> str:
    """Who writes: the request's fieldManager, or the name of the client program."""
    return request.info.param("fieldManager") or request.headers.get("user-agent", "unknown").partition("/")[0][:MAX_NAME]


def track(new: Tree, old: Tree | None, row: Resource, *, manager: str, subresource: str, now: str) -> None:
    """Write into `new` that this manager set what differs from `old`. What is too odd for that is validation's to refuse."""
    try:
        apply.track(new, old, row, manager=manager, subresource=subresource, now=now, empty=empty_objects.empty(row))
    except BadRequest:
        new["metadata"].pop("managedFields", None)
