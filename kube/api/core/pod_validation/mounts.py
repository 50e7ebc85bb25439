"""Rules of where a container mounts the pod's volumes, as directories or as block devices.

kubernetes pkg/apis/core/validation/validation.go (ValidateVolumeMounts, ValidateVolumeDevices)
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kube.api.core.local_path import descending_path_errors
from kube.api.status import FieldError, forbidden, invalid, missing, required, unsupported

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def mount_errors(container: Any, volumes: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """`volumes`: those of the pod that are good, by name; None for a claim that a controller adds."""
    devices = container.volumeDevices or ()
    device_names, device_paths = {one.name for one in devices}, {one.devicePath for one in devices}
    seen: set[str] = set()
    for index, mount in enumerate(container.volumeMounts or ()):
        at = f"{path}[{index}]"
        where = mount.mountPath or ""
        if not mount.name:
            yield required(f"{at}.name")
        if mount.name not in volumes:
            yield missing(f"{at}.name", mount.name or "")
        if not where:
            yield required(f"{at}.mountPath")
        if where in seen:
            yield invalid(f"{at}.mountPath", where, "must be unique")
        seen.add(where)
        if mount.name in device_names:
            yield invalid(f"{at}.name", mount.name, "must not already exist in volumeDevices")
        if where in device_paths:
            yield invalid(f"{at}.mountPath", where, "must not already exist as a path in volumeDevices")
        yield from _sub_paths(mount, at, path)
        yield from _modes(mount, container, path)


def _sub_paths(mount: Any, at: str, path: str) -> Iterator[FieldError]:
    """Upstream tells some of these without the index of the mount."""
    if mount.subPath:
        yield from descending_path_errors(mount.subPath, f"{path}.subPath")
    if mount.subPathExpr:
        if mount.subPath:
            text = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{at}.subPathExpr", mount.subPathExpr, text)
        yield from descending_path_errors(mount.subPathExpr, f"{path}.subPathExpr")


def _modes(mount: Any, container: Any, path: str) -> Iterator[FieldError]:
    propagation, recursive = mount.mountPropagation, mount.recursiveReadOnly
    if propagation is not None:
        if propagation not in PROPAGATIONS:
            yield unsupported(f"{path}.mountPropagation", propagation, PROPAGATIONS)
        if propagation == "Bidirectional" and not (container.securityContext and container.securityContext.privileged):
            text = "Bidirectional mount propagation is available only to privileged containers"
            yield forbidden(f"{path}.mountPropagation", text)
    if recursive in ("Enabled", "IfPossible"):
        if not mount.readOnly:
            yield forbidden(f"{path}.recursiveReadOnly", "may only be specified when readOnly is true")
        if propagation not in (None, "None"):
            text = "may only be specified when mountPropagation is None or not specified"
            yield forbidden(f"{path}.recursiveReadOnly", text)
    elif recursive not in (None, "Disabled"):
        yield unsupported(f"{path}.recursiveReadOnly", recursive, RECURSIVE)


def device_errors(container: Any, volumes: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    mounts = container.volumeMounts or ()
    mount_names, mount_paths = {one.name for one in mounts}, {one.mountPath for one in mounts}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for index, device in enumerate(container.volumeDevices or ()):
        at, name, where = f"{path}[{index}]", device.name or "", device.devicePath or ""
        yield from _device_name(name, volumes, seen_names, f"{at}.name")
        if not where:
            yield required(f"{at}.devicePath")
        if where in seen_paths:
            yield invalid(f"{at}.devicePath", where, "must be unique")
        if ".." in where.split("/"):
            yield invalid(f"{at}.devicePath", where, "can not contain backsteps ('..')")
        else:
            seen_paths.add(where)
        if name in mount_names:
            yield invalid(f"{at}.name", name, "must not already exist in volumeMounts")
        if where in mount_paths:
            yield invalid(f"{at}.devicePath", where, "must not already exist as a path in volumeMounts")
        if name:
            seen_names.add(name)


def _device_name(name: str, volumes: Mapping[str, Any], seen: Iterable[str], path: str) -> Iterator[FieldError]:
    if not name:
        yield required(path)
    if name in seen:
        yield invalid(path, name, "must be unique")
    if name not in volumes:
        yield missing(path, name)
        return
    volume = volumes[name]
    if volume is not None and volume.persistentVolumeClaim is None and volume.ephemeral is None:
        text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        yield invalid(path, name, text)
