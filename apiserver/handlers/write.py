"""Write: POST and PUT of whole objects.

https://kubernetes.io/docs/reference/using-api/api-concepts/#updates-to-existing-resources
apiserver pkg/endpoints/handlers/create.go, update.go
"""

from collections.abc import Awaitable, Callable

from apiserver.context import Request, Response, Server
from apiserver.handlers import write_options
from apiserver.handlers.body import read_object
from apiserver.handlers.negotiation import accepted
from apiserver.handlers.pipeline import Write, check_name, check_path, copy_tree
from apiserver.handlers.read import key_of
from apiserver.handlers.reply import reply
from apiserver.storage.entry import Entry
from apiserver.storage.store import Fresh, Store
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import AlreadyExists, NotFound

GENERATE_ATTEMPTS = 8  # upstream's maxNameGenerationCreateAttempts

Transform = Callable[[Fresh], Tree]  # from the object as it is to the object as the client wants it
Advance = Callable[[Tree, Tree], Awaitable[Tree]]  # (new, old) through the pipeline


async def create(server: Server, request: Request) -> Response:
    row = row_of(request)
    accepted(request)
    write_options.check(request)
    tree = await read_object(request, row)
    return reply(request, row, await stored_new(server, request, row, tree), 201)


async def update(server: Server, request: Request) -> Response:
    row = row_of(request)
    accepted(request)
    write_options.check(request)
    tree = await read_object(request, row)
    info = request.info
    check_name(request, tree)
    check_path(tree, info.namespace if row.namespaced else "", info.name)
    write = Write(server, request, row)
    try:
        stored = await replaced(write, lambda fresh: copy_tree(tree), write.updated)
    except NotFound:
        if uid := tree["metadata"].get("uid"):
            raise write.other_uid(uid, "") from None
        if not row.create_on_update:
            raise
        return reply(request, row, await stored_new(server, request, row, tree), 201)
    return reply(request, row, stored, 200)


async def stored_new(server: Server, request: Request, row: Resource, tree: Tree, applies: bool = False) -> Entry:
    """Create the object; a generated name that is taken is generated again."""
    generated = not (tree.get("metadata") or {}).get("name")
    for attempt in range(GENERATE_ATTEMPTS if generated else 1):
        write = Write(server, request, row, applies=applies)
        store = write.store
        try:
            return await _stored_once(write, store, copy_tree(tree) if generated else tree)
        except AlreadyExists as error:
            if not generated:
                raise
            if attempt == GENERATE_ATTEMPTS - 1:
                raise AlreadyExists(error.message, (error.details or {}) | {"retryAfterSeconds": 1}) from None
    raise AssertionError("the last attempt returns or raises")


async def _stored_once(write: Write, store: Store, tree: Tree) -> Entry:
    done = False
    try:
        stored = await store.add(await write.created(tree), write.dry_run)
        done = not write.dry_run
        return stored
    finally:
        await write.ended(done)


async def replaced(write: Write, transform: Transform, advance: Advance) -> Entry:
    """The object after `transform` and the pipeline; both run again on the newest object where somebody was faster."""
    done = False

    async def change(fresh: Fresh, old: Tree) -> Tree:
        return await advance(transform(fresh), old)

    try:
        stored = await write.store.replace(key_of(write.request.info), change, write.dry_run)
        done = not write.dry_run
        return stored
    finally:
        await write.ended(done)


def row_of(request: Request) -> Resource:
    row = request.info.resource
    assert row is not None, "dispatched by its row"
    return row
