"""Pod control: create pods from an owner's template and delete them, telling what was done on the owner's events.

https://github.com/kubernetes/kubernetes pkg/controller/controller_utils.go (RealPodControl)
"""

from collections.abc import Sequence
from typing import Any

from controller_manager.expectations import Expectations
from controller_manager.slow_start import slow_start
from kube.api.meta import Key, Tree, key_of, owner_reference
from kube.api.status import ApiError, NotFound
from kube.api.types import Pod
from kube.api.views import tree_of
from kube.client.events import EventRecorder
from kube.client.rest import Client, Unreachable

BURST = 500  # pods created or deleted in one go


def pod_from_template(owner: Any, template: Any, *, base: str = "") -> Tree:
    """A pod of the owner, by its template (a view). The server completes the name from `base`, or `<owner>-`."""
    tree: Tree = tree_of(template)
    wanted = tree.get("metadata") or {}
    metadata = {name: wanted[name] for name in ("labels", "annotations", "finalizers") if wanted.get(name)}
    metadata["generateName"] = base or f"{owner.metadata.name}-"
    metadata["namespace"] = owner.metadata.namespace
    metadata["ownerReferences"] = [owner_reference(owner)]
    return {"metadata": metadata, "spec": tree.get("spec") or {}}


class PodControl:
    """Of one controller; keeps its expectations."""

    def __init__(self, client: Client, recorder: EventRecorder, expectations: Expectations) -> None:
        self._client = client
        self._recorder = recorder
        self._expectations = expectations

    async def create(self, owner: Any, pods: Sequence[Tree]) -> ApiError | Unreachable | None:
        """Create in slow-start batches; the first failure, after which no more are tried."""
        uid = owner.metadata.uid
        wanted = pods[:BURST]
        self._expectations.expect_creations(uid, len(wanted))

        async def create(tree: Tree) -> None:
            try:
                made = await self._client.create(Pod, tree)
            except (ApiError, Unreachable) as error:
                if not namespace_terminating(error):
                    self._recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error}")
                raise
            self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")

        done, failure = await slow_start(wanted, create)
        for _ in range(len(wanted) - done):
            self._expectations.created(uid)
        return None if failure is not None and namespace_terminating(failure) else failure

    async def delete(self, owner: Any, pods: Sequence[Pod]) -> ApiError | Unreachable | None:
        """Delete all of them; the first failure."""
        owner_uid = owner.metadata.uid
        self._expectations.expect_deletions(owner_uid, (pod.metadata.uid for pod in pods))
        failure: ApiError | Unreachable | None = None
        for pod in pods:
            key: Key = key_of(pod)
            try:
                await self._client.delete(Pod, key, uid=pod.metadata.uid)
            except NotFound:
                self._expectations.deleted(owner_uid, pod.metadata.uid)
            except (ApiError, Unreachable) as error:
                self._expectations.deleted(owner_uid, pod.metadata.uid)
                self._recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error}")
                failure = failure or error
            else:
                self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {key.name}")
        return failure


def namespace_terminating(error: Exception) -> bool:
    """Whether nothing can be created because the namespace is going; then the failure is not worth a word."""
    causes = (error.details or {}).get("causes") or () if isinstance(error, ApiError) else ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
