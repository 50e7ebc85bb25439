"""Claims of stateful pods: made before their pod, kept when it goes, unless the set's policy says otherwise.

By persistentVolumeClaimRetentionPolicy a claim goes with the set (whenDeleted: Delete) or with a pod that scaling down takes away
(whenScaled: Delete): it then has that owner, and the garbage collector does the rest.
https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention (KEP-1847)
"""

from collections.abc import Callable, Sequence

from controller_manager.controllers.statefulset.identity import claim_name, claim_templates, claims_for, ordinal_of, ordinals
from kube.api.meta import Key, Tree, key_of, owner_reference
from kube.api.status import AlreadyExists, ApiError, Conflict, NotFound
from kube.api.types import PersistentVolumeClaim, Pod, StatefulSet
from kube.api.views import tree_of
from kube.client.cache import Cache
from kube.client.events import EventRecorder
from kube.client.rest import Client

Owner = StatefulSet | Pod


def keeper(sts: StatefulSet, pod: Pod, ordinal: int) -> Owner | None:
    """Whom the claims of a pod go with; None: they stay. Pure."""
    policy = sts.spec.persistentVolumeClaimRetentionPolicy
    if policy is None:
        return None
    if policy.whenScaled == "Delete" and ordinal not in ordinals(sts):
        return pod
    return sts if policy.whenDeleted == "Delete" else None


def owners(have: Sequence[Tree], ours: set[str], wanted: Tree | None) -> list[Tree] | None:
    """The owner references that a claim should have; None where nothing is to be changed. Pure.

    `ours` are the uids of the set and of the pod. A claim that somebody else controls is left to him.
    """
    others = [one for one in have if one["uid"] not in ours]
    mine = [one["uid"] for one in have if one["uid"] in ours]
    if wanted is None:
        return others if mine else None
    if mine == [wanted["uid"]] or any(one.get("controller") for one in others):
        return None
    return [*others, wanted]


class Claims:
    """Makes and keeps the claims of a controller's sets."""

    def __init__(self, client: Client, recorder: EventRecorder, cache: Callable[[], Cache[PersistentVolumeClaim]]) -> None:
        self._client = client
        self._recorder = recorder
        self._cache = cache

    async def ensure(self, sts: StatefulSet, ordinal: int) -> None:
        """The claims of a number are there. Raises Conflict while one is being deleted, and what the server refuses."""
        pod = f"{sts.metadata.name}-{ordinal}"
        for tree in claims_for(sts, ordinal):
            name = tree["metadata"]["name"]
            found = self._cache().get(Key(tree["metadata"]["namespace"], name))
            if found is not None:
                if found.metadata.deletionTimestamp is not None:
                    raise Conflict(f"pvc {name} is being deleted")
                continue
            what = f"create Claim {name} Pod {pod} in StatefulSet {sts.metadata.name}"
            try:
                await self._client.create(PersistentVolumeClaim, tree)
            except AlreadyExists:
                continue  # the cache is behind
            except ApiError as error:
                self._recorder.event(sts, "Warning", "FailedCreate", f"{what} failed error: {error}")
                raise
            self._recorder.event(sts, "Normal", "SuccessfulCreate", f"{what} success")

    async def keep(self, sts: StatefulSet, pods: Sequence[Pod]) -> None:
        """The claims of these pods go with whom the policy says."""
        for pod in pods:
            ordinal = ordinal_of(sts, pod.metadata.name)
            if ordinal is None:
                continue
            owner = keeper(sts, pod, ordinal)
            wanted = owner_reference(owner) if owner is not None else None
            for template in claim_templates(sts):
                claim = self._cache().get(Key(sts.metadata.namespace or "", claim_name(sts, template, ordinal)))
                if claim is not None:
                    await self._own(claim, owners(tree_of(claim.metadata.ownerReferences or []), _uids(sts, pod), wanted))

    def missing(self, sts: StatefulSet, ordinal: int) -> bool:
        names = (claim_name(sts, template, ordinal) for template in claim_templates(sts))
        return any(self._cache().get(Key(sts.metadata.namespace or "", name)) is None for name in names)

    async def _own(self, claim: PersistentVolumeClaim, references: list[Tree] | None) -> None:
        if references is None:
            return
        metadata: Tree = {"ownerReferences": references or None, "uid": claim.metadata.uid}
        metadata["resourceVersion"] = claim.metadata.resourceVersion
        try:
            await self._client.patch(PersistentVolumeClaim, key_of(claim), {"metadata": metadata})
        except NotFound:
            return


def _uids(sts: StatefulSet, pod: Pod) -> set[str]:
    return {str(sts.metadata.uid), str(pod.metadata.uid)}
