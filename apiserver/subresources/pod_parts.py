"""pods/ephemeralcontainers and pods/resize: the two parts of a running pod's spec that have doors of their own.

ephemeralcontainers only ever adds; resize changes nothing but containers' resources.
https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/ · KEP-1287
"""

from collections.abc import Callable

from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers import read
from apiserver.handlers.body import parse_json, read_object
from apiserver.handlers.negotiation import content_type
from apiserver.handlers.pipeline import is_dry_run
from apiserver.handlers.write import row_of
from apiserver.storage.metadata import count_generation
from kube.api.meta import Key, Tree
from kube.api.patch import merge, strategic
from kube.api.resource import Resource
from kube.api.status import UnsupportedMediaType, forbidden, invalid_object

Change = Callable[[Tree, Tree], Tree]


async def ephemeral_containers(server: Server, request: Request) -> Response:
    return await _part(server, request, with_ephemeral_containers)


async def resize(server: Server, request: Request) -> Response:
    return await _part(server, request, with_resources)


def with_ephemeral_containers(old: Tree, new: Tree) -> Tree:
    """The pod with the wanted ephemeral containers. Raises Invalid where one is missing or changed. Pure."""
    before, wanted = old["spec"].get("ephemeralContainers") or [], new["spec"].get("ephemeralContainers") or []
    named = {one["name"]: one for one in wanted}
    for container in before:
        if named.get(container["name"]) != container:
            text = f'existing ephemeral containers "{container["name"]}" may not be changed or removed'
            raise invalid_object("Pod", "", old["metadata"]["name"], [forbidden("spec.ephemeralContainers", text)])
    return {**old, "spec": {**old["spec"], "ephemeralContainers": wanted}}


def with_resources(old: Tree, new: Tree) -> Tree:
    """The pod with the wanted resources of its containers, by name. Pure."""
    wanted = {one["name"]: one.get("resources") for one in new["spec"].get("containers") or ()}
    containers = [
        {**one, "resources": wanted[one["name"]]} if wanted.get(one["name"]) is not None else one
        for one in old["spec"]["containers"]
    ]
    return {**old, "spec": {**old["spec"], "containers": containers}}


async def _part(server: Server, request: Request, change: Change) -> Response:
    row = row_of(request)
    if request.info.verb == "get":
        return await read.get(server, request)
    if request.info.verb == "update":
        given = await read_object(request, row)
        wanted: Callable[[Tree], Tree] = lambda current: given  # noqa: E731 -- the other branch is one, too
    else:
        wanted = await _patched(request, row)

    async def changed(current: Tree) -> Tree:
        new = wanted(current)
        row.set_defaults(new)
        result = change(current, new)
        result["metadata"] = dict(result["metadata"])
        count_generation(result, current)
        return result

    key = Key(request.info.namespace, request.info.name)
    return json_response(await server.stores.store_for(row).update(key, changed, is_dry_run(request)))


async def _patched(request: Request, row: Resource) -> Callable[[Tree], Tree]:
    patch, _ = await read_tree_of_patch(request)
    if content_type(request) == "application/strategic-merge-patch+json":
        return lambda current: strategic.apply(current, patch, row)
    return lambda current: merge.apply(current, patch)


async def read_tree_of_patch(request: Request) -> tuple[Tree, str]:
    kind = content_type(request)
    if kind not in ("application/strategic-merge-patch+json", "application/merge-patch+json"):
        raise UnsupportedMediaType(f"the body of the request was in an unknown format - {kind}")
    return parse_json(await request.body())[0], kind
