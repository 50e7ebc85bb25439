"""namespaces/finalize: the namespace controller says that a namespace is empty; the last word removes it.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/
"""

from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers.admit import admitted
from apiserver.handlers.body import read_object
from apiserver.handlers.pipeline import check_name, copy_tree, is_dry_run
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import OBJECT_MODIFIED, conflict
from kube.api.types import Namespace


async def finalize(server: Server, request: Request) -> Response:
    """PUT a Namespace: only spec.finalizers count."""
    row = resource_of(Namespace)
    given = await read_object(request, row)
    check_name(request, given)
    version = given["metadata"].get("resourceVersion")

    async def finalized(namespace: Tree) -> Tree:
        if version and version != namespace["metadata"]["resourceVersion"]:
            raise conflict("namespaces", "", request.info.name, OBJECT_MODIFIED)
        old = copy_tree(namespace)
        finalizers = (given.get("spec") or {}).get("finalizers")
        namespace["spec"] = {**(namespace.get("spec") or {}), "finalizers": finalizers}
        if not finalizers:
            del namespace["spec"]["finalizers"]
        await admitted(server, request, "UPDATE", namespace, old, dry_run=is_dry_run(request))
        return namespace

    return json_response(await server.stores.store_for(row).update(Key("", request.info.name), finalized, is_dry_run(request)))
