"""Ephemeral volumes: the claim that a pod's `ephemeral` volume stands for is made, and goes with its pod.

The claim is `<pod>-<volume>`. One of that name that was made for another is never used: the pod waits, and an event says why.
https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes (KEP-1698)
kubernetes pkg/controller/volume/ephemeral
"""

from collections.abc import Iterator

from controller_manager.controller import Controller
from controller_manager.pod_state import active
from kube.api.meta import Key, Tree, controlled_by, owner_reference
from kube.api.status import AlreadyExists, Conflict
from kube.api.types import PersistentVolumeClaim, Pod
from kube.api.views import tree_of


class EphemeralVolumeController(Controller[Key]):
    name = "ephemeral-volume-controller"
    component = "ephemeral_volume"
    reconciles = Pod
    owns = (PersistentVolumeClaim,)
    expects = PersistentVolumeClaim

    async def reconcile(self, key: Key) -> None:
        pod = self.cache(Pod).get(key)
        if pod is None or not active(pod):
            return
        for volume, tree in claims_of(pod):
            found = self.cache(PersistentVolumeClaim).get(Key(key.namespace, tree["metadata"]["name"]))
            if found is None:
                try:
                    await self.client.create(PersistentVolumeClaim, tree)
                except AlreadyExists as error:  # the cache is behind, or somebody else has the name: the next look tells
                    raise Conflict(error.message) from error
                continue
            why = taken(pod, found)
            if why:
                self.recorder.event(pod, "Warning", "FailedBinding", f"ephemeral volume {volume}: {why}")
                raise Conflict(why)


def claims_of(pod: Pod) -> Iterator[tuple[str, Tree]]:
    """By volume, the claims that the pod's ephemeral volumes stand for. Pure."""
    for volume in pod.spec.volumes or ():
        if volume.ephemeral is None or volume.ephemeral.volumeClaimTemplate is None:
            continue
        template: Tree = tree_of(volume.ephemeral.volumeClaimTemplate)
        wanted = template.get("metadata") or {}
        metadata: Tree = {name: wanted[name] for name in ("labels", "annotations") if wanted.get(name)}
        metadata |= {"name": f"{pod.metadata.name}-{volume.name}", "namespace": pod.metadata.namespace}
        metadata["ownerReferences"] = [owner_reference(pod)]
        yield volume.name, {"metadata": metadata, "spec": template.get("spec") or {}}


def taken(pod: Pod, claim: PersistentVolumeClaim) -> str:
    """Why a claim of the right name is not the pod's; nothing, if it is. Pure."""
    if controlled_by(claim.metadata, pod.metadata.uid or ""):
        return ""
    (theirs, uid), (ours, pod_uid) = ((f"{one.namespace}/{one.name}", one.uid) for one in (claim.metadata, pod.metadata))
    return f'PVC "{theirs}" (UID "{uid}") was not created for pod "{ours}" (UID "{pod_uid}")'
