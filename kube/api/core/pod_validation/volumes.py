"""Rules of a pod's volumes: one source each, and what is projected into files.

kubernetes pkg/apis/core/validation/validation.go (ValidateVolumes, validateVolumeSource, validateProjectionSources)
"""

from collections.abc import Iterable, Iterator
from typing import Any

from kube.api import names, quantity, storage_access
from kube.api.core.local_path import unreserved_path_errors
from kube.api.core.pod_validation.environment import IN_FILES, field_errors, resource_field_errors
from kube.api.core.volume_sources import EXTRA_PATHS, OF_POD, RULE_PATHS
from kube.api.metadata import annotation_errors, label_errors
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, unsupported
from kube.api.validation import complain, selector_errors
from kube.api.views import tree_of

ORDER = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs",
    "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume", "configMap",
    "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO",
    "csi", "ephemeral", "image",
)  # fmt: skip
MODE_RANGE = "must be a number between 0 and 0777 (octal), both inclusive"
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
TEN_MINUTES, LONGEST_TOKEN = 600, 1 << 32
ISCSI_LENGTH = 64
SAME_PATHS = "conflicting duplicate paths"


def volume_errors(volumes: Iterable[Any], path: str, pod_name: str, *, of_pod: bool) -> tuple[dict[str, Any], list[FieldError]]:
    """The volumes that are good, by name, and what is wrong with the others. `pod_name`: empty in templates."""
    good: dict[str, Any] = {}
    found: list[FieldError] = []
    made = {f"{pod_name}-{one.name}" for one in volumes if pod_name and one.ephemeral is not None}
    for index, volume in enumerate(volumes):
        at = f"{path}[{index}]"
        errors = list(_source(volume, at, pod_name, of_pod))
        errors += [required(f"{at}.name")] if not volume.name else complain(f"{at}.name", volume.name, names.label)
        if volume.name in good:
            errors.append(duplicate(f"{at}.name", volume.name))
        if not errors:
            good[volume.name] = volume
        found += errors
        claim = volume.persistentVolumeClaim
        if claim is not None and claim.claimName in made:
            text = "must not reference a PVC that gets created for an ephemeral volume"
            found.append(invalid(f"{at}.persistentVolumeClaim.claimName", claim.claimName, text))
    return good, found


def _source(volume: Any, path: str, pod_name: str, of_pod: bool) -> Iterator[FieldError]:
    sources = [name for name in ORDER if getattr(volume, name, None) is not None]
    if not sources:
        yield required(path, "must specify a volume type")
    for place, name in enumerate(sources):
        if place:
            yield forbidden(f"{path}.{EXTRA_PATHS.get(name, name)}", "may not specify more than 1 volume type")
        else:
            yield from _rule(name, getattr(volume, name), f"{path}.{RULE_PATHS.get(name, name)}", of_pod)
        if name == "iscsi" and volume.iscsi.initiatorName is not None and len(_portal(volume)) > ISCSI_LENGTH:
            text = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
            yield invalid(f"{path}.name", volume.name, f"{text}iscsi.initiatorName is specified.")
        if name == "ephemeral" and not place and pod_name and volume.name:
            claim = f"{pod_name}-{volume.name}"
            for complaint in names.subdomain(claim):
                yield invalid(f"{path}.name", volume.name, f'PVC name "{claim}": {complaint}')


def _portal(volume: Any) -> str:
    return f"{volume.name}:{volume.iscsi.targetPortal}"


def _rule(name: str, source: Any, path: str, of_pod: bool) -> Iterator[FieldError]:
    match name:
        case "emptyDir":
            if source.sizeLimit is not None and quantity.parse(source.sizeLimit) < 0:
                yield forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")
        case "secret" | "configMap":
            field = "secretName" if name == "secret" else "name"
            if not getattr(source, field):
                yield required(f"{path}.{field}")
            yield from _mode(source.defaultMode, f"{path}.defaultMode")
            for index, item in enumerate(source.items or ()):
                yield from _key_errors(item, f"{path}.items[{index}]")
        case "downwardAPI":
            yield from _mode(source.defaultMode, f"{path}.defaultMode")
            for item in source.items or ():
                yield from _downward_errors(item, path)
        case "projected":
            yield from _mode(source.defaultMode, f"{path}.defaultMode")
            yield from _projected(source, path)
        case "ephemeral":
            yield from _ephemeral(source, path)
        case "image":
            if of_pod and not source.reference:
                yield required(f"{path}.reference")
            if not source.pullPolicy:
                yield required(f"{path}.pullPolicy")
            elif source.pullPolicy not in PULL_POLICIES:
                yield unsupported(f"{path}.pullPolicy", source.pullPolicy, PULL_POLICIES)
        case _:
            yield from OF_POD[name](source, path)


def _mode(mode: int | None, path: str) -> Iterator[FieldError]:
    if mode is not None and not 0 <= mode <= 0o777:
        yield invalid(path, mode, MODE_RANGE)


def _key_errors(item: Any, path: str) -> Iterator[FieldError]:
    if not item.key:
        yield required(f"{path}.key")
    if not item.path:
        yield required(f"{path}.path")
    yield from unreserved_path_errors(item.path or "", f"{path}.path")
    yield from _mode(item.mode, f"{path}.mode")


def _downward_errors(item: Any, path: str) -> Iterator[FieldError]:
    """Upstream tells these without the index of the file."""
    if not item.path:
        yield required(f"{path}.path")
    yield from unreserved_path_errors(item.path or "", f"{path}.path")
    if item.fieldRef is not None:
        yield from field_errors(item.fieldRef, IN_FILES, f"{path}.fieldRef")
        if item.resourceFieldRef is not None:
            yield invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif item.resourceFieldRef is not None:
        yield from resource_field_errors(item.resourceFieldRef, f"{path}.resourceFieldRef", of_volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _mode(item.mode, f"{path}.mode")


def _ephemeral(source: Any, path: str) -> Iterator[FieldError]:
    template, at = source.volumeClaimTemplate, f"{path}.volumeClaimTemplate"
    if template is None:
        yield required(at)
        return
    metadata = template.metadata
    if metadata is not None:
        yield from annotation_errors(metadata.annotations, f"{at}.metadata.annotations")
        yield from label_errors(metadata.labels, f"{at}.metadata.labels")
        for field in tree_of(metadata):
            if field not in ("annotations", "labels"):
                told = {"uid": "uID"}.get(field, field)  # upstream tells Go's name with a small letter first
                yield forbidden(f"{at}.metadata.{told}", "cannot be set for an ephemeral volume")
    yield from storage_access.claim_spec_errors(template.spec, f"{at}.spec")


def _projected(projection: Any, path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, source in enumerate(projection.sources or ()):
        at = f"{path}.sources[{index}]"
        found = [name for name in _PROJECTIONS if getattr(source, name, None) is not None]
        for name in found:
            yield from _PROJECTIONS[name](getattr(source, name), f"{at}.{name}", path, seen)
        if len(found) > 1:
            yield forbidden(at, "may not specify more than 1 volume type per source")


def _keys(source: Any, at: str, path: str, seen: set[str]) -> Iterator[FieldError]:
    if not source.name:
        yield required(f"{at}.name")
    for index, item in enumerate(source.items or ()):
        yield from _key_errors(item, f"{at}.items[{index}]")
        yield from _once(item.path or "", source.name or "", path, seen)


def _fields(source: Any, at: str, path: str, seen: set[str]) -> Iterator[FieldError]:
    for item in source.items or ():
        yield from _downward_errors(item, at)
        yield from _once(item.path or "", item.path or "", path, seen)


def _once(file: str, shown: str, path: str, seen: set[str]) -> Iterator[FieldError]:
    if file in seen:
        yield invalid(path, shown, SAME_PATHS)
    if file:
        seen.add(file)


def _token(source: Any, at: str, path: str, seen: set[str]) -> Iterator[FieldError]:
    seconds = source.expirationSeconds or 0
    if seconds < TEN_MINUTES:
        yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds > LONGEST_TOKEN:
        yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
    if not source.path:
        yield required(f"{path}.path")
    else:
        yield from unreserved_path_errors(source.path, f"{path}.path")


def _bundle(source: Any, at: str, path: str, seen: set[str]) -> Iterator[FieldError]:
    if source.name is not None and source.signerName is not None:
        yield invalid(at, tree_of(source), "only one of name and signerName may be used")
    elif source.name is not None:
        if not source.name:
            yield required(f"{at}.name", "must be a valid object name")
        for complaint in names.subdomain(source.name.rpartition(":")[2]):
            yield invalid(f"{at}.name", source.name, f"not a valid clustertrustbundlename: {complaint}")
        if source.labelSelector is not None:
            text = "labelSelector must be unset if name is specified"
            yield invalid(f"{at}.labelSelector", tree_of(source.labelSelector), text)
    elif source.signerName is not None:
        if not source.signerName:
            yield required(f"{at}.signerName", "must be a valid signer name")
        yield from selector_errors(source.labelSelector, f"{at}.labelSelector")
    else:
        yield required(at, "either name or signerName must be specified")
    if not source.path:
        yield required(f"{at}.path")
    yield from unreserved_path_errors(source.path or "", f"{at}.path")
    yield from _once(source.path or "", source.path or "", path, seen)


_PROJECTIONS = {
    "secret": _keys, "configMap": _keys, "downwardAPI": _fields, "serviceAccountToken": _token, "clusterTrustBundle": _bundle,
}  # fmt: skip
