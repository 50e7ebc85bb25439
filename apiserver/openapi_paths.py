"""The OpenAPI paths of a row: every verb at every path, with its parameters. Pure.

The two versions differ in where a body and an answer's schema stand. Operation ids are upstream's
(`listAppsV1NamespacedDeployment`).
"""

from dataclasses import dataclass

from apiserver.discovery_trees import subresource_kind, subresource_verbs
from kube.api.definitions import of_kind
from kube.api.meta import Tree
from kube.api.resource import Resource

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
ACTIONS = {  # verb: (HTTP method, upstream's word, x-kubernetes-action)
    "list": ("get", "list", "list"), "get": ("get", "read", "get"), "create": ("post", "create", "post"),
    "update": ("put", "replace", "put"), "patch": ("patch", "patch", "patch"), "delete": ("delete", "delete", "delete"),
    "deletecollection": ("delete", "deleteCollection", "deletecollection"),
}  # fmt: skip
COLLECTION, OBJECT = ("list", "create", "deletecollection"), ("get", "update", "patch", "delete")
LIST_PARAMETERS = {
    "allowWatchBookmarks": "boolean", "continue": "string", "fieldSelector": "string", "labelSelector": "string",
    "limit": "integer", "resourceVersion": "string", "resourceVersionMatch": "string", "sendInitialEvents": "boolean",
    "shardSelector": "string", "timeoutSeconds": "integer", "watch": "boolean",
}  # fmt: skip
DELETE_PARAMETERS = {
    "dryRun": "string", "gracePeriodSeconds": "integer", "ignoreStoreReadErrorWithClusterBreakingPotential": "boolean",
    "orphanDependents": "boolean", "propagationPolicy": "string",
}  # fmt: skip
WRITE_PARAMETERS = {"dryRun": "string", "fieldManager": "string", "fieldValidation": "string"}
PARAMETERS = {
    "list": LIST_PARAMETERS, "get": {}, "create": WRITE_PARAMETERS, "update": WRITE_PARAMETERS,
    "patch": {**WRITE_PARAMETERS, "force": "boolean"}, "delete": DELETE_PARAMETERS,
    "deletecollection": {**LIST_PARAMETERS, **DELETE_PARAMETERS},
}  # fmt: skip
CONNECT_PARAMETERS = {
    "exec": {"command": "string", "container": "string", "stderr": "boolean", "stdin": "boolean", "stdout": "boolean",
             "tty": "boolean"},
    "attach": {"container": "string", "stderr": "boolean", "stdin": "boolean", "stdout": "boolean", "tty": "boolean"},
    "portforward": {"ports": "integer"},
    "log": {"container": "string", "follow": "boolean", "insecureSkipTLSVerifyBackend": "boolean", "limitBytes": "integer",
            "previous": "boolean", "sinceSeconds": "integer", "stream": "string", "tailLines": "integer",
            "timestamps": "boolean"},
    "proxy": {"path": "string"},
}  # fmt: skip
PATCH_TYPES = (
    "application/apply-patch+cbor", "application/apply-patch+yaml", "application/json-patch+json",
    "application/merge-patch+json", "application/strategic-merge-patch+json",
)  # fmt: skip


@dataclass(frozen=True)
class _Form:
    """How a version of OpenAPI writes parameters, bodies and answers."""

    prefix: str  # of references
    version: int

    def parameter(self, name: str, type: str, where: str = "query") -> Tree:
        tree: Tree = {"name": name, "in": where}
        if where == "path":
            tree["required"] = True
        kind = {"type": type, "uniqueItems": True}
        return {**tree, **kind} if self.version == 2 else {**tree, "schema": kind}

    def body(self, name: str, types: tuple[str, ...] = ("*/*",)) -> Tree:
        schema = {"$ref": self.prefix + name}
        if self.version == 2:
            return {"consumes": list(types), "parameters": [{"name": "body", "in": "body", "required": True, "schema": schema}]}
        return {"requestBody": {"content": {one: {"schema": schema} for one in types}, "required": True}}

    def answer(self, name: str) -> Tree:
        if not name:
            return {"description": "OK"}
        schema = {"$ref": self.prefix + name}
        if self.version == 2:
            return {"description": "OK", "schema": schema}
        types = ("application/json", "application/yaml")
        return {"description": "OK", "content": {one: {"schema": schema} for one in types}}


def discovery_item(group: str, version: str, prefix: str, *, form: int) -> Tree:
    """The path of a group version itself, which lists its resources."""
    operation = {
        "description": "get available resources",
        "operationId": f"get{_group_word(group, version)}APIResources",
        "tags": [f"{_tag(group)}_{version}"],
        "responses": {
            "200": _Form(prefix, form).answer(f"{META}APIResourceList"),
            "401": {"description": "Unauthorized"},
        },
    }
    return {f"/apis/{group}/{version}/" if group else f"/api/{version}/": {"get": operation}}


def path_items(row: Resource, prefix: str, *, version: int) -> Tree:
    """Every path of a row."""
    form = _Form(prefix, version)
    paths: Tree = {}
    collection = row.path("{namespace}" if row.namespaced else "")
    here = [verb for verb in COLLECTION if verb in row.verbs]
    if here:
        paths[collection] = _item(row, form, here, named=False)
    if row.namespaced and "list" in row.verbs:
        paths[row.path()] = _item(row, form, ["list"], named=False, everywhere=True)
    there = [verb for verb in OBJECT if verb in row.verbs]
    if there:
        paths[f"{collection}/{{name}}"] = _item(row, form, there, named=True)
    for name in row.subresources:
        paths[f"{collection}/{{name}}/{name}"] = _subresource_item(row, form, name)
        if name == "proxy":
            paths[f"{collection}/{{name}}/{name}/{{path}}"] = _subresource_item(row, form, name, deeper=True)
    return paths


def _item(row: Resource, form: _Form, verbs: list[str], *, named: bool, everywhere: bool = False) -> Tree:
    item: Tree = {"parameters": _path_parameters(row, form, named=named, everywhere=everywhere)}
    kind = (row.group, row.version, row.kind)
    for verb in verbs:
        method, word, action = ACTIONS[verb]
        scope = "Namespaced" if row.namespaced and not everywhere else ""
        suffix = "ForAllNamespaces" if everywhere else ""
        collection = "Collection" if verb == "deletecollection" else ""
        word = "delete" if collection else word
        identity = f"{word}{_group_word(row.group, row.version)}{collection}{scope}{row.kind}{suffix}"
        item[method] = _operation(form, verb, kind, identity, action, row)
    return item


def _subresource_item(row: Resource, form: _Form, name: str, *, deeper: bool = False) -> Tree:
    item: Tree = {"parameters": _path_parameters(row, form, named=True, everywhere=False)}
    if deeper:
        item["parameters"].append(form.parameter("path", "string", "path"))
    kind = subresource_kind(row, name)
    for verb in subresource_verbs(name):
        method, word, action = ACTIONS[verb]
        connects = name in CONNECT_PARAMETERS and name != "log"
        word, of_method, action = ("connect", method.capitalize(), "connect") if connects else (word, "", action)
        scope = "Namespaced" if row.namespaced else ""
        what = f"{scope}{row.kind}{name.capitalize()}{'WithPath' if deeper else ''}"
        identity = f"{word}{_group_word(row.group, row.version)}{of_method}{what}"
        operation = _operation(form, verb, kind, identity, action, row)
        extra = [form.parameter(*pair) for pair in CONNECT_PARAMETERS.get(name, {}).items()]
        if connects or name == "log":
            operation.pop("requestBody", None)
            operation["parameters"] = [] if deeper else extra
            operation["responses"] = {"200": form.answer(""), "401": {"description": "Unauthorized"}}
        item[method] = operation
    return item


def _operation(form: _Form, verb: str, kind: tuple[str, str, str], identity: str, action: str, row: Resource) -> Tree:
    group, version, name = kind
    operation: Tree = {
        "operationId": identity,
        "description": f"{identity} {name}",
        "tags": [f"{_tag(row.group)}_{row.version}"],
        "schemes": ["https"],
        "parameters": [form.parameter(*pair) for pair in PARAMETERS[verb].items()],
        "responses": {"200": form.answer(_answer(verb, kind)), "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": name},
    }
    if form.version == 3:
        del operation["schemes"]
    body = _body(form, verb, kind)
    operation["parameters"] += body.pop("parameters", [])
    return {**operation, **body}


def _body(form: _Form, verb: str, kind: tuple[str, str, str]) -> Tree:
    known = of_kind(*kind)
    if verb in ("create", "update") and known is not None:
        return form.body(known.name)
    if verb == "patch":
        return form.body(f"{META}Patch", PATCH_TYPES)
    if verb in ("delete", "deletecollection"):
        tree = form.body(f"{META}DeleteOptions")
        for one in tree.get("parameters", []):
            del one["required"]
        tree.get("requestBody", {}).pop("required", None)
        return tree
    return {}


def _answer(verb: str, kind: tuple[str, str, str]) -> str:
    if verb in ("delete", "deletecollection"):
        return f"{META}Status"
    group, version, name = kind
    known = of_kind(group, version, f"{name}List" if verb == "list" else name)
    return known.name if known is not None else ""


def _path_parameters(row: Resource, form: _Form, *, named: bool, everywhere: bool) -> list[Tree]:
    found = [form.parameter("name", "string", "path")] if named else []
    if row.namespaced and not everywhere:
        found.append(form.parameter("namespace", "string", "path"))
    return [*found, form.parameter("pretty", "string")]


def _group_word(group: str, version: str) -> str:
    """AppsV1, CoreV1, RbacAuthorizationV1: how upstream's operation ids name a group version."""
    group = group.removesuffix(".k8s.io") or "core"
    return "".join(part.capitalize() for part in group.split(".")) + version.capitalize()


def _tag(group: str) -> str:
    group = group.removesuffix(".k8s.io") or "core"
    first, *rest = group.split(".")
    return first + "".join(part.capitalize() for part in rest)
