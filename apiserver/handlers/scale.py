"""Scale subresource: any kind with replicas, seen as one and the same autoscaling/v1 Scale.

https://kubernetes.io/docs/concepts/workloads/autoscaling/ · https://kubernetes.io/docs/reference/using-api/api-concepts/#subresources
"""

from typing import Any

from apiserver.context import Request, RequestInfo, Response, Server, json_response
from apiserver.handlers.body import read_object
from apiserver.handlers.negotiation import accepted
from apiserver.handlers.patch import patch_with
from apiserver.handlers.pipeline import Shown, Write, check_name, check_path
from apiserver.handlers.read import key_of
from apiserver.handlers.write import replaced, row_of
from apiserver.storage.store import Fresh
from kube.api.labels import Selector, from_label_selector, from_map
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import OBJECT_MODIFIED, InternalError, NotFound, conflict, invalid, invalid_object, not_found

SCALE = Resource("autoscaling", "v1", "Scale", "scales", has_generation=False)
WHERE_READ = {"deployments": "apps", "replicasets": "apps", "replicationcontrollers": "autoscaling"}  # the group named
COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def get(server: Server, request: Request) -> Response:
    accepted(request)
    row = row_of(request)
    try:
        tree = await server.stores.store_for(row).get(key_of(request.info))
    except NotFound:
        raise _missing(row, request.info) from None
    if row.served_form is not None and _at(tree, row.scale.spec_replicas) is None:
        raise InternalError(f'Internal error occurred: the spec replicas field ".{row.scale.spec_replicas}" does not exist')
    return json_response(scale_of(row, tree))


async def update(server: Server, request: Request) -> Response:
    row, info = row_of(request), request.info
    wanted = await read_object(request, SCALE)
    check_name(request, wanted)
    check_path(wanted, info.namespace if row.namespaced else "", info.name)
    write = Write(server, request, row, "scale", shown=shown(row))

    def transform(fresh: Fresh) -> Tree:
        tree, uid = fresh(), wanted["metadata"].get("uid")
        if uid and uid != tree["metadata"]["uid"]:
            raise write.other_uid(uid, tree["metadata"]["uid"])
        return scaled(row, tree, wanted)

    stored = await replaced(write, transform, write.updated)
    return json_response(scale_of(row, stored.tree()))


async def patch(server: Server, request: Request) -> Response:
    row = row_of(request)
    write = Write(server, request, row, "scale", shown=shown(row))

    def through_scale(current: Tree, change: Any) -> Tree:
        return scaled(row, current, change(scale_of(row, current)))

    return await patch_with(write, write.updated, SCALE, through_scale, lambda tree: scale_of(row, tree))


def _missing(row: Resource, info: RequestInfo) -> NotFound:
    """In upstream's words, which are not the same for all kinds (pkg/registry/{apps,core}/*/storage)."""
    if row.view is None or row.plural not in WHERE_READ:
        return not_found(row.plural, row.group, info.name)
    return not_found(f"{row.plural}/scale", WHERE_READ[row.plural], info.name)


def shown(row: Resource) -> Shown:
    """To admission, a write to /scale is one of a Scale."""
    return Shown(lambda tree: scale_of(row, tree), lambda tree, scale: scaled(row, tree, scale))


def scale_of(row: Resource, tree: Tree) -> Tree:
    """The object as a Scale."""
    metadata = {name: tree["metadata"][name] for name in COPIED if name in tree["metadata"]}
    status: Tree = {"replicas": _at(tree, row.scale.status_replicas) or 0}
    selector = _selector_text(_at(tree, row.scale.selector))
    if selector:
        status["selector"] = selector
    replicas = _at(tree, row.scale.spec_replicas)
    spec: Tree = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def scaled(row: Resource, tree: Tree, scale: Tree) -> Tree:
    """The object with the replicas of `scale`, which must not stem from another version of it."""
    name, version = tree["metadata"]["name"], scale["metadata"].get("resourceVersion")
    if version and version != tree["metadata"]["resourceVersion"]:
        raise conflict(row.plural, row.group, name, OBJECT_MODIFIED)
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if not isinstance(replicas, int) or replicas < 0:
        error = invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid_object("Scale", "autoscaling", name, [error])
    *path, last = row.scale.spec_replicas.split(".")
    place = tree
    for part in path:
        place = place.setdefault(part, {})
    place[last] = replicas
    return tree


def _at(tree: Any, path: str) -> Any:
    for part in path.lstrip(".").split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _selector_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    structured = "matchLabels" in value or "matchExpressions" in value
    selector: Selector = from_label_selector(value) if structured else from_map(value)
    return str(selector)
