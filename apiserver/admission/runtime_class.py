"""RuntimeClass: a pod of a runtime class has the class's overhead, and runs on the class's nodes.

https://kubernetes.io/docs/concepts/containers/runtime-class/ (KEP-585, KEP-688) · kubernetes plugin/pkg/admission/runtimeclass
"""

from apiserver.context import AdmissionAttributes, Server
from kube.api import quantity
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import ApiError, NotFound, is_forbidden
from kube.api.types import RuntimeClass


class RuntimeClassAdmission:
    name = "RuntimeClass"
    kinds = ("Pod",)

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if not _is_new_pod(attributes):
            return
        found = await _class_of(attributes, server)
        pod = attributes.object
        if found is None or pod is None:
            return
        why = schedule(pod["spec"], found) or overhead(pod["spec"], found)
        if why:
            raise _refused(attributes, why)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        """Also after other plugins: no overhead but the class's."""
        if not _is_new_pod(attributes) or attributes.object is None:
            return
        spec = attributes.object["spec"]
        found = await _class_of(attributes, server)
        wanted = ((found or {}).get("overhead") or {}).get("podFixed")
        if spec.get("overhead") and not wanted:
            raise _refused(attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
        if wanted and not _same(spec.get("overhead"), wanted):
            raise _refused(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")


def schedule(spec: Tree, runtime_class: Tree) -> str:
    """Add the class's node selector and tolerations to a pod; the reason where they are at odds."""
    scheduling = runtime_class.get("scheduling") or {}
    wanted = scheduling.get("nodeSelector") or {}
    have = spec.get("nodeSelector") or {}
    for key, value in wanted.items():
        if have.get(key, value) != value:
            return f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {have[key]}"
    if wanted:
        spec["nodeSelector"] = {**have, **wanted}
    tolerations = spec.get("tolerations") or []
    more = [one for one in scheduling.get("tolerations") or () if one not in tolerations]
    if more:
        spec["tolerations"] = [*tolerations, *more]
    return ""


def overhead(spec: Tree, runtime_class: Tree) -> str:
    """Give a pod the class's overhead; the reason where it says another one itself."""
    wanted = (runtime_class.get("overhead") or {}).get("podFixed")
    if not wanted:
        return ""
    if spec.get("overhead") and not _same(spec["overhead"], wanted):
        return "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
    spec["overhead"] = dict(wanted)
    return ""


def _same(one: Tree | None, other: Tree) -> bool:
    amounts = [{name: quantity.parse(amount) for name, amount in (each or {}).items()} for each in (one, other)]
    return amounts[0] == amounts[1]


def _is_new_pod(attributes: AdmissionAttributes) -> bool:
    return attributes.resource.kind == "Pod" and attributes.operation == "CREATE" and not attributes.subresource


async def _class_of(attributes: AdmissionAttributes, server: Server) -> Tree | None:
    assert attributes.object is not None, "a create has an object"
    name = attributes.object["spec"].get("runtimeClassName")
    if not name:
        return None
    store = server.stores.store_for(resource_of(RuntimeClass))
    try:
        return store.cached(Key("", name)) or await store.get(Key("", name))
    except NotFound:
        raise _refused(attributes, f'pod rejected: RuntimeClass "{name}" not found') from None


def _refused(attributes: AdmissionAttributes, why: str) -> ApiError:
    return is_forbidden("pods", "", attributes.said_name, why)
