"""PersistentVolumeClaimResize: a claim grows only where it is bound and its class lets volumes grow.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
kubernetes plugin/pkg/admission/storage/persistentvolume/resize
"""

from decimal import Decimal

from apiserver.context import AdmissionAttributes, Server
from kube.api import quantity
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import ApiError, is_forbidden
from kube.api.types import StorageClass

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


class PersistentVolumeClaimResize:
    name = "PersistentVolumeClaimResize"
    kinds = ("PersistentVolumeClaim",)

    async def validate(self, attributes: AdmissionAttributes, server: Server) -> None:
        new, old = attributes.object, attributes.old
        if attributes.resource.kind != "PersistentVolumeClaim" or attributes.subresource or new is None or old is None:
            return
        if _size(new) <= _size(old):
            return
        if (old.get("status") or {}).get("phase") != "Bound":
            raise _refused(attributes, "Only bound persistent volume claims can be expanded")
        name = (old["metadata"].get("annotations") or {}).get(CLASS_ANNOTATION) or old["spec"].get("storageClassName") or ""
        found = server.stores.store_for(resource_of(StorageClass)).cached(Key("", name)) if name else None
        if found is None or not found.get("allowVolumeExpansion"):
            text = (
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
            )
            raise _refused(attributes, text)


def _size(claim: Tree) -> Decimal:
    return quantity.parse(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage") or "0")


def _refused(attributes: AdmissionAttributes, why: str) -> ApiError:
    return is_forbidden(attributes.resource.plural, "", attributes.said_name, why)
