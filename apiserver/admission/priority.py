"""Priority: a pod's priority class becomes a number, which the pod cannot choose itself.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from apiserver.context import AdmissionAttributes, Server
from apiserver.storage.store import Store
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.scheduling.priorityclass import SYSTEM
from kube.api.status import NotFound, is_forbidden
from kube.api.types import PriorityClass

DEFAULT_POLICY = "PreemptLowerPriority"


def _keep_systems(attributes: AdmissionAttributes) -> None:
    """The system's own classes stay, save where a whole collection goes (kubernetes pkg/registry/scheduling/priorityclass)."""
    if attributes.name in SYSTEM and attributes.request.info.verb == "delete":
        why = "this is a system priority class and cannot be deleted"
        raise is_forbidden("priorityclasses", "scheduling.k8s.io", attributes.name, why)


class Priority:
    name = "Priority"
    kinds = ("Pod", "PriorityClass")

    def __init__(self) -> None:
        self._looked: tuple[Store, int] | None = None
        self._found: Tree | None = None

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if attributes.resource.kind == "PriorityClass" and attributes.operation == "DELETE":
            _keep_systems(attributes)
        if attributes.resource.kind != "Pod" or attributes.subresource or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if attributes.operation == "UPDATE":
            _keep(attributes)
            return
        pod = attributes.object
        assert pod is not None, "a create has an object"
        spec = pod["spec"]
        chosen = await self._chosen(attributes, spec.get("priorityClassName") or "", server)
        value = chosen["value"] if chosen else 0
        policy = (chosen or {}).get("preemptionPolicy") or DEFAULT_POLICY
        if chosen:
            spec["priorityClassName"] = chosen["metadata"]["name"]
        if spec.get("priority") not in (None, value):
            why = (
                f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission "
                f"controller computed {value} from the given PriorityClass name"
            )
            raise is_forbidden("pods", "", attributes.said_name, why)
        if spec.get("preemptionPolicy") not in (None, policy):
            why = (
                f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; priority "
                f"admission controller computed {policy} from the given PriorityClass name"
            )
            raise is_forbidden("pods", "", attributes.said_name, why)
        spec["priority"], spec["preemptionPolicy"] = value, policy

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        """There is one default class at most."""
        new = attributes.object
        if attributes.resource.kind != "PriorityClass" or new is None or not new.get("globalDefault"):
            return
        for one in server.stores.store_for(resource_of(PriorityClass)).cached_list():
            name = one["metadata"]["name"]
            if one.get("globalDefault") and name != attributes.name:
                why = f"PriorityClass {name} is already marked as default. Only one default can exist"
                raise is_forbidden("priorityclasses", "scheduling.k8s.io", attributes.said_name, why)

    def _default(self, store: Store, judged: int) -> Tree | None:
        """Looked for again where something changed of what requests are judged by (storage/abreast.py)."""
        if (store, judged) != self._looked:
            self._looked = (store, judged)
            self._found = next((one for one in store.cached_list() if one.get("globalDefault")), None)
        return self._found

    async def _chosen(self, attributes: AdmissionAttributes, name: str, server: Server) -> Tree | None:
        store = server.stores.store_for(resource_of(PriorityClass))
        if not name:
            return self._default(store, server.stores.feed.judged)
        try:
            return store.cached(Key("", name)) or await store.get(Key("", name))
        except NotFound:
            why = f"no PriorityClass with name {name} was found"
            raise is_forbidden("pods", "", attributes.said_name, why) from None


def _keep(attributes: AdmissionAttributes) -> None:
    """What was chosen once stays where an update leaves it out."""
    assert attributes.object is not None, "an update has both"
    assert attributes.old is not None, "an update has both"
    new, old = attributes.object["spec"], attributes.old["spec"]
    for field in ("priority", "preemptionPolicy"):
        if new.get(field) is None and old.get(field) is not None:
            new[field] = old[field]
