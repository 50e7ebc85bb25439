"""CSI request: what a driver is asked with: how the volume is used, where it goes, and what the driver learns of its pod. Pure.

https://kubernetes-csi.github.io/docs/csi-driver-object.html · https://github.com/container-storage-interface/spec
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kube.api.types import CSIDriver, PersistentVolume, Pod
from kube.api.views import timestamp
from kubelet.csi import messages
from kubelet.csi.plugins import Driver
from kubelet.csi.record import Record
from kubelet.volumes.volume import Token, VolumeContext, fs_group

POD_INFO = "csi.storage.k8s.io/"
TOKENS = POD_INFO + "serviceAccount.tokens"


def is_device(persistent: PersistentVolume | None) -> bool:
    return persistent is not None and persistent.spec.volumeMode == "Block"


def staging(root: Path, record: Record) -> Path:
    """Where the node has the volume once."""
    plugin = root / "plugins" / "kubernetes.io" / "csi"
    if record.device:
        return plugin / "volumeDevices" / "staging" / record.volume
    return plugin / record.driver / hashlib.sha256(record.handle.encode()).hexdigest() / "globalmount"


def target(root: Path, place: Path, record: Record) -> Path:
    """Where a pod has it. `place` is `<root>/pods/<uid>/volumes/<plugin>/<name>`."""
    if record.device:
        return root / "plugins" / "kubernetes.io" / "csi" / "volumeDevices" / "publish" / record.volume / place.parents[2].name
    return place / "mount"


def capability(source: Any, context: VolumeContext, driver: Driver) -> dict[str, Any]:
    """What the volume is used as."""
    spec = context.persistent.spec if context.persistent is not None else None
    fine = messages.SINGLE_NODE_MULTI_WRITER in driver.capabilities
    modes = messages.FINE_ACCESS_MODES if fine else messages.ACCESS_MODES
    mode = messages.SINGLE_NODE_WRITER
    if spec is not None and spec.accessModes:
        mode = modes.get(spec.accessModes[0], mode)
    if is_device(context.persistent):
        return {"block": {}, "access_mode": {"mode": mode}}
    mount: dict[str, Any] = {"fs_type": source.fsType or ""}
    group = fs_group(context.pod)
    if group is not None and messages.VOLUME_MOUNT_GROUP in driver.capabilities:
        mount["volume_mount_group"] = str(group)
    if spec is not None:
        mount["mount_flags"] = spec.mountOptions or []
    return {"mount": mount, "access_mode": {"mode": mode}}


def refusal(told: CSIDriver | None, name: str, *, inline: bool) -> str:
    """Why the driver does not take such a volume; empty where it does. Without a CSIDriver a driver takes claims' volumes."""
    mode = "Ephemeral" if inline else "Persistent"
    if told is None:
        return f'volume mode "{mode}" not supported by driver {name} (no CSIDriver object)' if inline else ""
    modes = told.spec.volumeLifecycleModes or ["Persistent"]
    if mode in modes:
        return ""
    only = " ".join(f'"{one}"' for one in modes)
    return f'volume mode "{mode}" not supported by driver {name} (only supports [{only}])'


def wants_attaching(told: CSIDriver | None) -> bool:
    return told is None or told.spec.attachRequired is not False


def pod_info(told: CSIDriver | None, pod: Pod, *, inline: bool) -> Mapping[str, str]:
    """What a driver that asks for it (podInfoOnMount) learns of the pod."""
    if told is None or not told.spec.podInfoOnMount:
        return {}
    words = {
        "pod.name": pod.metadata.name,
        "pod.namespace": pod.metadata.namespace,
        "pod.uid": pod.metadata.uid,
        "serviceAccount.name": pod.spec.serviceAccountName or "",
        "ephemeral": "true" if inline else "false",
    }
    return {POD_INFO + name: value or "" for name, value in words.items()}


def tokens_told(told: CSIDriver | None, tokens: Iterable[tuple[str, Token]]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The tokens by audience, as a driver reads them: among the volume's attributes, or among the secrets, if it says so."""
    found = {audience: {"token": one.text, "expirationTimestamp": timestamp(one.expires_at)} for audience, one in tokens}
    if told is None or not found:
        return {}, {}
    words = {TOKENS: json.dumps(found)}
    return ({}, words) if told.spec.serviceAccountTokenInSecrets else (words, {})


def wants_group(told: CSIDriver | None, source: Any, context: VolumeContext) -> bool:
    """Whether the files are given to the pod's group, by the driver's fsGroupPolicy."""
    policy = (told.spec.fsGroupPolicy if told is not None else None) or "ReadWriteOnceWithFSType"
    if policy == "None" or source.readOnly or context.read_only:
        return False
    if policy == "File":
        return True
    if not source.fsType:
        return False
    modes = context.persistent.spec.accessModes if context.persistent is not None else ["ReadWriteOnce"]
    return any(one in ("ReadWriteOnce", "ReadWriteOncePod") for one in modes or ())


def inline_handle(pod: Pod, name: str) -> str:
    """The id of a volume that has none but its place in the pod."""
    return f"csi-{hashlib.sha256(f'{pod.metadata.uid}{name}'.encode()).hexdigest()}"
