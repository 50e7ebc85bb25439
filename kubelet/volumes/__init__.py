"""Volume types: the list of those that a pod may name.

Adding one is a module beside the others and a line here. A claim leads to a PersistentVolume, whose source is one of these, too.
https://kubernetes.io/docs/concepts/storage/volumes/
"""

from kubelet.csi.plugins import Plugins
from kubelet.volumes import config_map, csi, downward_api, empty_dir, host_path, image, local, nfs, projected, secret
from kubelet.volumes.volume import VolumeType


def volume_types(plugins: Plugins | None) -> tuple[VolumeType, ...]:
    """`plugins`: the node's storage drivers."""
    return (
        config_map.ConfigMapVolume(),
        csi.CSIVolume(plugins),
        downward_api.DownwardAPIVolume(),
        empty_dir.EmptyDirVolume(),
        host_path.HostPathVolume(),
        image.ImageVolume(),
        local.LocalVolume(),
        nfs.NFSVolume(),
        projected.ProjectedVolume(),
        secret.SecretVolume(),
    )


VOLUMES = volume_types(None)  # for what is asked of a type without a node around it
