"""Volume expansion: who asks for more room is told that somebody else has to make it: no volume here can grow by itself.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
kubernetes pkg/controller/volume/expand
"""

from controller_manager.controller import Controller
from kube.api import quantity
from kube.api import volume_matching as matching
from kube.api.meta import Key
from kube.api.types import PersistentVolumeClaim

NO_PLUGIN = (
    "Ignoring the PVC: didn't find a plugin capable of expanding the volume; "
    "waiting for an external controller to process this PVC."
)


class VolumeExpandController(Controller[Key]):
    name = "persistentvolume-expander-controller"
    component = "volume_expand"
    reconciles = PersistentVolumeClaim

    async def reconcile(self, key: Key) -> None:
        claim = self.cache(PersistentVolumeClaim).get(key)
        if claim is not None and wants_more(claim):
            self.recorder.event(claim, "Warning", "ExternalExpanding", NO_PLUGIN)


def wants_more(claim: PersistentVolumeClaim) -> bool:
    """Whether a bound claim asks for more than it has. Pure."""
    if claim.status is None or claim.status.phase != "Bound" or claim.metadata.deletionTimestamp is not None:
        return False
    return matching.requested(claim) > quantity.value((claim.status.capacity or {}).get("storage", "0"))
