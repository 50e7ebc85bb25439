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
from apiserver.handlers import yaml_text
from apiserver.handlers.negotiation import content_type, unsupported
from apiserver.storage.listing import invalid_options
from kube.api import schema
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import BadRequest
from kube.api.status import unsupported as unsupported_value

VALIDATIONS = ("Ignore", "Strict", "Warn")
MAX_DEPTH = yaml_text.MAX_DEPTH
SLOW_BYTES = 32 * 1024  # YAML of this length is read in a thread: it takes about a second per megabyte
_ORJSON_DEPTH = 254  # what it writes


async def read_object(request: Request, row: Resource) -> Tree:
    """The object in the body, of this row's kind."""
    tree, duplicates = await read_tree(request)
    if not isinstance(tree, dict):
        raise BadRequest(f"couldn't get version/kind; json parse error: the body is no {row.kind} object")
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
    tree, _ = await read_tree(request)
    kind = definition.rpartition(".")[2]
    if not isinstance(tree, dict):
        raise BadRequest(f"couldn't get version/kind; json parse error: the body is no {kind} object")
    wrong = schema.check(definition, tree).wrong_types
    if wrong:
        raise BadRequest(f"{kind} cannot be handled as a {kind}: {wrong[0]}")
    return tree


async def read_tree(request: Request) -> tuple[Any, list[str]]:
    """Whatever is in the body, by its content type, and what is to be said of duplicate fields. Raises UnsupportedMediaType."""
    data, kind = await request.body(), content_type(request)
    if kind in ("", "application/json"):
        return parse_json(data)
    if kind == "application/yaml":
        return await parse_yaml(data)
    if kind == protobuf.MEDIA_TYPE:
        try:
            tree = protobuf.decode(data)
        except protobuf.ProtobufError as error:
            raise BadRequest(str(error)) from None
        length_of(tree)
        return tree, []
    raise unsupported()


def check_fields(request: Request, row: Resource, tree: Tree, duplicates: list[str]) -> None:
    """Unknown fields are removed from the tree; what is said of them depends on fieldValidation."""
    validation = field_validation(request)
    found = schema.problems(row, tree)
    refuse_wrong_types(row, found)
    unknown = [f'unknown field "{path}"' for path in found.unknown]
    if validation == "Warn":
        for text in (*unknown, *duplicates):
            request.warn(text)
    elif validation == "Strict" and (unknown or duplicates):
        prefix = f'{row.kind} in version "{row.version}" cannot be handled as a {row.kind}: strict decoding error: '
        in_yaml = duplicates and duplicates[0].startswith("line ")
        texts = [in_yaml_words(duplicates), *unknown] if in_yaml else [*unknown, *duplicates]
        raise BadRequest(prefix + ", ".join(texts))


def refuse_wrong_types(row: Resource, found: schema.Problems) -> None:
    if found.wrong_types:
        raise BadRequest(f'{row.kind} in version "{row.version}" cannot be handled as a {row.kind}: {found.wrong_types[0]}')


def in_yaml_words(duplicates: list[str]) -> str:
    """As go-yaml tells of all of them at once."""
    return "yaml: unmarshal errors:\n  " + "\n  ".join(duplicates)


def field_validation(request: Request) -> str:
    value = request.info.param("fieldValidation") or "Warn"
    if value not in VALIDATIONS:
        error = unsupported_value("fieldValidation", value, VALIDATIONS)
        raise invalid_options("CreateOptions", [error])
    return value


def parse_json(data: bytes) -> tuple[Any, list[str]]:
    """The value, and what is to be said of fields that came twice (the last one counts)."""
    try:
        tree = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"invalid character or end of JSON input: {error}") from None
    if length_of(tree) == len(data):
        return tree, []  # written as compactly as we do: nothing was dropped
    return tree, [f'duplicate field "{path}"' for path in _duplicates(data)]


async def parse_yaml(data: bytes) -> tuple[Any, list[str]]:
    """Likewise."""
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


def _duplicates(data: bytes) -> list[str]:
    """Go over the text with a parser that shows every pair."""
    nested: dict[int, list[str]] = {}  # duplicates below an object, by its identity

    def note(pairs: list[tuple[str, Any]]) -> Tree:
        tree: Tree = {}
        paths: list[str] = []
        for name, value in pairs:
            if name in tree:
                paths.append(name)
            tree[name] = value
            paths += [f"{name}.{path}" for path in nested.pop(id(value), ())]
            for i, item in enumerate(value if isinstance(value, list) else ()):
                paths += [f"{name}[{i}].{path}" for path in nested.pop(id(item), ())]
        if paths:
            nested[id(tree)] = paths
            kept.append(tree)  # so that no other object gets its identity
        return tree

    kept: list[Tree] = []
    root = json.loads(data, object_pairs_hook=note, parse_int=float)  # whatever its length
    return nested.get(id(root), [])


def _wrong_kind(tree: Tree, row: Resource) -> BadRequest:
    got = f"{tree['apiVersion']}, Kind={tree['kind']}"
    return BadRequest(
        f"the API version in the data ({tree['apiVersion']}) does not match the expected API version ({row.api_version})"
        if tree["apiVersion"] != row.api_version
        else f'{tree["kind"]} in version "{row.version}" cannot be handled as a {row.kind}: the data is of {got}'
    )
