"""Version rules: what one version of a definition may say of its subresources, printed columns and selectable fields.

apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
"""

import re
from collections.abc import Iterator, Sequence

from kube.api.apiextensions.jsonpath import JsonPath, PathError
from kube.api.meta import Tree
from kube.api.status import FieldError, duplicate, invalid, required, too_many

COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = (
    "binary", "bit", "byte", "date", "date-time", "double", "float", "int32", "int64", "password",
)  # fmt: skip
MAX_SELECTABLE = 8
SELECTABLE_TYPES = ("boolean", "integer", "string")


def subresource_errors(subresources: Tree, path: str) -> Iterator[FieldError]:
    scale = subresources.get("scale")
    if scale is None:
        return
    for field, below in (("specReplicasPath", "spec"), ("statusReplicasPath", "status")):
        at, text = f"{path}.scale.{field}", scale.get(field) or ""
        if not text:
            yield required(at)
            continue
        found = list(_path_errors(text, at))
        yield from found
        if not found and not text.startswith(f".{below}."):
            yield invalid(at, text, f"should be a json path under .{below}")
    selector = scale.get("labelSelectorPath") or ""
    if selector:
        at = f"{path}.scale.labelSelectorPath"
        found = list(_path_errors(selector, at))
        yield from found
        if not found and not selector.startswith((".spec.", ".status.")):
            yield invalid(at, selector, "should be a json path under either .spec or .status")


def column_errors(column: Tree, path: str) -> Iterator[FieldError]:
    kind, form, where = column.get("type") or "", column.get("format") or "", column.get("jsonPath") or ""
    if not column.get("name"):
        yield required(f"{path}.name")
    if not kind:
        yield required(f"{path}.type", f"must be one of {','.join(COLUMN_TYPES)}")
    elif kind not in COLUMN_TYPES:
        yield invalid(f"{path}.type", kind, f"must be one of {','.join(COLUMN_TYPES)}")
    if form and form not in COLUMN_FORMATS:
        yield invalid(f"{path}.format", form, f"must be one of {','.join(COLUMN_FORMATS)}")
    if not where:
        yield required(f"{path}.jsonPath")
    else:
        yield from _path_errors(where, f"{path}.jsonPath")


def selectable_field_errors(fields: Sequence[Tree], schema: Tree, path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, one in enumerate(fields):
        at, where = f"{path}[{index}].jsonPath", one.get("jsonPath") or ""
        if not where:
            yield required(at)
            continue
        problem, kind = _leads_to(where, schema)
        if problem:
            yield invalid(at, where, f"is an invalid path: {problem}")
            continue
        if where.startswith(".metadata"):
            yield invalid(at, where, "must not point to fields in metadata")
        if kind not in SELECTABLE_TYPES:
            text = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
            )
            yield invalid(at, where, text)
        if where in seen:
            yield duplicate(at, where)
        seen.add(where)
    if len(seen) > MAX_SELECTABLE:
        yield too_many(path, len(seen), MAX_SELECTABLE)


def _leads_to(where: str, schema: Tree) -> tuple[str, str]:
    """Why a path leads nowhere, or the type of what it leads to."""
    if not where.startswith("."):
        return "expected [ or . but got: " + where, ""
    for name in re.findall(r"\.((?:[^.\[\\]|\\.)+)|(\[.*)", where):
        field = name[0].replace("\\", "")
        if not field:
            return "array notation is not allowed", ""
        properties = schema.get("properties") or {}
        if field not in properties:
            return f"does not refer to a valid field: {field}", ""
        schema = properties[field]
    return "", str(schema.get("type") or "")


def _path_errors(text: str, path: str) -> Iterator[FieldError]:
    if not text.startswith("."):
        yield invalid(path, text, "must be a simple json path starting with .")
        return
    try:
        JsonPath(text)
    except PathError as error:
        yield invalid(path, text, f"is not a json path: {error}")
