"""StorageClass: how to make volumes on demand (storage.k8s.io/v1).

https://kubernetes.io/docs/concepts/storage/storage-classes/
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from kube.api import names, validation
from kube.api.columns import AGE, plain
from kube.api.meta import Tree
from kube.api.resource import Column, Resource
from kube.api.status import FieldError, duplicate, forbidden, invalid, required, too_long, unsupported
from kube.api.types import StorageClass, TopologySelectorTerm

DEFAULT_ANNOTATION = "storageclass.kubernetes.io/is-default-class"
BETA_DEFAULT_ANNOTATION = "storageclass.beta.kubernetes.io/is-default-class"
POLICIES = ("Delete", "Retain")
MAX_PARAMETERS, PARAMETER_BYTES = 512, 256 * 1024
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")


def set_defaults(tree: Tree) -> None:
    tree.setdefault("reclaimPolicy", "Delete")
    tree.setdefault("volumeBindingMode", "Immediate")


def validate(new: StorageClass, old: StorageClass | None) -> Iterator[FieldError]:
    if not new.provisioner:
        yield required("provisioner")
    for complaint in names.qualified(new.provisioner.lower()) if new.provisioner else ():
        yield invalid("provisioner", new.provisioner, complaint)
    yield from _parameters(new.parameters or {})
    if new.reclaimPolicy and new.reclaimPolicy not in POLICIES:
        yield unsupported("reclaimPolicy", new.reclaimPolicy, POLICIES)
    if new.volumeBindingMode not in BINDING_MODES:
        yield unsupported("volumeBindingMode", new.volumeBindingMode, BINDING_MODES)
    yield from _topologies(new.allowedTopologies or ())
    if old is None:
        return
    if (new.parameters or {}) != (old.parameters or {}):
        yield forbidden("parameters", "updates to parameters are forbidden.")
    if new.provisioner != old.provisioner:
        yield forbidden("provisioner", "updates to provisioner are forbidden.")
    if new.reclaimPolicy != old.reclaimPolicy:
        yield forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden.")
    yield from validation.unchanged("volumeBindingMode", new.volumeBindingMode, old.volumeBindingMode)


def _parameters(parameters: dict[str, str]) -> Iterator[FieldError]:
    if len(parameters) > MAX_PARAMETERS:
        yield too_long("parameters", MAX_PARAMETERS)
        return
    if "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    if sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items()) > PARAMETER_BYTES:
        yield too_long("parameters", PARAMETER_BYTES)


def _topologies(terms: Sequence[TopologySelectorTerm]) -> Iterator[FieldError]:
    known: list[dict[str, set[str]]] = [{} for _ in terms]  # upstream holds an empty term for a double once for each term there is
    for index, term in enumerate(terms):
        path = f"allowedTopologies[{index}].matchLabelExpressions"
        found: dict[str, set[str]] = {}
        for place, one in enumerate(term.matchLabelExpressions or ()):
            at = f"{path}[{place}]"
            if not one.values:
                yield required(f"{at}.values")
            for position, value in enumerate(one.values or ()):
                if value in one.values[:position]:
                    yield duplicate(f"{at}.values[{position}]", value)
            yield from validation.complain(f"{at}.key", one.key or "", names.qualified)
            if one.key in found:
                yield duplicate(f"{at}.key", one.key)
            found[one.key] = set(one.values or ())
        yield from (duplicate(path, "") for one in known if one == found)
        known.append(found)


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
