"""certificatesigningrequests/approval: write the Approved and Denied conditions of a request, and nothing else.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers import read, status
from apiserver.handlers.body import read_object
from apiserver.handlers.pipeline import is_dry_run
from apiserver.handlers.write import row_of
from kube.api.meta import Key, Tree
from kube.api.views import timestamp


async def approve(server: Server, request: Request) -> Response:
    """GET, PUT or PATCH."""
    row = row_of(request)
    if request.info.verb == "get":
        return await read.get(server, request)
    if request.info.verb == "patch":
        return await status.patch(server, request)
    given = await read_object(request, row)
    store = server.stores.store_for(row)
    now = timestamp(store.now())

    async def approved(tree: Tree) -> Tree:
        conditions = (given.get("status") or {}).get("conditions") or []
        for condition in conditions:
            condition.setdefault("lastUpdateTime", now)
            condition.setdefault("lastTransitionTime", now)
        tree.setdefault("status", {})["conditions"] = conditions
        return tree

    return json_response(await store.update(Key("", request.info.name), approved, is_dry_run(request)))
