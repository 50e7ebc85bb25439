"""Patch: PATCH in its four types. The patch is applied anew to the newest object for as long as others are faster, so a client
that names no resourceVersion never sees a conflict.

    application/json-patch+json              RFC 6902
    application/merge-patch+json             RFC 7386
    application/strategic-merge-patch+json   merge with list keys from the schema; not for custom resources
    application/apply-patch+yaml             server-side apply: creates what is not there

https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply · apiserver pkg/endpoints/handlers/patch.go
"""

from collections.abc import Callable

from apiserver.context import Request, Response, Server
from apiserver.handlers import apply
from apiserver.handlers.negotiation import accepted, content_type, unsupported
from apiserver.handlers.patched import JSON, MERGE, STRATEGIC, Change, checked, read
from apiserver.handlers.pipeline import Write
from apiserver.handlers.reply import reply, reply_with
from apiserver.handlers.write import Advance, replaced, row_of
from apiserver.handlers.write_options import APPLY
from apiserver.storage.entry import Entry
from apiserver.storage.store import Fresh
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import UnsupportedMediaType

Around = Callable[[Tree, Change], Tree]  # applies a change to another form of the object than its own


def _directly(tree: Tree, change: Change) -> Tree:
    return change(tree)


async def patch(server: Server, request: Request) -> Response:
    write = Write(server, request, row_of(request))
    return await patch_with(write, write.updated)


async def patch_with(
    write: Write, advance: Advance, form: Resource | None = None, around: Around = _directly, shown: Change | None = None
) -> Response:
    """Patch through the pipeline step `advance`. `form` and `around`: the patch is written for another form of the object
    (a Scale), and `shown` makes that form for the answer."""
    request, row = write.request, write.row
    accepted(request)
    kind = content_type(request)
    if kind == APPLY:
        stored, created = await apply.applied(write, advance, form, around)
        return _answer(write, stored, 201 if created else 200, form, shown)
    if kind not in _types(row):
        raise unsupported(_types(row)) if row.view is None else UnsupportedMediaType("415: Unsupported Media Type", {})
    wanted = read(request, kind, await request.body(), form or row)

    def transform(fresh: Fresh) -> Tree:
        return around(fresh(), lambda tree: checked(request, form or row, wanted, tree))

    return _answer(write, await replaced(write, transform, advance), 200, form, shown)


def _answer(write: Write, stored: Entry, status: int, form: Resource | None, shown: Change | None) -> Response:
    if form is None or shown is None:
        return reply(write.request, write.row, stored, status)
    return reply_with(write.request, form, shown(stored.tree()), status)


def _types(row: Resource) -> tuple[str, ...]:
    return (JSON, MERGE, APPLY) if row.view is None else (JSON, MERGE, STRATEGIC, APPLY)
