"""Metadata rules of every kind: names, labels, annotations, owners, finalizers, managed fields.

apimachinery pkg/api/validation/objectmeta.go, pkg/apis/meta/v1/validation
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from kube.api import names
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, go_quoted, invalid, required, too_long

ANNOTATIONS_BYTES = 256 << 10  # all of them together
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
MANAGER_LENGTH, SUBRESOURCE_LENGTH = 128, 256
# Groups whose kinds may have finalizers without a domain.
PLAIN_GROUPS = ("apiextensions.k8s.io", "apiregistration.k8s.io")


def metadata_errors(resource: Resource, new: Tree, old: Tree | None = None) -> list[FieldError]:
    """What is wrong with an object's metadata; `old` on an update: what was let in once is not refused later."""
    metadata, before = new.get("metadata") or {}, old["metadata"] if old is not None else {}
    errors = [*_unchanged(metadata, before)] if old is not None else []
    errors += _name(resource, metadata)
    generation = metadata.get("generation")
    if generation is not None and generation < 0:
        errors.append(invalid("metadata.generation", generation, "must be greater than or equal to 0"))
    if (labels := metadata.get("labels")) and labels != before.get("labels"):
        errors += label_errors(labels, "metadata.labels")
    if (annotations := metadata.get("annotations")) and annotations != before.get("annotations"):
        errors += annotation_errors(annotations, "metadata.annotations")
    if owners := metadata.get("ownerReferences"):
        errors += _owners(owners)
    if finalizers := metadata.get("finalizers"):
        errors += _finalizers(finalizers, built_in=resource.view is not None and resource.group not in PLAIN_GROUPS)
    if entries := metadata.get("managedFields"):
        errors += _managed(entries, before.get("managedFields") or ())
    return errors


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


def finalizer_errors(finalizer: str, path: str) -> Iterator[FieldError]:
    """Of a finalizer that core's kinds take: with a domain, or one of Kubernetes' own."""
    for complaint in names.qualified(finalizer):
        yield invalid(path, finalizer, complaint)
    yield from _standard_finalizer(finalizer, path)


def _standard_finalizer(finalizer: str, path: str) -> Iterator[FieldError]:
    if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
        yield invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")


def _name(resource: Resource, metadata: Tree) -> Iterator[FieldError]:
    name, prefix = metadata.get("name") or "", metadata.get("generateName") or ""
    for complaint in name_complaints(resource, names.masked(prefix)) if prefix else ():
        yield invalid("metadata.generateName", prefix, complaint)
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
    """Upstream tells these without the index of the owner."""
    path = "metadata.ownerReferences"
    controller = ""
    for owner in owners:
        for field, text in (
            ("apiVersion", "version must not be empty"),
            *((one, "must not be empty") for one in ("kind", "name", "uid")),
        ):
            if not owner.get(field):
                yield invalid(f"{path}.{field}", owner.get(field) or "", text)
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            yield invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")
        if not owner.get("controller"):
            continue
        this = f"{owner.get('kind') or ''}/{owner.get('name') or ''}"
        if controller:
            text = f'Only one reference can have Controller set to true. Found "true" in references for {controller} and {this}'
            yield invalid(path, list(owners), text)
        else:
            controller = this


def _finalizers(finalizers: Iterable[str], *, built_in: bool) -> Iterator[FieldError]:
    path = "metadata.finalizers"
    for finalizer in finalizers:
        for complaint in names.qualified(finalizer):
            yield invalid(path, finalizer, complaint)
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        yield invalid(path, list(finalizers), "finalizer orphan and foregroundDeletion cannot be both set")
    for index, finalizer in enumerate(finalizers if built_in else ()):
        yield from _standard_finalizer(finalizer, f"{path}[{index}]")


def _managed(entries: Iterable[Tree], known: Collection[Tree]) -> Iterator[FieldError]:
    for index, entry in enumerate(entries):
        if entry in known:
            continue
        path = f"metadata.managedFields[{index}]"
        if entry.get("operation") not in ("Apply", "Update"):
            yield invalid(f"{path}.operation", entry.get("operation") or "", "must be `Apply` or `Update`")
        if entry.get("fieldsType") not in (None, "", "FieldsV1"):
            yield invalid(f"{path}.fieldsType", entry["fieldsType"], "must be `FieldsV1`")
        yield from manager_errors(entry.get("manager") or "", f"{path}.manager")
        if len(entry.get("subresource") or "") > SUBRESOURCE_LENGTH:
            yield too_long(f"{path}.subresource", SUBRESOURCE_LENGTH)


def manager_errors(manager: str, path: str) -> Iterator[FieldError]:
    """Of the name of a field manager."""
    if len(manager.encode()) > MANAGER_LENGTH:
        yield too_long(path, MANAGER_LENGTH)
    for index, character in enumerate("" if manager.isprintable() else manager):
        if not character.isprintable():
            yield invalid(path, manager, f"invalid character U+{ord(character):04X} (at position {index})")


def identity_errors(new: Tree, old: Tree) -> Iterator[FieldError]:
    """Of the metadata that a client sent on an update: what it may leave out, but not change."""
    if new.get("uid") and new["uid"] != old.get("uid"):
        yield invalid("metadata.uid", new["uid"], "field is immutable")
    when = new.get("deletionTimestamp")
    if when and not old.get("deletionTimestamp"):
        in_go = f"{when[:10]} {when[11:19]} +0000 UTC"
        yield FieldError("metadata.deletionTimestamp", "FieldValueInvalid", f"Invalid value: {in_go}: field is immutable")
    seconds = new.get("deletionGracePeriodSeconds")
    if seconds is not None and seconds != old.get("deletionGracePeriodSeconds"):
        yield invalid("metadata.deletionGracePeriodSeconds", seconds, "field is immutable")


def _unchanged(new: Tree, old: Tree) -> Iterator[FieldError]:
    """Nothing may give an object another identity; a deleted object gets no new finalizers."""
    added = sorted({*(new.get("finalizers") or ())} - {*(old.get("finalizers") or ())})
    if old.get("deletionTimestamp") and added:
        listed = ", ".join(map(go_quoted, added))
        yield forbidden(
            "metadata.finalizers",
            f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}",
        )
    for field in ("name", "namespace", "uid", "creationTimestamp"):
        if new.get(field) and old.get(field) and new[field] != old[field]:
            yield invalid(f"metadata.{field}", new[field], "field is immutable")
