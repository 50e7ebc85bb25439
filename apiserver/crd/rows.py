"""Rows: a CustomResourceDefinition as rows of the table of kinds, one for each served version. Pure.

The names are the accepted ones of the status: what the spec asks for may be taken.
apiextensions-apiserver pkg/apiserver/customresource_handler.go, pkg/registry/customresource/strategy.go
"""

from collections.abc import Callable
from typing import Any

from apiserver.crd.conversion import Call, Converter
from apiserver.crd.expressions import Rules
from apiserver.crd.forms import Form
from kube.api import schema
from kube.api.apiextensions import columns, embedded, lists, values
from kube.api.apiextensions.defaulting import fill_in
from kube.api.apiextensions.pruning import drop_nulls, prune
from kube.api.apiextensions.structural import Schema, shared
from kube.api.apiextensions.structure import structure_of
from kube.api.meta import Tree
from kube.api.resource import OWN_METADATA, Resource, Scale
from kube.api.status import FieldError, invalid

BLOCKING = ("FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid")
UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
)


def rows_of(definition: Tree, call: Call | None, *, creates: bool = True) -> list[Resource]:
    """The rows of a definition whose names are accepted. `call` reaches its conversion webhook; `creates`: new ones may come."""
    spec, group = definition["spec"], definition["spec"]["group"]
    schemas = {f"{group}/{one['name']}": shared(_raw_schema(one)) for one in spec["versions"]}
    stored = next(f"{group}/{one['name']}" for one in spec["versions"] if one["storage"])
    review_versions = ((spec.get("conversion") or {}).get("webhook") or {}).get("conversionReviewVersions") or ("v1",)
    converter = Converter(group, frozenset(schemas), call, tuple(review_versions))
    found = []
    for version in spec["versions"]:
        if not version["served"]:
            continue
        api_version = f"{group}/{version['name']}"
        form = Form(api_version, stored, schemas, converter)
        found.append(_row(definition, version, schemas[api_version], form, creates))
    return found


def _raw_schema(version: Tree) -> Tree:
    raw: Tree = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    return raw


def _row(definition: Tree, version: Tree, node: Schema, form: Form, creates: bool) -> Resource:
    spec, accepted = definition["spec"], definition["status"]["acceptedNames"]
    subresources = version.get("subresources") or {}
    has_status, scale = "status" in subresources, subresources.get("scale")
    check = _validation(node, scale)
    return Resource(
        group=spec["group"],
        version=version["name"],
        kind=accepted["kind"],
        plural=accepted["plural"],
        singular=accepted.get("singular") or "",
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(accepted.get("shortNames") or ()),
        categories=tuple(accepted.get("categories") or ()),
        subresources=tuple(name for name in ("status", "scale") if name in subresources),
        scale=_scale(scale) if scale else Scale(),
        set_defaults=_fitting(node),
        validate=check,
        validate_status=check,
        deprecation=_deprecation(spec["group"], version, accepted["kind"]),
        columns=columns.printed(version),
        field_selectors=columns.selectable(version),
        unconditional_update=False,
        generation_counts_status=not has_status,
        accepts_create=creates,
        status_keeps=OWN_METADATA,
        served_form=form,
        structure=structure_of(node),
        openapi_schema=node.raw,
        own_list_kind=accepted.get("listKind") or "",
        stored_version=form.stored_version.rpartition("/")[2],
        own_problems=_problems(node),
    )


def _deprecation(group: str, version: Tree, kind: str) -> str:
    if not version.get("deprecated"):
        return ""
    told: str = version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated"
    return told


def _scale(told: Tree) -> Scale:
    paths = (told.get(name) or "" for name in ("specReplicasPath", "statusReplicasPath", "labelSelectorPath"))
    return Scale(*(path.lstrip(".") for path in paths))


def _fitting(node: Schema) -> Callable[[Tree], None]:
    """Pruned again, since admission may have added what the schema does not know, and filled in."""

    def fit(tree: Tree) -> None:
        prune(tree, node)
        drop_nulls(tree, node)
        fill_in(tree, node)

    return fit


def _problems(node: Schema) -> Callable[[Tree], schema.Problems]:
    def problems(tree: Tree) -> schema.Problems:
        found = schema.Problems(prune(tree, node))
        drop_nulls(tree, node)
        inner = embedded.unknown_metadata(tree, node)
        return schema.Problems(found.unknown + inner.unknown, inner.wrong_types)

    return problems


def _validation(node: Schema, scale: Tree | None) -> Callable[[Tree, Tree | None], list[FieldError]]:
    rules = Rules(node)

    def validate(new: Tree, old: Tree | None) -> list[FieldError]:
        found = values.errors(node, new, values.ABSENT if old is None else old)
        if scale:
            found += _scale_errors(new, scale)
        found += embedded.errors(new, node)
        if old is None or not any(lists.duplicates(old, node)):
            found += lists.duplicates(new, node)
        if not rules:
            return found
        if any(error.cause in BLOCKING for error in found):
            return [*found, invalid(values.NOWHERE, "null", UNCHECKED)]
        return [*found, *rules.errors(new, old)]

    return validate


def _scale_errors(tree: Tree, scale: Tree) -> list[FieldError]:
    found = []
    for name in ("specReplicasPath", "statusReplicasPath"):
        value: Any = tree
        for part in scale[name].strip(".").split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, int) and value < 0:
            found.append(invalid(scale[name], value, "should be a non-negative integer"))
    return found
