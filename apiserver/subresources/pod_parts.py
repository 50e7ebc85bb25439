"""pods/ephemeralcontainers and pods/resize: reads give the whole pod, writes change nothing but that part of its spec.

https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/ · KEP-1287
"""

from typing import Any

from apiserver.context import Request, Response, Server
from apiserver.handlers import read
from apiserver.handlers.body import read_object
from apiserver.handlers.patch import patch_with
from apiserver.handlers.pipeline import Take, Write, check_name, check_path, copy_tree
from apiserver.handlers.reply import reply
from apiserver.handlers.write import replaced, row_of
from kube.api.core import pod_part
from kube.api.meta import Tree


async def ephemeral_containers(server: Server, request: Request) -> Response:
    return await _part(server, request, pod_part.with_ephemeral_containers, pod_part.ephemeral_errors)


async def resize(server: Server, request: Request) -> Response:
    return await _part(server, request, pod_part.with_resources, pod_part.resize_errors)


async def _part(server: Server, request: Request, take: Take, rules: Any) -> Response:
    row, info = row_of(request), request.info
    if info.verb == "get":
        return await read.get(server, request)
    write = Write(server, request, row, info.subresource)

    async def advance(new: Tree, old: Tree) -> Tree:
        row.set_defaults(new)
        return await write.part_updated(new, old, take, rules)

    if info.verb == "patch":
        return await patch_with(write, advance)
    given = await read_object(request, row)
    check_name(request, given)
    check_path(given, info.namespace, info.name)
    return reply(request, row, await replaced(write, lambda fresh: copy_tree(given), advance), 200)
