"""Metadata rules of every kind: names, labels, annotations, owners, finalizers.

apimachinery pkg/api/validation/objectmeta.go
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kube.api import names
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, required, too_long

ANNOTATIONS_BYTES = 256 << 10  # all of them together


def metadata_errors(resource: Resource, new: Tree, old: Tree | None = None) -> Iterator[FieldError]:
    """What is wrong with an object's metadata; `old` on an update."""
    metadata = new.get("metadata") or {}
    yield from _name(resource, metadata)
    yield from label_errors(metadata.get("labels"), "metadata.labels")
    yield from annotation_errors(metadata.get("annotations"), "metadata.annotations")
    yield from _owners(metadata.get("ownerReferences") or ())
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        for complaint in names.qualified(finalizer):
            yield invalid(f"metadata.finalizers[{index}]", finalizer, complaint)
    if old is not None:
        yield from _unchanged(metadata, old["metadata"])


def label_errors(labels: Mapping[str, Any] | None, path: str) -> Iterator[FieldError]:
    for key, value in (labels or {}).items():
        for complaint in names.qualified(key):
            yield invalid(path, key, complaint)
        for complaint in names.label_value(value):
            yield invalid(path, value, complaint)


def annotation_errors(annotations: Mapping[str, Any] | None, path: str) -> Iterator[FieldError]:
    size = 0
    for key, value in (annotations or {}).items():
        for complaint in names.qualified(key.lower()):
            yield invalid(path, key, complaint)
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_BYTES:
        yield too_long(path, ANNOTATIONS_BYTES)


def name_complaints(resource: Resource, name: str) -> Iterable[str]:
    return (resource.validate_name or names.subdomain)(name)


def _name(resource: Resource, metadata: Tree) -> Iterator[FieldError]:
    name = metadata.get("name") or ""
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        for complaint in name_complaints(resource, name):
            yield invalid("metadata.name", name, complaint)
    namespace = metadata.get("namespace") or ""
    if resource.namespaced:
        if not namespace:
            yield required("metadata.namespace")
        else:
            for complaint in names.label(namespace):
                yield invalid("metadata.namespace", namespace, complaint)
    elif namespace:
        yield forbidden("metadata.namespace", "not allowed on this type")


def _owners(owners: Iterable[Tree]) -> Iterator[FieldError]:
    controllers = 0
    for index, owner in enumerate(owners):
        path = f"metadata.ownerReferences[{index}]"
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield invalid(f"{path}.{field}", owner.get(field) or "", f"{_words(field)} must not be empty")
        controllers += bool(owner.get("controller"))
    if controllers > 1:
        yield invalid(
            "metadata.ownerReferences",
            list(owners),
            "Only one reference can have Controller set to true",
        )


def _unchanged(new: Tree, old: Tree) -> Iterator[FieldError]:
    """Nothing may give an object another identity; a deleted object gets no new finalizers."""
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if new.get(field) and old.get(field) and new[field] != old[field]:
            yield invalid(f"metadata.{field}", new[field], "field is immutable")
    added = [one for one in new.get("finalizers") or () if one not in (old.get("finalizers") or ())]
    if old.get("deletionTimestamp") and added:
        listed = " ".join(f'"{one}"' for one in added)
        yield forbidden(
            "metadata.finalizers",
            f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}",
        )


def _words(field: str) -> str:
    return {"apiVersion": "version", "uid": "uid"}.get(field, field)
