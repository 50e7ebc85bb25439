"""Managed fields: who set what, kept with every write. The bookkeeping itself is kube.api.patch.apply's.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from dataclasses import dataclass

from apiserver.context import Request
from apiserver.storage.deletion import utc_now
from kube.api.meta import Tree
from kube.api.patch import apply
from kube.api.resource import Resource
from kube.api.status import BadRequest
from kube.api.views import timestamp

MAX_NAME = 128


@dataclass(frozen=True)
class Manager:
    """Who writes: the request's fieldManager, or the name of the client program."""

    name: str

    @classmethod
    def of(cls, request: Request) -> "Manager":
        name = request.info.param("fieldManager")
        return cls(name or request.headers.get("user-agent", "unknown").split("/", 1)[0][:MAX_NAME])


def track(new: Tree, old: Tree | None, manager: Manager, row: Resource, subresource: str) -> None:
    """Write into `new` that this manager set what differs from `old`. What is too odd for that is validation's to refuse."""
    try:
        apply.track(new, old, row, manager=manager.name, subresource=subresource, now=timestamp(utc_now()))
    except BadRequest:
        new["metadata"].pop("managedFields", None)
