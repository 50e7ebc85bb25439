"""Volume types: the list of those that a pod may name.

Adding one is a module beside the others and a line here. PersistentVolumeClaims resolve to one of these (a later issue).
https://kubernetes.io/docs/concepts/storage/volumes/
"""

from kubelet.volumes import config_map, downward_api, empty_dir, host_path, projected, secret
from kubelet.volumes.volume import VolumeType

VOLUMES: tuple[VolumeType, ...] = (
    config_map.ConfigMapVolume(),
    downward_api.DownwardAPIVolume(),
    empty_dir.EmptyDirVolume(),
    host_path.HostPathVolume(),
    projected.ProjectedVolume(),
    secret.SecretVolume(),
)
