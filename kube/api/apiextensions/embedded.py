"""Embedded resources: objects inside objects (x-kubernetes-embedded-resource), whose kind and metadata are checked as those of any.

apiextensions-apiserver pkg/apiserver/schema/objectmeta
"""

from collections.abc import Iterator
from typing import Any

from kube.api import names, schema
from kube.api.apiextensions.structural import Schema
from kube.api.meta import Tree
from kube.api.metadata import annotation_errors, label_errors
from kube.api.status import FieldError, invalid, required


def unknown_metadata(value: Any, node: Schema | None, path: str = "") -> schema.Problems:
    """Bring the metadata of every embedded resource into form, in place; what was unknown or of a wrong type."""
    found = schema.Problems()
    for at, resource in _resources(value, node, path):
        if isinstance(resource.get("metadata"), dict):
            one = schema.metadata_problems(resource["metadata"], [*at.split("."), "metadata"])
            found.unknown += one.unknown
            found.wrong_types += one.wrong_types
    return found


def errors(value: Any, node: Schema | None, path: str = "") -> Iterator[FieldError]:
    for at, resource in _resources(value, node, path):
        yield from _type_errors(resource, at)
        metadata = resource.get("metadata")
        if isinstance(metadata, dict):
            yield from _metadata_errors(metadata, f"{at}.metadata")


def _resources(value: Any, node: Schema | None, path: str) -> Iterator[tuple[str, Tree]]:
    """Every embedded resource, with its path."""
    if node is None or not node.below.embedded:
        return
    if isinstance(value, dict):
        if node.embedded:
            yield path, value
        for name, inner in value.items():
            yield from _resources(inner, node.of_key(name), f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _resources(item, node.items, f"{path}[{index}]")


def _type_errors(resource: Tree, path: str) -> Iterator[FieldError]:
    for field in ("apiVersion", "kind"):
        value = resource.get(field)
        if field not in resource:
            yield required(f"{path}.{field}", "must not be empty")
        elif not isinstance(value, str) or not value:
            yield invalid(f"{path}.{field}", value, "must not be empty")
        elif field == "apiVersion" and value.count("/") > 1:
            yield invalid(f"{path}.apiVersion", value, f"unexpected GroupVersion string: {value}")
        elif field == "kind":
            complaints = names.label1035(value.lower())
            if complaints:
                text = "may have mixed case, but should otherwise match: " + ",".join(complaints)
                yield invalid(f"{path}.kind", value, text)


def _metadata_errors(metadata: Tree, path: str) -> Iterator[FieldError]:
    if metadata.get("name"):
        for complaint in names.subdomain(metadata["name"]):
            yield invalid(f"{path}.name", metadata["name"], complaint)
    if metadata.get("namespace"):
        for complaint in names.label(metadata["namespace"]):
            yield invalid(f"{path}.namespace", metadata["namespace"], complaint)
    yield from label_errors(metadata.get("labels"), f"{path}.labels")
    yield from annotation_errors(metadata.get("annotations"), f"{path}.annotations")
