"""Patch: PATCH in its four types. The patch is applied anew to the newest object for as long as others are faster, so a client
that names no resourceVersion never sees a conflict.

    application/json-patch+json              RFC 6902
    application/merge-patch+json             RFC 7386
    application/strategic-merge-patch+json   merge with list keys from the schema; not for custom resources
    application/apply-patch+yaml             server-side apply: creates what is not there

https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply · apiserver pkg/endpoints/handlers/patch.go
"""

from collections.abc import Callable
from typing import Any

from apiserver.context import Request, Response, Server
from apiserver.handlers import apply
from apiserver.handlers.body import check_fields, length_of, parse_json
from apiserver.handlers.negotiation import accepted, content_type, unsupported
from apiserver.handlers.pipeline import Write
from apiserver.handlers.reply import reply
from apiserver.handlers.write import Advance, replaced, row_of
from kube.api.meta import Tree
from kube.api.patch import json_patch, merge, strategic
from kube.api.resource import Resource
from kube.api.status import BadRequest, TooLarge

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MAX_OPERATIONS = 10_000  # of a JSON patch

Change = Callable[[Tree], Tree]
Around = Callable[[Tree, Change], Tree]  # applies a change to another form of the object than its own


def _directly(tree: Tree, change: Change) -> Tree:
    return change(tree)


def _itself(tree: Tree) -> Tree:
    return tree


async def patch(server: Server, request: Request) -> Response:
    write = Write(server, request, row_of(request))
    return await patch_with(write, write.updated)


async def patch_with(
    write: Write, advance: Advance, form: Resource | None = None, around: Around = _directly, shown: Change = _itself
) -> Response:
    """Patch through the pipeline step `advance`. `form` and `around`: the patch is written for another form of the object
    (a Scale); `shown` makes that form for the answer."""
    request, row = write.request, write.row
    accepted(request)
    kind = content_type(request)
    if kind == APPLY:
        stored, created = await apply.applied(write, advance, form, around)
        return reply(request, form or row, shown(stored), 201 if created else 200)
    change = _change(kind, await request.body(), _types(row), form or row)

    def transform(current: Tree) -> Tree:
        return around(current, lambda tree: _checked(request, form or row, change(tree)))

    return reply(request, form or row, shown(await replaced(write, transform, advance)), 200)


def _change(kind: str, data: bytes, supported: tuple[str, ...], row: Resource) -> Change:
    """What the patch does to a tree of the form `row`."""
    if kind not in supported:
        raise unsupported(supported)
    patch: Any = parse_json(data)[0]
    if kind == JSON:
        if not isinstance(patch, list):
            raise BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        if len(patch) > MAX_OPERATIONS:
            text = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(patch)}"
            raise TooLarge(text)
        return lambda tree: json_patch.apply(tree, patch)
    if not isinstance(patch, dict):
        raise BadRequest("error decoding patch: the patch is no JSON object")
    if kind == MERGE:
        return lambda tree: merge.apply(tree, patch)
    return lambda tree: strategic.apply(tree, patch, row)


def _types(row: Resource) -> tuple[str, ...]:
    return (JSON, MERGE, APPLY) if row.view is None else (JSON, MERGE, STRATEGIC, APPLY)


def _checked(request: Request, row: Resource, tree: Any) -> Tree:
    if not isinstance(tree, dict) or not isinstance(tree.get("metadata"), dict):
        raise BadRequest(f"the patched object is no {row.kind}")
    length_of(tree)
    check_fields(request, row, tree, [])
    return tree
