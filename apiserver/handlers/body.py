"""Body: from bytes to a tree, checked against the schema as strictly as fieldValidation asks for.

    Ignore   unknown and duplicate fields are dropped silently
    Warn     dropped, each with a Warning header (the default)
    Strict   400 `strict decoding error: unknown field "spec.x"`

A field of a wrong type is a 400 in every case, and so is a tree of more than MAX_DEPTH levels (our choice; upstream's decoder takes
10,000): what is refused here need not be feared by anything that walks trees.
https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
"""

import asyncio
import json
from typing import Any

import orjson

from apiserver import protobuf
from apiserver.context import Request
from apiserver.handlers import strictness, yaml_text
from apiserver.handlers.negotiation import content_type, unsupported
from apiserver.handlers.write_options import field_validation
from kube.api import go_json, schema
from kube.api.go_json import REPLACING, Malformed
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.resources import RESOURCES
from kube.api.status import BadRequest

MAX_DEPTH = yaml_text.MAX_DEPTH
SLOW_BYTES = 32 * 1024  # YAML of this length is read in a thread: it takes about a second per megabyte
API = "io.k8s.api."
SUMMARY_BYTES = 30  # of a body that cannot be read, in what is said of it
SCHEME = "pkg/api/legacyscheme/scheme.go:30"  # what upstream calls the table of its kinds
TYPE_META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
_ORJSON_DEPTH = 254  # what it writes


class _Undecoded(Exception):
    """The body is nothing that has a kind; why, in the words of who tried."""


async def read_object(request: Request, row: Resource) -> Tree:
    """The object in the body, of this row's kind."""
    try:
        tree, duplicates = await read_tree(request)
        tree = _object(tree)
    except (Malformed, _Undecoded) as error:
        raise _unrecognized(row.kind, error, await request.body()) from None
    for name, value in (("apiVersion", row.api_version), ("kind", row.kind)):
        if not tree.get(name):
            tree[name] = value
    if (tree["apiVersion"], tree["kind"]) != (row.api_version, row.kind):
        raise _wrong_kind(tree, row)
    check_fields(request, row, tree, duplicates)
    if not tree.get("metadata"):
        tree["metadata"] = {}
    return tree


async def read_of(request: Request, definition: str) -> Tree:
    """The body as a tree of a definition (`io.k8s.api.policy.v1.Eviction`), which its apiVersion and kind need not name."""
    kind = definition.rpartition(".")[2]
    try:
        tree = _object((await read_tree(request))[0])
    except (Malformed, _Undecoded) as error:
        if not definition.startswith(API):
            raise BadRequest(_undecoded(error)) from None
        raise _unrecognized(kind, error, await request.body()) from None
    _check_kind(tree, definition)
    wrong = schema.check(definition, tree).wrong_types
    if wrong:
        version = str(tree.get("apiVersion") or "v1").rpartition("/")[2]
        raise BadRequest(f'{kind} in version "{version}" cannot be handled as a {kind}: {wrong[0]}')
    return tree


def _check_kind(tree: Tree, definition: str) -> None:
    """What says of itself that it is another known kind is not read as this one."""
    group, kind, told = definition.split(".")[-3], definition.rpartition(".")[2], tree.get("kind") or ""
    if definition.startswith(API) and told not in ("", kind) and _is_known(str(tree.get("apiVersion")), told):
        version = str(tree["apiVersion"]).rpartition("/")[2]
        why = f"converting ({version}.{told}) to ({group}.{kind}): unknown conversion"
        raise BadRequest(f'{told} in version "{version}" cannot be handled as a {kind}: {why}')


async def read_tree(request: Request) -> tuple[Any, list[str]]:
    """Whatever is in the body, by its content type, and what is to be said of duplicate fields. Raises Malformed,
    _Undecoded and UnsupportedMediaType."""
    data, kind = await request.body(), content_type(request)
    if kind in ("", "application/json"):
        return parse_json(data)
    if kind == "application/yaml":
        try:
            return await parse_yaml(data)
        except yaml_text.Unreadable as error:
            raise _Undecoded(str(error)) from None
    if kind == protobuf.MEDIA_TYPE:
        try:
            tree = protobuf.decode(data)
        except protobuf.ProtobufError as error:
            raise _Undecoded(str(error)) from None
        length_of(tree)
        return tree, []
    raise unsupported()


def check_fields(request: Request, row: Resource, tree: Tree, duplicates: list[str]) -> None:
    """Unknown fields are removed from the tree; what is said of them depends on fieldValidation."""
    validation = field_validation(request)
    found = schema.problems(row, tree)
    refuse_wrong_types(row, found)
    if validation == "Ignore" or not (found.unknown or duplicates):
        return
    in_yaml = bool(duplicates) and duplicates[0].startswith("line ")
    if row.view is None:
        unknown = strictness.unknown_fields(found.unknown)
    elif duplicates and not in_yaml:
        duplicates, unknown = strictness.in_document_order(request.body_read, set(found.unknown)), []
    else:
        by_name = in_yaml or content_type(request) == "application/yaml"
        unknown = strictness.unknown_fields(sorted(found.unknown) if by_name else found.unknown)
    if validation == "Strict":
        prefix = f'{row.kind} in version "{row.version}" cannot be handled as a {row.kind}: strict decoding error: '
        texts = [strictness.in_go_yaml_words(duplicates), *unknown] if in_yaml else [*duplicates, *unknown]
        raise BadRequest(prefix + ", ".join(texts))
    for text in (*duplicates, *unknown):
        request.warn(text)


def refuse_wrong_types(row: Resource, found: schema.Problems) -> None:
    if found.wrong_types:
        raise BadRequest(f'{row.kind} in version "{row.version}" cannot be handled as a {row.kind}: {found.wrong_types[0]}')


def parse_json(data: bytes) -> tuple[Any, list[str]]:
    """The value, and what is to be said of fields that came twice (the last one counts). Raises Malformed."""
    tree = go_json.loads(data, MAX_DEPTH)
    if length_of(tree) == len(data.rstrip()) or json.dumps(tree).encode() == data:
        return tree, []  # written as compactly as we do, or as Python's clients do: nothing was dropped
    return tree, strictness.duplicates(data)


async def parse_yaml(data: bytes) -> tuple[Any, list[str]]:
    """Likewise. Raises yaml_text.Unreadable."""
    if len(data) < SLOW_BYTES:
        return yaml_text.parse(data)
    return await asyncio.to_thread(yaml_text.parse, data)


def length_of(tree: Any) -> int:
    """Bytes of the tree as JSON. Raises BadRequest where it is deeper than MAX_DEPTH."""
    margin = _ORJSON_DEPTH - MAX_DEPTH
    for _ in range(margin):
        tree = [tree]
    try:
        return len(orjson.dumps(tree)) - 2 * margin
    except orjson.JSONEncodeError:
        raise BadRequest("exceeded max depth") from None


def _object(tree: Any) -> Tree:
    """What was read, where it can be an object of a kind. Raises Malformed."""
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise Malformed(f"json: cannot unmarshal {schema.json_type(tree)} into Go value of type {TYPE_META}")
    for name in ("kind", "apiVersion"):
        if not isinstance(tree.get(name, ""), str | None):
            raise Malformed(f"json: cannot unmarshal {schema.json_type(tree[name])} into Go struct field .{name} of type string")
    return tree


def _unrecognized(kind: str, error: Malformed | _Undecoded, data: bytes) -> BadRequest:
    return BadRequest(f"the object provided is unrecognized (must be of type {kind}): {_undecoded(error)} ({_summary(data)})")


def _undecoded(error: Malformed | _Undecoded) -> str:
    return f"couldn't get version/kind; json parse error: {error}" if isinstance(error, Malformed) else str(error)


def _summary(data: bytes) -> str:
    """The beginning of a body."""
    if not data:
        return "<empty>"
    begin = data[:SUMMARY_BYTES]
    text = begin.decode("utf-8", REPLACING) if data.startswith(b"{") else begin.hex()
    return text + " ..." if len(data) > SUMMARY_BYTES else text


def _wrong_kind(tree: Tree, row: Resource) -> BadRequest:
    version, kind = tree["apiVersion"], tree["kind"]
    if _is_known(version, kind) and version != row.api_version:
        return BadRequest(f"the API version in the data ({version}) does not match the expected API version ({row.api_version})")
    why = of_another_kind(tree, row)
    return BadRequest(f'{kind} in version "{version.rpartition("/")[2]}" cannot be handled as a {row.kind}: {why}')


def of_another_kind(tree: Tree, row: Resource) -> str:
    """Why an object that says of what kind it is cannot be read as one of the row; empty: it can. Versions are left to others."""
    version, kind = tree.get("apiVersion") or row.api_version, tree.get("kind") or row.kind
    if (version, kind) == (row.api_version, row.kind):
        return ""
    if not _is_known(version, kind):
        return f'no kind "{kind}" is registered for version "{version}" in scheme "{SCHEME}"'
    group = row.group.partition(".")[0]
    return (
        f"converting ({version.rpartition('/')[2]}.{kind}) to ({group or 'core'}.{row.kind}): unknown conversion"
        if kind != row.kind
        else ""
    )


def _is_known(version: str, kind: str) -> bool:
    return any((one.api_version, one.kind) == (version, kind) for one in RESOURCES)
