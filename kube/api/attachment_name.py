"""Attachment name: what a VolumeAttachment is called, so that who attaches and the node that waits for it mean the same one.

kubernetes pkg/volume/csi/csi_attacher.go
"""

import hashlib


def attachment_name(handle: str, driver: str, node: str) -> str:
    return f"csi-{hashlib.sha256(f'{handle}{driver}{node}'.encode()).hexdigest()}"
