"""Recycling: a released volume is emptied by a pod that mounts it, and is available again. Pure, but for reading a template.

The pod is upstream's, `recycler-for-<volume>` in the namespace default; its image is busybox, which needs no registry where a node
has it, or what the template of a flag says. It has a minute (a share five), and half a minute more for each GiB. The policy is
deprecated: a provisioner that deletes is better. https://kubernetes.io/docs/concepts/storage/persistent-volumes/#recycle
kubernetes pkg/volume/plugins.go NewPersistentVolumeRecyclerPodTemplate, pkg/volume/util/recyclerclient
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from controller_manager.config import Config
from kube.api import quantity
from kube.api.meta import Key, Tree
from kube.api.types import PersistentVolume, Pod
from kube.api.views import tree_of

NAMESPACE, PREFIX = "default", "recycler-for-"
LEAST_SECONDS = {"hostPath": 60, "nfs": 300}
SECONDS_A_GIB = 30
SCRUB = 'test -e /scrub && find /scrub -mindepth 1 -maxdepth 1 -exec rm -rf {} + && test -z "$(ls -A /scrub)" || exit 1'


@dataclass(frozen=True)
class Begin:
    """There is no such pod."""


@dataclass(frozen=True)
class Wait:
    """It works."""


@dataclass(frozen=True)
class Done:
    """The volume is empty."""

    uid: str  # of the pod


@dataclass(frozen=True)
class Failed:
    uid: str
    why: str


def pod_key(volume: PersistentVolume) -> Key:
    return Key(NAMESPACE, f"{PREFIX}{volume.metadata.name}")


def volumes_of(pod: Pod) -> Iterable[Key]:
    """What a pod empties, if it is one of those."""
    name = pod.metadata.name or ""
    return [Key("", name.removeprefix(PREFIX))] if pod.metadata.namespace == NAMESPACE and name.startswith(PREFIX) else []


def outcome(pod: Pod | None) -> Begin | Wait | Done | Failed:
    if pod is None:
        return Begin()
    if pod.metadata.deletionTimestamp is not None:
        return Wait()
    if pod.status.phase == "Succeeded":
        return Done(pod.metadata.uid or "")
    if pod.status.phase == "Failed":
        return Failed(pod.metadata.uid or "", pod.status.message or "pod failed, pod.Status.Message unknown")
    return Wait()


def template_of(volume: PersistentVolume, config: Config) -> Tree:
    """The pod before the volume is put into it."""
    nfs = volume.spec.nfs is not None
    path = config.pv_recycler_pod_template_filepath_nfs if nfs else config.pv_recycler_pod_template_filepath_hostpath
    if path is None:
        return {"spec": {"containers": [_container()], "volumes": [{"name": "vol"}]}}
    template: Tree = yaml.safe_load(path.read_text())
    return template


def _container() -> dict[str, Any]:
    return {
        "name": "pv-recycler",
        "image": "busybox",
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh"],
        "args": ["-c", SCRUB],
        "volumeMounts": [{"name": "vol", "mountPath": "/scrub"}],
    }


def pod_tree(volume: PersistentVolume, template: Tree) -> Tree:
    """The template's first volume becomes the one to empty."""
    kind = "nfs" if volume.spec.nfs is not None else "hostPath"
    source = {kind: tree_of(getattr(volume.spec, kind))}
    first, *others = template["spec"].get("volumes") or [{"name": "vol"}]
    gibibytes = quantity.value((volume.spec.capacity or {}).get("storage", "0")) >> 30
    spec = {
        "restartPolicy": "Never",
        **template["spec"],
        "activeDeadlineSeconds": LEAST_SECONDS[kind] + SECONDS_A_GIB * gibibytes,
        "volumes": [{"name": first["name"], **source}, *others],
    }
    metadata = {key: value for key, value in template.get("metadata", {}).items() if key in ("labels", "annotations")}
    return {"metadata": {**metadata, "name": pod_key(volume).name, "namespace": NAMESPACE}, "spec": spec}
