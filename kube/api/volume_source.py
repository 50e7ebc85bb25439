"""Defaults of volume sources, in pods and in PersistentVolumes alike.

kubernetes pkg/apis/core/v1/defaults.go and zz_generated.defaults.go
"""

from kube.api.meta import Tree

DEFAULTS: dict[str, Tree] = {
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "kind": "Shared", "readOnly": False},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"},
    "scaleIO": {"fsType": "xfs", "storageMode": "ThinProvisioned"},
}


def set_source_defaults(holder: Tree) -> None:
    """`holder` has at most one source."""
    for source, defaults in DEFAULTS.items():
        if isinstance(holder.get(source), dict):
            for field, value in defaults.items():
                holder[source].setdefault(field, value)
