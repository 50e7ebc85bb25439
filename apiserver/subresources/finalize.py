"""namespaces/finalize: the namespace controller says that a namespace is empty; the last word removes it.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/
"""

from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers import managed_fields
from apiserver.handlers.admit import admitted
from apiserver.handlers.body import read_object
from apiserver.handlers.pipeline import check_name, copy_tree, is_dry_run
from apiserver.storage.deletion import utc_now
from apiserver.storage.metadata import keep_old
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import OBJECT_MODIFIED, conflict
from kube.api.types import Namespace
from kube.api.views import timestamp


async def finalize(server: Server, request: Request) -> Response:
    """PUT a Namespace: of its spec only the finalizers count; metadata are taken as they are given."""
    row = resource_of(Namespace)
    given = await read_object(request, row)
    check_name(request, given)
    version = given["metadata"].get("resourceVersion")

    async def finalized(namespace: Tree) -> Tree:
        if version and version != namespace["metadata"]["resourceVersion"]:
            raise conflict("namespaces", "", request.info.name, OBJECT_MODIFIED)
        old = copy_tree(namespace)
        namespace["metadata"] = copy_tree(given)["metadata"]
        keep_old(namespace, old, row)
        who, now = managed_fields.manager_of(request), timestamp(utc_now())
        managed_fields.track(namespace, old, row, manager=who, subresource="finalize", now=now)
        row.set_defaults(namespace)
        finalizers = (given.get("spec") or {}).get("finalizers")
        namespace["spec"] = {**(namespace.get("spec") or {}), "finalizers": finalizers}
        if not finalizers:
            del namespace["spec"]["finalizers"]
        await admitted(server, request, "UPDATE", namespace, old, dry_run=is_dry_run(request))
        return namespace

    return json_response(await server.stores.store_for(row).update(Key("", request.info.name), finalized, is_dry_run(request)))
