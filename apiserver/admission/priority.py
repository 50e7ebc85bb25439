"""Priority: a pod's priority class becomes a number, which the pod cannot choose itself.

https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from apiserver.context import AdmissionAttributes, Server
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import NotFound, is_forbidden
from kube.api.types import PriorityClass

DEFAULT_POLICY = "PreemptLowerPriority"


class Priority:
    name = "Priority"

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        if attributes.resource.kind != "Pod" or attributes.subresource or attributes.operation != "CREATE":
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
            raise is_forbidden("pods", "", attributes.name, why)
        spec["priority"] = value
        spec.setdefault("preemptionPolicy", policy)

    async def _chosen(self, attributes: AdmissionAttributes, name: str, server: Server) -> Tree | None:
        store = server.stores.store_for(resource_of(PriorityClass))
        if not name:
            return next((one for one in store.cached_list() if one.get("globalDefault")), None)
        try:
            return store.cached(Key("", name)) or await store.get(Key("", name))
        except NotFound:
            why = f"no PriorityClass with name {name} was found"
            raise is_forbidden("pods", "", attributes.name, why) from None
