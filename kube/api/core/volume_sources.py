"""Volume sources: the rules of each kind of storage, for a pod's volumes and for PersistentVolumes.

A rule takes the source and its path. Where a pod may say less than a PersistentVolume, there are two.
kubernetes pkg/apis/core/validation/validation.go (validateVolumeSource, ValidatePersistentVolumeSpec)
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from kube.api import names
from kube.api.core.local_path import descending_path_errors, no_backsteps_errors
from kube.api.status import FieldError, invalid, required, too_long, unsupported
from kube.api.validation import complain, named

Rule = Callable[[Any, str], Iterator[FieldError]]

HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
DISK_KINDS, CACHING_MODES = ("Dedicated", "Managed", "Shared"), ("None", "ReadOnly", "ReadWrite")
MANAGED_DISK = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
BLOB_DISK = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
DRIVER_NAME_LENGTH = 63
_INITIATOR_FORMS = {
    "iqn": r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$",
    "eui": r"^eui.[A-Za-z0-9]{16}$",
    "naa": r"^naa.[A-Za-z0-9]{32}$",
}


def needs(*fields: str) -> Rule:
    """Fields that must be there."""

    def rule(source: Any, path: str) -> Iterator[FieldError]:
        for field in fields:
            if not getattr(source, field):
                yield required(f"{path}.{field}")

    return rule


def with_secret(rule: Rule, *, namespaced: bool = False) -> Rule:
    """A rule, and a secretRef that names its secret (a PersistentVolume's names its namespace, too)."""

    def both(source: Any, path: str) -> Iterator[FieldError]:
        yield from rule(source, path)
        for field in ("name", "namespace") if namespaced else ("name",):
            if source.secretRef is not None and not getattr(source.secretRef, field):
                yield required(f"{path}.secretRef.{field}")

    return both


def host_path(source: Any, path: str) -> Iterator[FieldError]:
    if not source.path:
        yield required(f"{path}.path")
        return
    yield from no_backsteps_errors(source.path, f"{path}.path")
    if source.type is not None and source.type not in HOST_PATH_TYPES:
        yield unsupported(f"{path}.type", source.type, HOST_PATH_TYPES)


def local(source: Any, path: str) -> Iterator[FieldError]:
    if not source.path:
        yield required(f"{path}.path")
        return
    yield from no_backsteps_errors(source.path, f"{path}.path")


def git_repo(source: Any, path: str) -> Iterator[FieldError]:
    if not source.repository:
        yield required(f"{path}.repository")
    yield from descending_path_errors(source.directory or "", f"{path}.directory")


def nfs(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("server", "path")(source, path)
    if not (source.path or "").startswith("/"):
        yield invalid(f"{path}.path", source.path or "", "must be an absolute path")


def gce_disk(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("pdName")(source, path)
    yield from _partition(source, path)


def aws_disk(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("volumeID")(source, path)
    yield from _partition(source, path)


def _partition(source: Any, path: str) -> Iterator[FieldError]:
    if not 0 <= (source.partition or 0) <= 255:
        yield invalid(f"{path}.partition", source.partition, "must be between 1 and 255, inclusive")


def iscsi(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("targetPortal")(source, path)
    if not source.iqn:
        yield required(f"{path}.iqn")
    elif complaint := _initiator_complaint(source.iqn, "must be valid format starting with iqn, eui, or naa"):
        yield invalid(f"{path}.iqn", source.iqn, complaint)
    yield from _lun(source.lun or 0, path)
    if (source.chapAuthDiscovery or source.chapAuthSession) and source.secretRef is None:
        yield required(f"{path}.secretRef")
    if source.initiatorName is not None:
        complaint = _initiator_complaint(source.initiatorName, "must be valid format starting with iqn, eui, or naa")
        if complaint:
            yield invalid(f"{path}.initiatorname", source.initiatorName, complaint)


def _initiator_complaint(name: str, unknown: str) -> str:
    form = _INITIATOR_FORMS.get(name[:3])
    if form is None:
        return unknown
    return "" if re.search(form, name) else "must be valid format"


def _lun(lun: int, path: str) -> Iterator[FieldError]:
    if not 0 <= lun <= 255:
        yield invalid(f"{path}.lun", lun, "must be between 0 and 255, inclusive")


def fibre_channel(source: Any, path: str) -> Iterator[FieldError]:
    if not source.targetWWNs and not source.wwids:
        yield required(f"{path}.targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if source.targetWWNs and source.wwids:
        text = "targetWWNs and wwids can not be specified simultaneously"
        yield invalid(f"{path}.targetWWNs", source.targetWWNs, text)
    if source.targetWWNs and source.lun is None:
        yield required(f"{path}.lun", "lun is required if targetWWNs is specified")
    elif source.targetWWNs:
        yield from _lun(source.lun, path)


def flocker(source: Any, path: str) -> Iterator[FieldError]:
    if not source.datasetName and not source.datasetUUID:
        yield required(path, "one of datasetName and datasetUUID is required")
    if source.datasetName and source.datasetUUID:
        yield invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in (source.datasetName or ""):
        yield invalid(f"{path}.datasetName", source.datasetName, "must not contain '/'")


def quobyte(source: Any, path: str) -> Iterator[FieldError]:
    pairs = "must be a host:port pair or multiple pairs separated by commas"
    if not source.registry:
        yield required(f"{path}.registry", pairs)
    elif len(source.tenant or "") >= 65:
        yield required(f"{path}.tenant", "must be a UUID and may not exceed a length of 64 characters")
    else:
        for pair in source.registry.split(","):
            if ":" not in pair:
                yield invalid(f"{path}.registry", source.registry, pairs)
    yield from needs("volume")(source, path)


def flex(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("driver")(source, path)
    for key in source.options or {}:
        domain = "." + key.partition("/")[0].lower()
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            yield invalid(f"{path}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved")


def azure_file_of_volume(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("secretName", "shareName")(source, path)
    if source.secretNamespace == "":
        yield required(f"{path}.secretNamespace")


def azure_disk(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("diskName", "diskURI")(source, path)
    if source.cachingMode is not None and source.cachingMode not in CACHING_MODES:
        yield unsupported(f"{path}.cachingMode", source.cachingMode, CACHING_MODES)
    if source.kind is None:
        return
    if source.kind not in DISK_KINDS:
        yield unsupported(f"{path}.kind", source.kind, DISK_KINDS)
    start, form = ("/subscriptions/", MANAGED_DISK) if source.kind == "Managed" else ("https://", BLOB_DISK)
    if not (source.diskURI or "").startswith(start):
        yield unsupported(f"{path}.diskURI", source.diskURI or "", (form,))


def storage_os(source: Any, path: str) -> Iterator[FieldError]:
    yield from named(f"{path}.volumeName", source.volumeName, names.label)
    if source.volumeNamespace:
        yield from complain(f"{path}.volumeNamespace", source.volumeNamespace, names.label)


def glusterfs_of_volume(source: Any, path: str) -> Iterator[FieldError]:
    yield from needs("endpoints", "path")(source, path)
    namespace = source.endpointsNamespace
    if namespace == "":
        text = "if the endpointnamespace is set, it must be a valid namespace name"
        yield invalid(f"{path}.endpointsNamespace", namespace, text)
    elif namespace is not None:
        yield from complain(f"{path}.endpointsNamespace", namespace, names.label)


def driver_name_errors(name: str | None, path: str) -> Iterator[FieldError]:
    """The name of a CSI driver."""
    if not name:
        yield required(path)
    if len(name or "") > DRIVER_NAME_LENGTH:
        yield too_long(path, DRIVER_NAME_LENGTH)
    for complaint in names.subdomain((name or "").lower()):
        yield invalid(path, name or "", complaint)


def csi(source: Any, path: str) -> Iterator[FieldError]:
    yield from driver_name_errors(source.driver, f"{path}.driver")
    reference = source.nodePublishSecretRef
    if reference is None:
        return
    if not reference.name:
        yield required(f"{path}.nodePublishSecretRef.name")
    else:
        yield from complain(f"{path}.name", reference.name, names.subdomain)


def csi_of_volume(source: Any, path: str) -> Iterator[FieldError]:
    yield from driver_name_errors(source.driver, f"{path}.driver")
    yield from needs("volumeHandle")(source, path)
    for step in ("controllerPublish", "controllerExpand", "nodePublish", "nodeExpand"):
        field = f"{step}SecretRef"
        reference = getattr(source, field)
        if reference is not None:
            yield from named(f"{path}.{field}.name", reference.name, names.subdomain)
            yield from named(f"{path}.{field}.namespace", reference.namespace, names.label)


# In upstream's order, which decides which of two is one too many.
OF_POD: dict[str, Rule] = {
    "hostPath": host_path,
    "gitRepo": git_repo,
    "gcePersistentDisk": gce_disk,
    "awsElasticBlockStore": aws_disk,
    "nfs": nfs,
    "iscsi": iscsi,
    "glusterfs": needs("endpoints", "path"),
    "flocker": flocker,
    "persistentVolumeClaim": needs("claimName"),
    "rbd": needs("monitors", "image"),
    "cinder": with_secret(needs("volumeID")),
    "cephfs": needs("monitors"),
    "quobyte": quobyte,
    "fc": fibre_channel,
    "flexVolume": flex,
    "azureFile": needs("secretName", "shareName"),
    "vsphereVolume": needs("volumePath"),
    "photonPersistentDisk": needs("pdID"),
    "portworxVolume": needs("volumeID"),
    "azureDisk": azure_disk,
    "storageos": with_secret(storage_os),
    "scaleIO": needs("gateway", "system", "volumeName"),
    "csi": csi,
}
OF_VOLUME: dict[str, Rule] = {
    "hostPath": host_path,
    "gcePersistentDisk": gce_disk,
    "awsElasticBlockStore": aws_disk,
    "glusterfs": glusterfs_of_volume,
    "flocker": flocker,
    "nfs": nfs,
    "rbd": needs("monitors", "image"),
    "quobyte": quobyte,
    "cephfs": needs("monitors"),
    "iscsi": with_secret(iscsi),
    "cinder": with_secret(needs("volumeID"), namespaced=True),
    "fc": fibre_channel,
    "flexVolume": flex,
    "azureFile": azure_file_of_volume,
    "vsphereVolume": needs("volumePath"),
    "photonPersistentDisk": needs("pdID"),
    "portworxVolume": needs("volumeID"),
    "azureDisk": azure_disk,
    "scaleIO": needs("gateway", "system", "volumeName"),
    "local": local,
    "storageos": with_secret(storage_os, namespaced=True),
    "csi": csi_of_volume,
}
# Paths that upstream spells otherwise than the field: of a source's errors, and of one source too many.
RULE_PATHS = {"gcePersistentDisk": "persistentDisk"}
EXTRA_PATHS = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
