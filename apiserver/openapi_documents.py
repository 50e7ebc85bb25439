"""OpenAPI documents: version 2 of the whole API, version 3 of one group version, of a group, of what is beside them. Pure.

Paths come from the rows (openapi_paths.py), schemas from kube.api.openapi.
"""

from collections.abc import Iterable, Sequence

from apiserver.openapi_defaults import with_defaults
from apiserver.openapi_parameters import Form
from apiserver.openapi_paths import discovery_item, group_item, path_items
from kube.api import openapi
from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.client.version import GIT_VERSION

V2, V3 = Form(openapi.V2_PREFIX, 2), Form(openapi.V3_PREFIX, 3)
BEARER = {"type": "apiKey", "name": "authorization", "in": "header", "description": "Bearer Token authentication"}
UNAUTHORIZED = {"401": {"description": "Unauthorized"}}
VERSION_INFO = "io.k8s.apimachinery.pkg.version.Info"


def version_2(rows: Sequence[Resource]) -> Tree:
    """The whole API as Swagger 2.0."""
    paths = group_item("*", V2)
    for group in dict.fromkeys(row.group for row in rows):
        paths |= group_item(group, V2)
    for group, version in dict.fromkeys((row.group, row.version) for row in rows):
        paths |= discovery_item(group, version, V2)
    for row in rows:
        paths |= path_items(row, V2)
    for item in other_items(V2).values():
        paths |= item
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": dict(sorted(paths.items())),
        "definitions": openapi.swagger_definitions(rows, paths),
        "securityDefinitions": {"BearerToken": BEARER},
        "security": [{"BearerToken": []}],
    }


def version_3(rows: Iterable[Resource], group: str, version: str) -> Tree:
    """One group version as OpenAPI 3.0."""
    known = [row for row in rows if (row.group, row.version) == (group, version)]
    paths = discovery_item(group, version, V3)
    for row in known:
        paths |= path_items(row, V3)
    return _document(paths, known, group, version)


def version_3_of_group(group: str) -> Tree:
    """Of a group's own path; `*` is that of all groups."""
    return _document(group_item(group, V3), (), group, "")


def version_3_of_other(name: str) -> Tree:
    """Of a path beside the resources."""
    return _document(other_items(V3)[name], (), "", "")


def merged_version_2(own: Tree, others: Iterable[Tree]) -> Tree:
    """Our document with what other servers' documents have of their groups; what ours has stays."""
    paths, definitions = dict(own["paths"]), dict(own["definitions"])
    for one in others:
        paths = {**(one.get("paths") or {}), **paths}
        definitions = {**(one.get("definitions") or {}), **definitions}
    return {**own, "paths": paths, "definitions": definitions}


def other_items(form: Form) -> dict[str, Tree]:
    """By the name that the index has for them."""
    text = {"type": "string"}
    version = form.reference(VERSION_INFO)
    return {
        "version": _get(form, "/version/", "getCodeVersion", "get the version information for this server", "version", version),
        ".well-known/openid-configuration": _get(
            form, "/.well-known/openid-configuration/", "getServiceAccountIssuerOpenIDConfiguration",
            "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'", "WellKnown", text,
        ),
        "openid/v1/jwks": _get(
            form, "/openid/v1/jwks/", "getServiceAccountIssuerOpenIDKeyset",
            "get service account issuer OpenID JSON Web Key Set (contains public token verification keys)", "openid", text,
            "application/jwk-set+json",
        ),
    }  # fmt: skip


def _get(form: Form, path: str, identity: str, text: str, tag: str, schema: Tree, kind: str = "application/json") -> Tree:
    answers = {"200": form.answer("OK", schema, (kind,)), **UNAUTHORIZED}
    operation = {"description": text, "operationId": identity, "tags": [tag], "responses": answers, **form.head((kind,))}
    operation.pop("consumes", None)
    if identity == "getCodeVersion" and form.version == 2:
        operation["consumes"] = ["application/json"]
    return {path: {"get": operation}}


def _document(paths: Tree, rows: Sequence[Resource], group: str, version: str) -> Tree:
    schemas = openapi.v3_schemas(rows, group, version, paths)
    found = {name: schema if _is_custom(name, rows) else with_defaults(name, schema) for name, schema in schemas.items()}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": GIT_VERSION},
        "paths": dict(sorted(paths.items())),
        "components": {**({"schemas": found} if found else {}), "securitySchemes": {"BearerToken": BEARER}},
    }


def _is_custom(name: str, rows: Sequence[Resource]) -> bool:
    own = [row for row in rows if row.openapi_schema is not None]
    return any(name == openapi.schema_name(row.group, row.version, kind) for row in own for kind in (row.kind, row.list_kind))
