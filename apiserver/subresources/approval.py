"""certificatesigningrequests/approval: write the Approved and Denied conditions of a request, and nothing else.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
kubernetes pkg/registry/certificates/certificates/strategy.go (csrApprovalStrategy)
"""

from apiserver.context import Request, Response, Server
from apiserver.handlers import read
from apiserver.handlers.body import read_object
from apiserver.handlers.patch import patch_with
from apiserver.handlers.pipeline import Write, check_path, copy_tree
from apiserver.handlers.reply import reply
from apiserver.handlers.write import replaced, row_of
from kube.api.meta import Tree
from kube.api.views import timestamp

DECISIONS = ("Approved", "Denied")


async def approve(server: Server, request: Request) -> Response:
    """GET, PUT or PATCH."""
    row = row_of(request)
    if request.info.verb == "get":
        return await read.get(server, request)
    write = Write(server, request, row, "approval")
    now = timestamp(write.store.now())

    async def advance(new: Tree, old: Tree) -> Tree:
        return await write.part_updated(new, old, lambda new, old: decided(new, old, now), row.validate_status)

    if request.info.verb == "patch":
        return await patch_with(write, advance)
    given = await read_object(request, row)
    check_path(given, "", request.info.name)
    return reply(request, row, await replaced(write, lambda fresh: copy_tree(given), advance), 200)


def decided(new: Tree, old: Tree, now: str) -> Tree:
    """The old request with the new one's decisions; what a signer found out (Failed) stays. Pure."""
    kept = [one for one in _conditions(old) if one.get("type") not in DECISIONS]
    wanted = [
        {"lastUpdateTime": now, "lastTransitionTime": now, **{name: value for name, value in one.items() if value}}
        for one in _conditions(new)
        if one.get("type") in DECISIONS
    ]
    metadata = {**old["metadata"], **({"managedFields": fields} if (fields := new["metadata"].get("managedFields")) else {})}
    return {**old, "metadata": metadata, "status": {**(old.get("status") or {}), "conditions": [*wanted, *kept]}}


def _conditions(tree: Tree) -> list[Tree]:
    return (tree.get("status") or {}).get("conditions") or []
