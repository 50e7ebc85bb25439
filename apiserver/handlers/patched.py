"""Patched: what a patch's body asks for, and the object that it makes, checked as strictly as fieldValidation asks for.

    what is no patch                        400 `error decoding patch: ...`
    does not fit the object                 422 `the server rejected our request due to an error in our request`
    makes what cannot be of its kind        422 ` "" is invalid: patch: Invalid value: "{...}": json: cannot unmarshal ...`
    unknown or duplicate fields, Strict     422 ` "" is invalid: patch: Invalid value: "{...}": strict decoding error: ...`

apiserver pkg/endpoints/handlers/patch.go
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from apiserver.context import Request
from apiserver.handlers import strictness
from apiserver.handlers.apply import GO_MAP
from apiserver.handlers.body import TYPE_META, length_of, of_another_kind, parse_json
from apiserver.handlers.conversion_words import conversion_words
from apiserver.handlers.pipeline import check_name
from apiserver.handlers.write_options import field_validation
from kube.api import schema
from kube.api.go_json import Malformed, shown
from kube.api.meta import Tree
from kube.api.patch import json_patch, merge, strategic
from kube.api.resource import Resource
from kube.api.status import BadRequest, Invalid, TooLarge, invalid, invalid_object

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
MAX_OPERATIONS = 10_000  # of a JSON patch
OPERATION = frozenset(("op", "path", "from", "value"))

Change = Callable[[Tree], Tree]


@dataclass(frozen=True)
class Patch:
    apply: Callable[[Tree], Any]
    odd: list[str]  # what is to be said of its own fields
    told: str = ""  # in a refusal; empty: the object that it makes

    @property
    def strategic(self) -> bool:
        return bool(self.told)


def read(request: Request, kind: str, data: bytes, row: Resource) -> Patch:
    """The patch in the body, for an object of the form `row`. Raises BadRequest and TooLarge."""
    try:
        patch, duplicates = parse_json(data)
        if kind == JSON:
            return _operations(patch, data)
        if not isinstance(patch, dict | None):
            raise Malformed(f"json: cannot unmarshal {schema.json_type(patch)} into Go value of type {GO_MAP}")
    except Malformed as error:
        raise BadRequest(str(error) if kind == STRATEGIC else f"error decoding patch: {error}") from None
    if kind == STRATEGIC:
        fields: Tree = patch or {}
        return Patch(lambda tree: strategic.apply(tree, fields, row), duplicates, shown(fields))
    if patch is None:
        raise BadRequest("Invalid JSON Patch")
    return Patch(lambda tree: merge.apply(tree, patch), duplicates)


def checked(request: Request, row: Resource, patch: Patch, tree: Tree) -> Tree:
    """The patched object; what it may not have is gone."""
    new = patch.apply(tree)
    if not isinstance(new, dict):
        why = f"json: cannot unmarshal {schema.json_type(new)} into Go value of type {TYPE_META}"
        raise _invalid(new, patch, f"couldn't get version/kind; json parse error: {why}")
    if not patch.strategic and (why := of_another_kind(new, row)):
        raise _invalid(new, patch, why)
    found = schema.problems(row, new, tree)
    if found.wrong_types:
        raise _invalid(patch.apply(tree), patch, found.wrong_types[0])
    check_name(request, new)
    unknown = found.unknown if row.view is None else sorted(found.unknown)
    texts = patch.odd + strictness.unknown_fields(unknown)
    validation = field_validation(request)
    if texts and validation == "Strict":
        raise _invalid(patch.apply(tree), patch, f"strict decoding error: {', '.join(texts)}")
    for text in texts if validation == "Warn" else ():
        request.warn(text)
    return new


def _operations(patch: Any, data: bytes) -> Patch:
    if not isinstance(patch, list | None):
        raise Malformed(f"json: cannot unmarshal {schema.json_type(patch)} into Go value of type []handlers.jsonPatchOp")
    operations = [one if one is not None else {} for one in patch or []]
    for one in operations:
        if not isinstance(one, dict):
            raise Malformed(f"json: cannot unmarshal {schema.json_type(one)} into Go value of type handlers.jsonPatchOp")
    if len(operations) > MAX_OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise TooLarge(f"Request entity too large: {text}")
    odd = [f"json patch {text}" for text in strictness.in_document_order(data, set(_unknown(operations)))]
    return Patch(lambda tree: _bounded(json_patch.apply(tree, operations)), [text for text in odd if ".value" not in text])


def _bounded(tree: Any) -> Any:
    """Operations may put an object into itself. A merge is as deep as the object or the patch, neither of which is too deep."""
    length_of(tree)
    return tree


def _unknown(operations: list[Tree]) -> Iterator[str]:
    for place, one in enumerate(operations):
        yield from (f"[{place}].{name}" for name in one.keys() - OPERATION)


def _invalid(made: Any, patch: Patch, why: str) -> Invalid:
    told = patch.told or orjson.dumps(made).decode()
    return invalid_object("", "", "", [invalid("patch", told, conversion_words(why) if patch.strategic else why)])
