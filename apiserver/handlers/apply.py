"""Server-side apply: PATCH with the fields that one manager wants to own.

What is a conflict, and which fields go, is kube.api.patch.apply's to decide.

An object that is not there is created. What is applied must name its kind and may not carry managedFields.
https://kubernetes.io/docs/reference/using-api/server-side-apply/ · KEP-555
"""

from collections.abc import Callable

from apiserver import empty_objects
from apiserver.handlers import yaml_text
from apiserver.handlers.body import parse_yaml, refuse_wrong_types
from apiserver.handlers.pipeline import Write, check_name, check_path, unnamed
from apiserver.handlers.strictness import in_go_yaml_words
from apiserver.handlers.write import Advance, replaced, stored_new
from apiserver.handlers.write_options import field_validation
from apiserver.storage.deletion import utc_now
from apiserver.storage.entry import Entry
from kube.api import schema
from kube.api.definitions import UNKNOWN, of
from kube.api.meta import Tree
from kube.api.patch import apply, structured
from kube.api.resource import Resource
from kube.api.status import OBJECT_MODIFIED, BadRequest, NotFound, UnknownError, conflict
from kube.api.views import timestamp

GO_MAP = "map[string]interface {}"

Around = Callable[[Tree, Callable[[Tree], Tree]], Tree]


async def applied(write: Write, advance: Advance, form: Resource | None, around: Around) -> tuple[Entry, bool]:
    """The object afterwards, and whether it is new."""
    row, request = form or write.row, write.request
    manager = request.info.param("fieldManager")
    wanted, named = await _wanted(write, row)
    uid = wanted["metadata"].get("uid")

    def merged(live: Tree) -> Tree:
        version = wanted["metadata"].get("resourceVersion")
        if version and version != live["metadata"].get("resourceVersion"):
            raise conflict(row.plural, row.group, request.info.name, OBJECT_MODIFIED)
        tree: Tree = apply.apply(
            live, wanted, row, manager=manager, force=request.info.flag("force"), subresource=write.subresource,
            now=timestamp(utc_now()), empty=empty_objects.empty(row),
        )  # fmt: skip
        return tree if not uid else {**tree, "metadata": {**tree["metadata"], "uid": uid}}  # which cannot be changed

    write.applies = True
    try:
        return await replaced(write, lambda fresh: around(fresh(), merged), advance), False
    except NotFound:
        if write.subresource:
            raise
    if not named:
        raise unnamed(request.info.name)
    if uid:
        why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        raise conflict(row.plural, row.group, request.info.name, why)
    metadata = {"name": request.info.name} | ({"namespace": request.info.namespace} if row.namespaced else {})
    fresh: Tree = {"apiVersion": row.api_version, "kind": row.kind, "metadata": metadata}
    return await stored_new(write.server, request, row, merged(fresh), applies=True), True


async def _wanted(write: Write, row: Resource) -> tuple[Tree, bool]:
    """The applied configuration, checked; and whether it has a name of its own."""
    info = write.request.info
    try:
        tree, duplicates = await parse_yaml(await write.request.body())
    except yaml_text.Unreadable as error:
        raise BadRequest(f"error decoding YAML: error converting YAML to JSON: {error}") from None
    if not isinstance(tree, dict | None):
        why = f"json: cannot unmarshal {schema.json_type(tree)} into Go value of type {GO_MAP}"
        raise BadRequest(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    tree = tree or {}
    version, kind = tree.get("apiVersion") or "", tree.get("kind") or ""
    if version != row.api_version:
        why = f"Specified patch version: {version}, expected: {row.api_version}"
        raise BadRequest(f"Incorrect version specified in apply patch. {why}")
    if kind != row.kind:
        raise BadRequest(f"the applied object is a {version} {kind or 'object of no kind'}, not a {row.api_version} {row.kind}")
    metadata = tree.get("metadata") or {}
    named = isinstance(metadata, dict) and bool(metadata.get("name"))
    if isinstance(metadata, dict):
        check_name(write.request, {"metadata": {"name": info.name, **metadata}})
    check_path(tree, info.namespace if row.namespaced else "", info.name)
    if tree["metadata"].get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    _check_declared(row, tree)
    validation = field_validation(write.request)
    if duplicates and validation == "Strict":
        raise BadRequest(f"error strict decoding YAML: error converting YAML to JSON: {in_go_yaml_words(duplicates)}")
    for text in duplicates if validation == "Warn" else ():
        write.request.warn(text)
    return tree, named


def _check_declared(row: Resource, tree: Tree) -> None:
    """However lenient fieldValidation is: nobody can own a field that the schema does not have, or an item that is none of its
    list's."""
    found = schema.problems(row, tree)
    refuse_wrong_types(row, found)
    kind = of(row) or UNKNOWN
    lines = [*structured.faults(kind, tree)]
    if not lines:
        lines = [f"{structured.keyed(kind, tree, path)}: field not declared in schema" for path in found.unknown]
    if not lines:
        return
    metadata = tree["metadata"]
    whose = f"{metadata.get('namespace', '')}/{metadata['name']}; {row.api_version}, Kind={row.kind}"
    listed = lines[0] if len(lines) == 1 else "errors:\n  " + "\n  ".join(lines)
    raise UnknownError(f"failed to create typed patch object ({whose}): {listed}")
