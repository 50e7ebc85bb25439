"""Status subresource: reads give the whole object, writes change nothing but its status (and metadata).

https://kubernetes.io/docs/reference/using-api/api-concepts/#subresources · API conventions, "Spec and Status"
"""

from apiserver.context import Request, Response, Server
from apiserver.handlers.body import read_object
from apiserver.handlers.patch import patch_with
from apiserver.handlers.pipeline import Write, check_name, check_path, copy_tree
from apiserver.handlers.reply import reply
from apiserver.handlers.write import replaced, row_of


async def update(server: Server, request: Request) -> Response:
    row, info = row_of(request), request.info
    tree = await read_object(request, row)
    check_name(request, tree)
    check_path(tree, info.namespace if row.namespaced else "", info.name)
    write = Write(server, request, row, "status")
    return reply(request, row, await replaced(write, lambda fresh: copy_tree(tree), write.status_updated), 200)


async def patch(server: Server, request: Request) -> Response:
    write = Write(server, request, row_of(request), "status")
    return await patch_with(write, write.status_updated)
