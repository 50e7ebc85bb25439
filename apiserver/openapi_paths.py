"""OpenAPI paths of a row: every verb at every path, the old watch paths among them. Pure.

What all operations of a path take stands at the path. Operation ids and descriptions are upstream's
(`listAppsV1NamespacedDeployment`, "list or watch objects of kind Deployment"), client generators name their functions by them.
Bodies and answers in protobuf and CBOR are not told of: see docs/concepts/api-surface.md.
"""

from dataclasses import dataclass

from apiserver.discovery_trees import subresource_kind, subresource_verbs
from apiserver.openapi_parameters import JSON, OF_CONNECTION, OF_LOG, OF_VERB, STREAM, YAML, Form
from kube.api.definitions import of_kind
from kube.api.meta import Tree
from kube.api.openapi import schema_name
from kube.api.resource import Resource

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
METHODS = {"list": "get", "get": "get", "create": "post", "update": "put", "patch": "patch", "delete": "delete",
           "deletecollection": "delete", "watch": "get"}  # fmt: skip
WORDS = {"get": "read", "update": "replace", "deletecollection": "delete"}  # in operation ids; others: the verb
ACTIONS = {"create": "post", "update": "put"}  # x-kubernetes-action; others: the verb
ANSWERS = {
    "create": ((200, "OK"), (201, "Created"), (202, "Accepted")),
    "update": ((200, "OK"), (201, "Created")),
    "patch": ((200, "OK"), (201, "Created")),
    "delete": ((200, "OK"), (202, "Accepted")),
}
COLLECTION, OBJECT = ("list", "create", "deletecollection"), ("get", "update", "patch", "delete")
PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json")
STRATEGIC = "application/strategic-merge-patch+json"
PROXIED = ("delete", "get", "head", "options", "patch", "post", "put")  # every method goes through a proxy
GIVEN_BACK = frozenset((  # kinds whose deletion answers the object as it was
    "PersistentVolumeClaim", "Pod", "PodTemplate", "ResourceQuota", "ServiceAccount", "Service", "PersistentVolume",
    "DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice", "CSIDriver", "CSINode", "StorageClass",
    "VolumeAttachment", "VolumeAttributesClass",
))  # fmt: skip
PLURAL = "Endpoints"  # takes no article
DEPRECATED = "deprecated: use the 'watch' parameter with a list operation instead"


@dataclass(frozen=True)
class _Place:
    """A path of a row: which objects it is about."""

    row: Resource
    named: bool = False
    everywhere: bool = False  # across namespaces
    subresource: str = ""
    deeper: bool = False  # a path behind a proxy follows
    kind: tuple[str, str, str] = ("", "", "")  # group, version and kind that are spoken of

    @property
    def subject(self) -> str:
        """NamespacedPodEviction: what an operation id is about."""
        scope = "Namespaced" if self.row.namespaced and not self.everywhere else ""
        end = "ForAllNamespaces" if self.everywhere else ""
        return f"{scope}{self.row.kind}{self.subresource.capitalize()}{'WithPath' if self.deeper else ''}{end}"


def discovery_item(group: str, version: str, form: Form) -> Tree:
    """The path of a group version itself, which lists its resources."""
    path = f"/apis/{group}/{version}/" if group else f"/api/{version}/"
    return _plain_item(form, path, f"get{_group_word(group, version)}APIResources", "available resources", "APIResourceList",
                       f"{_tag(group)}_{version}")  # fmt: skip


def group_item(group: str, form: Form) -> Tree:
    """The path of a group: /apis/apps/, /api/, or of all of them: /apis/ (`*`)."""
    if group == "*":
        return _plain_item(form, "/apis/", "getAPIVersions", "available API versions", "APIGroupList", "apis")
    if not group:
        return _plain_item(form, "/api/", "getCoreAPIVersions", "available API versions", "APIVersions", "core")
    name = f"get{_group_word(group, '')}APIGroup"
    return _plain_item(form, f"/apis/{group}/", name, "information of a group", "APIGroup", _tag(group))


def path_items(row: Resource, form: Form) -> Tree:
    """Every path of a row."""
    paths: Tree = {}
    collection = row.path("{namespace}" if row.namespaced else "")
    whole, one = _Place(row), _Place(row, named=True)
    if here := [verb for verb in COLLECTION if verb in row.verbs]:
        paths[collection] = _item(form, whole, here)
    if there := [verb for verb in OBJECT if verb in row.verbs]:
        paths[f"{collection}/{{name}}"] = _item(form, one, there)
    watched = collection.replace(f"/{row.version}/", f"/{row.version}/watch/", 1)
    if "watch" in row.verbs:
        paths[watched] = _item(form, whole, ["watch"])
        paths[f"{watched}/{{name}}"] = _item(form, one, ["watch"])
    if row.namespaced and "list" in row.verbs:
        paths[row.path()] = _item(form, _Place(row, everywhere=True), ["list"])
    if row.namespaced and "watch" in row.verbs:
        paths[watched.replace("namespaces/{namespace}/", "")] = _item(form, _Place(row, everywhere=True), ["watch"])
    for name in row.subresources:
        path = f"{collection}/{{name}}/{name}"
        paths[path] = _subresource_item(row, form, name)
        if name == "proxy":
            paths[path + "/{path}"] = _subresource_item(row, form, name, deeper=True)
    if row.group == "" and row.kind == "Namespace":  # a namespace's own name is what its objects' paths call {namespace}
        return {path.replace("{namespace}", "{name}"): item for path, item in paths.items()}
    return paths


def _plain_item(form: Form, path: str, identity: str, what: str, kind: str, tag: str) -> Tree:
    types = (JSON, YAML)
    answers = {"200": form.answer("OK", form.reference(META + kind), types), "401": {"description": "Unauthorized"}}
    operation = {"description": f"get {what}", "operationId": identity, "tags": [tag], "responses": answers, **form.head(types)}
    if form.version == 2:
        operation["consumes"] = list(types)
    return {path: {"get": operation}}


def _item(form: Form, place: _Place, verbs: list[str]) -> Tree:
    row = place.row
    place = _Place(row, place.named, place.everywhere, kind=(row.group, row.version, row.kind))
    return _lifted({METHODS[verb]: _operation(form, place, verb) for verb in verbs}, _path_parameters(form, place))


def _subresource_item(row: Resource, form: Form, name: str, *, deeper: bool = False) -> Tree:
    place = _Place(row, named=True, subresource=name, deeper=deeper, kind=subresource_kind(row, name))
    own = _path_parameters(form, place)
    if name in OF_CONNECTION:
        methods = PROXIED if name == "proxy" else tuple(METHODS[verb] for verb in subresource_verbs(name))
        return _lifted({method: _connection(form, place, method) for method in methods}, own)
    return _lifted({METHODS[verb]: _operation(form, place, verb) for verb in subresource_verbs(name)}, own)


def _lifted(operations: Tree, own: list[Tree]) -> Tree:
    """A path item: what all of its operations take is said once."""
    shared = [one for one in next(iter(operations.values()))["parameters"] if _is_shared(one, operations)]
    item: Tree = {}
    for method, operation in operations.items():
        rest = sorted((one for one in operation["parameters"] if one not in shared), key=lambda one: str(one["name"]))
        kept = {name: value for name, value in operation.items() if name != "parameters"}
        item[method] = {**kept, "parameters": rest} if rest else kept
    found = sorted(own + shared, key=lambda one: (str(one["name"]), str(one["in"])))
    return {**item, "parameters": found} if found else item


def _is_shared(parameter: Tree, operations: Tree) -> bool:
    return parameter["in"] != "body" and all(parameter in operation["parameters"] for operation in operations.values())


def _operation(form: Form, place: _Place, verb: str) -> Tree:
    row, (group, version, kind) = place.row, place.kind
    is_log = place.subresource == "log"
    types = ("text/plain", JSON, YAML) if is_log else (JSON, YAML, STREAM) if _streams(row, verb) else (JSON, YAML)
    schema = {"type": "string"} if is_log else _answer(form, place, verb)
    listing = "list" if verb == "watch" and not place.named else ""
    operation: Tree = {
        "description": _description(place, verb),
        "operationId": _identity(place, verb),
        "tags": [f"{_tag(row.group)}_{row.version}"],
        **form.head(types),
        "parameters": [form.query(*pair) for pair in (OF_LOG if is_log else OF_VERB[verb]).items()],
        "responses": {str(code): form.answer(text, schema, types) for code, text in ANSWERS.get(verb, ((200, "OK"),))}
        | {"401": {"description": "Unauthorized"}},
        "x-kubernetes-action": ACTIONS.get(verb, verb) + listing,
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
    }
    body = _body(form, place, verb)
    operation["parameters"] += body.pop("parameters", [])
    return {**operation, **body}


def _connection(form: Form, place: _Place, method: str) -> Tree:
    """An operation whose connection becomes something else, or goes through to somewhere."""
    row, (group, version, kind) = place.row, place.kind
    identity = f"connect{_group_word(row.group, row.version)}{method.capitalize()}{place.subject}"
    return {
        "description": f"connect {method.upper()} requests to {place.subresource} of {row.kind}",
        "operationId": identity,
        "tags": [f"{_tag(row.group)}_{row.version}"],
        **form.head(("*/*",)),
        "parameters": [form.query(*pair) for pair in OF_CONNECTION[place.subresource].items()],
        "responses": {"200": form.answer("OK", {"type": "string"}, ("*/*",)), "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": "connect",
        "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
    }


def _description(place: _Place, verb: str) -> str:
    row, part = place.row, place.subresource
    article = "" if row.kind == PLURAL else "an " if row.kind[0] in "AEIOU" else "a "
    match verb:
        case "list":
            return f"list {'or watch ' if 'watch' in row.verbs else ''}objects of kind {row.kind}"
        case "watch" if place.named:
            filtered = "filtered to a single item with the 'fieldSelector' parameter"
            return f"watch changes to an object of kind {row.kind}. {DEPRECATED}, {filtered}."
        case "watch":
            return f"watch individual changes to a list of {row.kind}. {DEPRECATED}."
        case "create":
            return f"create {part} of {article}{row.kind}" if part else f"create {article}{row.kind}"
        case "delete":
            return f"delete {article}{row.kind}"
        case "deletecollection":
            return f"delete collection of {row.kind}"
    word = {"get": "read", "update": "replace", "patch": "partially update"}[verb]
    return f"{word} {part + ' of ' if part else ''}the specified {row.kind}"


def _identity(place: _Place, verb: str) -> str:
    row = place.row
    start = WORDS.get(verb, verb) + _group_word(row.group, row.version)
    if verb == "deletecollection":
        return f"{start}Collection{place.subject}"
    if verb == "watch" and not place.named:
        scope, end = ("", "ForAllNamespaces") if place.everywhere else ("Namespaced" if row.namespaced else "", "")
        return f"{start}{scope}{row.kind}List{end}"
    return start + place.subject


def _body(form: Form, place: _Place, verb: str) -> Tree:
    if verb in ("create", "update"):
        return form.body(_named(form, place, place.kind[2]))
    if verb == "patch":
        own = place.row.openapi_schema is not None  # strategic merges are of built-in kinds alone
        return form.body(form.reference(f"{META}Patch"), PATCHES if own else (*PATCHES, STRATEGIC))
    if verb in ("delete", "deletecollection"):
        return form.body(form.reference(f"{META}DeleteOptions"), required=False)
    return {}


def _answer(form: Form, place: _Place, verb: str) -> Tree:
    if verb == "watch":
        return form.reference(f"{META}WatchEvent")
    if verb == "deletecollection" or (verb == "delete" and not gives_back(place.row)):
        return form.reference(f"{META}Status")
    return _named(form, place, place.row.list_kind if verb == "list" else place.kind[2])


def gives_back(row: Resource) -> bool:
    """Whether a deletion answers the object that is gone, and not a Status."""
    return row.openapi_schema is None and row.kind in GIVEN_BACK


def _named(form: Form, place: _Place, kind: str) -> Tree:
    group, version, _ = place.kind
    if place.row.openapi_schema is not None and (group, version) == (place.row.group, place.row.version):
        return form.reference(schema_name(group, version, kind))
    known = of_kind(group, version, kind)
    return form.reference(known.name) if known is not None else {"type": "object"}


def _path_parameters(form: Form, place: _Place) -> list[Tree]:
    found = [form.path("name", f"name of the {place.kind[2]}")] if place.named else []
    if place.row.namespaced and not place.everywhere:
        found.append(form.path("namespace", "object name and auth scope, such as for teams and projects"))
    if place.deeper:
        found.append(form.path("path", "path to the resource"))
    return found


def _streams(row: Resource, verb: str) -> bool:
    return verb in ("list", "watch")


def _group_word(group: str, version: str) -> str:
    """AppsV1, CoreV1, RbacAuthorizationV1: how upstream's operation ids name a group version."""
    group = group.removesuffix(".k8s.io") or "core"
    return "".join(part[:1].upper() + part[1:] for part in group.split(".")) + version.capitalize()


def _tag(group: str) -> str:
    group = group.removesuffix(".k8s.io") or "core"
    first, *rest = group.split(".")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
