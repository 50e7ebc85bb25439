"""Defaults: each default that OpenAPI version 3 names is set where a client leaves the field out.

Of each sample, made valid, each field with a default is left out once, in a dry run of its own; where the server takes the object
all the same, its answer must have the field. That holds for the zero values too: upstream writes those fields whatever is in them.
A field of a part that many kinds share (a pod's) is looked at in the first kind that has it.
"""

from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from typing import Any

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import ApiError
from kube.client.rest import Client
from tests.interop.upstream_surface.difference import Difference
from tests.interop.upstream_surface.objects import DRY, creatable, valid
from tests.interop.upstream_surface.paths import ABSENT, Path, get, put
from tests.interop.upstream_surface.upstream import Folder

PREFIX = "#/components/schemas/"

Schemas = dict[str, Any]
Field = tuple[str, str]  # the schema's name and the field's


async def defaults(folder: Folder, client: Client) -> AsyncIterator[Difference]:
    schemas: Schemas = {}
    for _, document in folder.openapi_3():
        schemas |= document.get("components", {}).get("schemas", {})
    done: set[Field] = set()
    for kind, row, sample in creatable(folder):
        try:
            tree = await valid(client, row, sample)
        except ApiError:
            continue  # `objects` tells it
        for field, path, default in list(defaulted(schemas, _schema_of(schemas, tree), tree, ())):
            if field not in done:
                done.add(field)
                text = await _left_out(client, row, tree, path)
                if text:
                    yield Difference("defaults", f"{kind} {field[0]}.{field[1]}", repr(default), text)


async def _left_out(client: Client, row: Resource, tree: Tree, path: Path) -> str:
    """What is wrong with the answer to the object without this field; empty: nothing."""
    without = deepcopy(tree)
    put(without, path, ABSENT)
    try:
        answer = await client.request("POST", row.path(tree["metadata"].get("namespace", "")), params=DRY, body=without)
    except ApiError as error:
        return "" if error.code in (400, 403, 422) else f"{error.code} {error.message}"  # it may not be left out
    return "absent" if get(answer.tree(), path) is ABSENT else ""


def defaulted(schemas: Schemas, schema: Any, node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[Field, Path, Any]]:
    """The fields of an object that have a default: which, where and what."""
    name, schema = _resolved(schemas, schema)
    if isinstance(node, list):
        for index, one in enumerate(node):
            yield from defaulted(schemas, schema.get("items", {}), one, (*path, index))
    elif isinstance(node, dict):
        for field, value in node.items():
            part = schema.get("properties", {}).get(field, schema.get("additionalProperties", {}))
            if "default" in part and name and field in schema.get("properties", {}):
                yield (name, field), (*path, field), part["default"]
            if path == () and field in ("metadata", "status"):
                continue  # what is in them is the server's
            yield from defaulted(schemas, part, value, (*path, field))


def _resolved(schemas: Schemas, schema: Any) -> tuple[str, Any]:
    """The name of a schema, empty if it has none, and what it says."""
    reference = schema.get("$ref") or next((one["$ref"] for one in schema.get("allOf", ()) if "$ref" in one), "")
    name = reference.removeprefix(PREFIX)
    return (name, schemas.get(name, {})) if name else ("", schema)


def _schema_of(schemas: Schemas, tree: Tree) -> Any:
    group, _, version = tree["apiVersion"].rpartition("/")
    wanted = {"group": group, "kind": tree["kind"], "version": version}
    name = next(name for name, one in schemas.items() if wanted in one.get("x-kubernetes-group-version-kind", ()))
    return {"$ref": PREFIX + name}
