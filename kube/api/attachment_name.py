"""Attachment name: what an attached volume is called, so that who attaches and the node that waits for it mean the same one.

kubernetes pkg/volume/csi/csi_attacher.go, csi_plugin.go
"""

import hashlib


def attachment_name(handle: str, driver: str, node: str) -> str:
    """Of the VolumeAttachment."""
    return f"csi-{hashlib.sha256(f'{handle}{driver}{node}'.encode()).hexdigest()}"


def volume_name(driver: str, handle: str) -> str:
    """In a node's status: volumesInUse, volumesAttached."""
    return f"kubernetes.io/csi/{driver}^{handle}"
