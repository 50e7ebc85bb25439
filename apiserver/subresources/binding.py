"""pods/binding: a pod gets its node, once.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/binding-v1/
"""

from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers.admit import admitted
from apiserver.handlers.body import read_of
from apiserver.handlers.pipeline import check_named, is_dry_run
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import BadRequest, Conflict, conflict, required, unsupported
from kube.api.types import Pod
from kube.api.views import timestamp


async def bind(server: Server, request: Request) -> Response:
    """POST a Binding to pods/<name>/binding (or, the old way, to bindings)."""
    binding = await read_of(request, "io.k8s.api.core.v1.Binding")
    if request.info.subresource:
        check_named(request, binding, "Binding")
    dry_run = is_dry_run(request)
    binding = await admitted(server, request, "CREATE", {"apiVersion": "v1", "kind": "Binding", **binding}, dry_run=dry_run)
    check_target(binding.get("target") or {})
    key = Key(request.info.namespace, request.info.name or (binding.get("metadata") or {}).get("name", ""))
    store = server.stores.store_for(resource_of(Pod))
    now = timestamp(store.now())

    async def assign(pod: Tree) -> Tree:
        return assigned(pod, binding, now)

    await store.update(key, assign, dry_run)
    return json_response({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def check_target(target: Tree) -> None:
    """A node, by its name. Upstream's code is 500, without a reason; what a client does wrong is a 400 here. Pure."""
    errors = []
    if target.get("kind") not in (None, "", "Node"):
        errors.append(unsupported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        errors.append(required("target.name"))
    if errors:
        texts = [*map(str, errors)]
        raise BadRequest(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")


def assigned(pod: Tree, binding: Tree, now: str) -> Tree:
    """The pod on its node. Raises Conflict where it has one, is going, or is another pod by now. Pure."""
    metadata, spec = pod["metadata"], pod["spec"]
    name, node = metadata["name"], binding["target"]["name"]
    wanted = (binding.get("metadata") or {}).get("uid")
    if wanted and wanted != metadata["uid"]:
        why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {metadata['uid']}"
        raise conflict("pods", "", name, why)
    if metadata.get("deletionTimestamp"):
        raise Conflict(f"pod {name} is being deleted, cannot be assigned to a host", {"name": name, "kind": "pods/binding"})
    if spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise conflict("pods/binding", "", name, why)
    if spec.get("schedulingGates"):
        raise Conflict(f"pod {name} has non-empty .spec.schedulingGates", {"name": name, "kind": "pods/binding"})
    spec["nodeName"] = node
    annotations = (binding.get("metadata") or {}).get("annotations")
    if annotations:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
    conditions = [one for one in pod.setdefault("status", {}).get("conditions") or () if one["type"] != "PodScheduled"]
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    if metadata.get("generation"):
        condition["observedGeneration"] = metadata["generation"]
    pod["status"]["conditions"] = [*conditions, condition]
    return pod
