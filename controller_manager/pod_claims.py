"""Pod claims: which PersistentVolumeClaims a pod uses.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes
"""

from collections.abc import Iterable

from kube.api.meta import Key
from kube.api.types import Pod


def claims_of(pod: Pod) -> Iterable[Key]:
    """The claims that a pod names, also those made for it (generic ephemeral volumes)."""
    namespace = pod.metadata.namespace or ""
    for volume in pod.spec.volumes or ():
        if volume.persistentVolumeClaim is not None:
            yield Key(namespace, volume.persistentVolumeClaim.claimName)
        elif volume.ephemeral is not None:
            yield Key(namespace, f"{pod.metadata.name}-{volume.name}")
