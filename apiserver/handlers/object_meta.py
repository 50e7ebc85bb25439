"""ObjectMeta: the rules that the metadata of every kind keeps. Pure.

apimachinery pkg/api/validation/objectmeta.go · https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from collections.abc import Iterator

from kube.api import names
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import FieldError, forbidden, invalid, required, too_long

MAX_ANNOTATIONS_BYTES = 256 * 1024
DNS_LABEL_FIELD = "metadata.namespace"


def problems(tree: Tree, old: Tree | None, row: Resource) -> Iterator[FieldError]:
    """What is wrong with the metadata of a new object, or of an update of `old`."""
    metadata = tree["metadata"]
    yield from _names(metadata, row)
    yield from _labels(metadata.get("labels") or {})
    yield from _annotations(metadata.get("annotations") or {})
    yield from _owners(metadata.get("ownerReferences") or [])
    for finalizer in metadata.get("finalizers") or []:
        for complaint in names.qualified(finalizer):
            yield invalid("metadata.finalizers", finalizer, complaint)
    if old is not None:
        yield from _no_new_finalizers(metadata, old["metadata"])


def _names(metadata: Tree, row: Resource) -> Iterator[FieldError]:
    name, base = metadata.get("name"), metadata.get("generateName")
    check = row.validate_name or names.subdomain
    if base:
        for complaint in check(_masked(base)):
            yield invalid("metadata.generateName", base, complaint)
    if not name:
        yield required("metadata.name", "name or generateName is required")
        return
    for complaint in check(name):
        yield invalid("metadata.name", name, complaint)
    if row.namespaced:
        namespace = metadata.get("namespace")
        if not namespace:
            yield required(DNS_LABEL_FIELD)
            return
        for complaint in names.label(namespace):
            yield invalid(DNS_LABEL_FIELD, namespace, complaint)


def _masked(base: str) -> str:
    """A prefix may end in a dash, which the generated end covers."""
    return base[:-1] + "a" if len(base) > 1 and base.endswith("-") else base


def _labels(labels: dict[str, str]) -> Iterator[FieldError]:
    for key, value in labels.items():
        for complaint in names.qualified(key):
            yield invalid("metadata.labels", key, complaint)
        for complaint in names.label_value(value):
            yield invalid("metadata.labels", value, complaint)


def _annotations(annotations: dict[str, str]) -> Iterator[FieldError]:
    size = 0
    for key, value in annotations.items():
        size += len(key.encode()) + len(value.encode())
        for complaint in names.qualified(key.lower()):
            yield invalid("metadata.annotations", key, complaint)
    if size > MAX_ANNOTATIONS_BYTES:
        yield too_long("metadata.annotations", MAX_ANNOTATIONS_BYTES)


def _owners(owners: list[Tree]) -> Iterator[FieldError]:
    controller = ""
    for i, owner in enumerate(owners):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield invalid(f"metadata.ownerReferences[{i}].{field}", "", "must not be empty")
        if owner.get("controller"):
            if controller:
                text = (
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {owner.get("name")}'
                )
                yield invalid("metadata.ownerReferences", None, text)
            controller = f"{owner.get('name')}"


def _no_new_finalizers(metadata: Tree, before: Tree) -> Iterator[FieldError]:
    if not before.get("deletionTimestamp"):
        return
    added = [one for one in metadata.get("finalizers") or [] if one not in (before.get("finalizers") or [])]
    if added:
        listed = ", ".join(f'"{one}"' for one in added)
        text = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
        yield forbidden("metadata.finalizers", text)
