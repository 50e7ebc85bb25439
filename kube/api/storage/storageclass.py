"""StorageClass: how to make volumes on demand (storage.k8s.io/v1).

https://kubernetes.io/docs/concepts/storage/storage-classes/
"""

from collections.abc import Iterator
from datetime import datetime

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, forbidden, invalid, unsupported
from kube.api.types import StorageClass

DEFAULT_ANNOTATION = "storageclass.kubernetes.io/is-default-class"
BETA_DEFAULT_ANNOTATION = "storageclass.beta.kubernetes.io/is-default-class"
POLICIES = ("Delete", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")


def set_defaults(tree: Tree) -> None:
    tree.setdefault("reclaimPolicy", "Delete")
    tree.setdefault("volumeBindingMode", "Immediate")


def validate(new: StorageClass, old: StorageClass | None) -> Iterator[FieldError]:
    yield from validation.named("provisioner", (new.provisioner or "").lower(), names.qualified)
    if new.reclaimPolicy not in POLICIES:
        yield unsupported("reclaimPolicy", new.reclaimPolicy, POLICIES)
    if new.volumeBindingMode not in BINDING_MODES:
        yield unsupported("volumeBindingMode", new.volumeBindingMode, BINDING_MODES)
    if "" in (new.parameters or {}):
        yield invalid("parameters", "", "field can not be empty.")
    if old is None:
        return
    if (new.parameters or {}) != (old.parameters or {}):
        yield forbidden("parameters", "updates to parameters are forbidden.")
    if new.provisioner != old.provisioner:
        yield forbidden("provisioner", "updates to provisioner are forbidden.")
    if new.reclaimPolicy != old.reclaimPolicy:
        yield forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden.")
    yield from validation.unchanged("volumeBindingMode", new.volumeBindingMode, old.volumeBindingMode)


def shown_name(storage_class: StorageClass, now: datetime) -> str:
    """The default class is marked."""
    annotations = storage_class.metadata.annotations or {}
    default = "true" in (annotations.get(DEFAULT_ANNOTATION), annotations.get(BETA_DEFAULT_ANNOTATION))
    return f"{storage_class.metadata.name}{' (default)' if default else ''}"


RESOURCE = Resource(
    view=StorageClass,
    group="storage.k8s.io",
    version="v1",
    kind="StorageClass",
    plural="storageclasses",
    namespaced=False,
    short_names=("sc",),
    has_generation=False,
    set_defaults=set_defaults,
    validate=validate,
    columns=(
        Column("Name", shown_name, format="name"),
        plain("Provisioner", lambda one: one.provisioner),
        plain("ReclaimPolicy", lambda one: one.reclaimPolicy or "Delete"),
        plain("VolumeBindingMode", lambda one: one.volumeBindingMode or "<unset>"),
        plain("AllowVolumeExpansion", lambda one: bool(one.allowVolumeExpansion)),
        AGE,
    ),
)
