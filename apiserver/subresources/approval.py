"""certificatesigningrequests/approval: write the conditions of a request, Approved and Denied among them, and its metadata.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
kubernetes pkg/registry/certificates/certificates/strategy.go (csrApprovalStrategy)
"""

from apiserver.context import Request, Response, Server
from apiserver.handlers import read
from apiserver.handlers.body import read_object
from apiserver.handlers.patch import patch_with
from apiserver.handlers.pipeline import Write, check_name, check_path, copy_tree
from apiserver.handlers.reply import reply
from apiserver.handlers.write import replaced, row_of
from kube.api.certificates import conditions
from kube.api.meta import Tree
from kube.api.views import timestamp


async def approve(server: Server, request: Request) -> Response:
    """GET, PUT or PATCH."""
    row = row_of(request)
    if request.info.verb == "get":
        return await read.get(server, request)
    write = Write(server, request, row, "approval")
    now = timestamp(write.store.now())

    async def advance(new: Tree, old: Tree) -> Tree:
        return await write.part_updated(new, old, lambda new, old: decided(new, old, now), conditions.approval_errors)

    if request.info.verb == "patch":
        return await patch_with(write, advance)
    given = await read_object(request, row)
    check_name(request, given)
    check_path(given, "", request.info.name)
    return reply(request, row, await replaced(write, lambda fresh: copy_tree(given), advance), 200)


def decided(new: Tree, old: Tree, now: str) -> Tree:
    """The old request with the new one's metadata and conditions. Pure."""
    told = conditions.dated(conditions.of(new), conditions.of(old), now)
    return {**old, "metadata": new["metadata"], "status": {**(old.get("status") or {}), "conditions": told}}
