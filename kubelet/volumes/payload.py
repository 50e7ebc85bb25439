"""Payload: which files a config map, secret or the downward API puts into a volume. Pure.

What ConfigMap, Secret, DownwardAPI and Projected volumes need of one another's rules.
https://kubernetes.io/docs/concepts/storage/volumes/
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from kube.api.types import ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret
from kubelet.container_error import ConfigError
from kubelet.downward import PodFacts, field_value, resource_value
from kubelet.environment import Reference, content
from kubelet.volumes.atomic_writer import File
from kubelet.volumes.volume import VolumeError

DEFAULT_MODE = 0o644


WORDS = {"ConfigMap": "config", "Secret": "secret"}  # upstream's


def object_files(
    kind: Literal["ConfigMap", "Secret"],
    name: str,
    objects: Mapping[Reference, ConfigMap | Secret | None],
    items: Iterable[KeyToPath] | None,
    *,
    mode: int,
    optional: bool,
) -> dict[str, File]:
    """All keys, or those that `items` names, at their paths."""
    found = objects.get(Reference(kind, name))
    if found is None:
        if optional:
            return {}
        raise VolumeError(f'{kind.lower()} "{name}" not found')
    keys = content(found)
    if not items:
        return {key: File(value, mode) for key, value in keys.items()}
    files: dict[str, File] = {}
    for item in items:
        if item.key in keys:
            files[safe_path(item.path)] = File(keys[item.key], mode if item.mode is None else item.mode)
        elif not optional:
            raise VolumeError(f"references non-existent {WORDS[kind]} key: {item.key}")
    return files


def downward_files(pod: Pod, items: Iterable[DownwardAPIVolumeFile] | None, mode: int, facts: PodFacts) -> dict[str, File]:
    files: dict[str, File] = {}
    for item in items or ():
        try:
            if item.fieldRef is not None:
                text = field_value(pod, item.fieldRef.fieldPath, facts)
            else:
                text = resource_value(pod, item.resourceFieldRef, None, facts)
        except ConfigError as error:
            raise VolumeError(error.message) from error
        files[safe_path(item.path)] = File(text.encode(), mode if item.mode is None else item.mode)
    return files


def safe_path(path: str) -> str:
    """A path that stays below the volume's root. Raises VolumeError."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise VolumeError(f"invalid path, must be relative and not contain '..': {path}")
    return "/".join(part for part in parts if part not in ("", "."))
