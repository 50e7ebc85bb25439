"""StorageObjectInUseProtection: claims and volumes wait with their deletion for those who use them.

Each gets a finalizer when it is made; a controller takes it away once nothing uses the object.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
"""

from apiserver.context import AdmissionAttributes, Server

FINALIZERS = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
}


class StorageObjectInUseProtection:
    name = "StorageObjectInUseProtection"
    kinds = ("PersistentVolumeClaim", "PersistentVolume")

    async def mutate(self, attributes: AdmissionAttributes, server: Server) -> None:
        finalizer = FINALIZERS.get(attributes.resource.kind)
        if finalizer is None or attributes.operation != "CREATE" or attributes.subresource or attributes.object is None:
            return
        finalizers = attributes.object["metadata"].setdefault("finalizers", [])
        if finalizer not in finalizers:
            finalizers.append(finalizer)
