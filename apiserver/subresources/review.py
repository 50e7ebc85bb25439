"""Reviews: whose token is this, may they do that, what may I do. Asked by POST, answered in `status`, never stored.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from apiserver import zero_values
from apiserver.context import Request, RequestInfo, Response, Server, User, json_response
from apiserver.handlers import managed_fields
from apiserver.handlers.admit import admitted
from apiserver.handlers.body import read_object
from apiserver.handlers.negotiation import OFFERED, accepted
from apiserver.handlers.pipeline import check_path, is_dry_run
from apiserver.storage.deletion import utc_now
from apiserver.storage.metadata import SERVER_WRITTEN, drop_empty
from kube.api.meta import Tree
from kube.api.status import BadRequest, FieldError, InternalError, NotAcceptable, invalid, invalid_object
from kube.api.views import timestamp

EITHER = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


async def self_subject(server: Server, request: Request) -> Response:
    """SelfSubjectReview: who am I (`kubectl auth whoami`)."""
    tree = await _read(server, request)
    made = {"metadata": {"creationTimestamp": timestamp(utc_now())}, "status": {"userInfo": user_tree(request.user)}}
    return json_response(tree | made, 201)


async def token(server: Server, request: Request) -> Response:
    """TokenReview: whose token is this."""
    tree = await _read(server, request)
    spec = tree.get("spec") or {}
    if not spec.get("token"):
        raise BadRequest("token is required for TokenReview in authentication")
    authenticator: Any = server.authenticator
    found: tuple[User, tuple[str, ...]] | None = await authenticator.of_bearer(spec["token"], spec.get("audiences") or ())
    if found is None:
        tree["status"] = {"user": {}, "error": "invalid bearer token"}
        return json_response(tree, 201)
    user, audiences = found
    groups = tuple(dict.fromkeys((*user.groups, "system:authenticated")))
    tree["status"] = {"authenticated": True, "user": user_tree(replace(user, groups=groups)), "audiences": list(audiences)}
    return json_response(tree, 201)


async def self_subject_access(server: Server, request: Request) -> Response:
    """SelfSubjectAccessReview: may I (`kubectl auth can-i`)."""
    tree = await _read(server, request)
    spec = tree.get("spec") or {}
    _check([*_attributes_errors(spec), *_metadata_errors(tree)])
    tree["status"] = await _decision(server, request.user, spec)
    return json_response(tree, 201)


async def subject_access(server: Server, request: Request) -> Response:
    """SubjectAccessReview and its local form: may that user."""
    tree = await _read(server, request)
    spec = tree.get("spec") or {}
    local = list(_local_errors(tree)) if request.info.namespace else []
    _check([*_attributes_errors(spec), *_user_errors(spec), *_metadata_errors(tree), *local])
    user = User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", spec.get("extra") or {})
    tree["status"] = await _decision(server, user, spec)
    return json_response(tree, 201)


async def self_subject_rules(server: Server, request: Request) -> Response:
    """SelfSubjectRulesReview: a list of what I may do in a namespace (`kubectl auth can-i --list`)."""
    tree = await _read(server, request)
    namespace = (tree.get("spec") or {}).get("namespace")
    if not namespace:
        raise BadRequest("no namespace on request")
    authorizer: Any = server.authorizer
    rules, unknown = authorizer.rules(request.user, namespace)
    status = {
        "resourceRules": [rule.tree() for rule in rules if rule.resources],
        "nonResourceRules": [rule.tree() for rule in rules if rule.urls],
        "incomplete": bool(unknown),
        **({"evaluationError": ", ".join(unknown)} if unknown else {}),
    }
    return json_response(tree | {"metadata": {}, "spec": {}, "status": status}, 201)  # upstream does not repeat the question


def user_tree(user: User) -> Tree:
    """UserInfo, without what is empty."""
    tree = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": dict(user.extra)}
    return {name: value for name, value in tree.items() if value}


async def _read(server: Server, request: Request) -> Tree:
    row = request.info.resource
    assert row is not None, "a review is routed by its row"
    _check_accepted(request)
    tree = await read_object(request, row)
    check_path(tree, request.info.namespace, "")
    for field in (*SERVER_WRITTEN, "selfLink"):
        tree["metadata"].pop(field, None)
    drop_empty(tree["metadata"])
    managed_fields.track(tree, None, row, manager=managed_fields.manager_of(request), subresource="", now=timestamp(utc_now()))
    zero_values.fill(row, tree)
    return await admitted(server, request, "CREATE", tree, dry_run=is_dry_run(request))


def _check_accepted(request: Request) -> None:
    """What is stored nowhere has no columns: a client that takes nothing but a Table is refused."""
    accepted(request)
    clauses = request.headers.get("accept", "").split(",")
    if all("as=Table" in clause for clause in clauses):
        raise NotAcceptable(f"only the following media types are accepted: {', '.join(OFFERED)}")


def _check(errors: Iterable[FieldError]) -> None:
    found = list(errors)
    if found:
        raise invalid_object("", "authorization.k8s.io", "", found)  # upstream names no kind here


def _attributes_errors(spec: Tree) -> Iterable[FieldError]:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and other is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        yield invalid("spec.nonResourceAttributes", _path_attributes(other), detail)
    if resource is None and other is None:
        yield invalid("spec.resourceAttributes", resource, EITHER)


def _user_errors(spec: Tree) -> Iterable[FieldError]:
    if not spec.get("user") and not spec.get("groups"):
        yield invalid("spec.user", spec.get("user") or "", "at least one of user or group must be specified")


def _metadata_errors(tree: Tree) -> Iterable[FieldError]:
    """A review is nowhere: it has no name and no labels. (What managed its fields is not looked at.)"""
    metadata = tree.get("metadata") or {}
    if metadata.keys() - {"managedFields", "namespace"}:
        detail = "must be empty except for namespace" if metadata.get("namespace") else "must be empty"
        yield invalid("metadata", metadata, detail)


def _local_errors(tree: Tree) -> Iterable[FieldError]:
    spec, namespace = tree.get("spec") or {}, tree["metadata"]["namespace"]
    wanted, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if wanted is not None and (wanted.get("namespace") or "") != namespace:
        yield invalid("spec.resourceAttributes.namespace", wanted.get("namespace") or "", "must match metadata.namespace")
    if other is not None:
        yield invalid("spec.nonResourceAttributes", _path_attributes(other), "disallowed on this kind of request")


def _path_attributes(other: Tree) -> Tree:
    """As upstream's messages show them: by the names that they have inside."""
    return {"Path": other.get("path") or "", "Verb": other.get("verb") or ""}


async def _decision(server: Server, user: User, spec: Tree) -> Tree:
    authorizer: Any = server.authorizer
    try:
        decision = await authorizer.decide(user, _info(spec))
    except InternalError as error:
        return {"allowed": False, "evaluationError": error.message}
    status: Tree = {"allowed": bool(decision.allowed)}
    if decision.allowed is False:
        status["denied"] = True
    return status | ({"reason": decision.reason} if decision.reason else {})


def _info(spec: Tree) -> RequestInfo:
    """The request that a review asks about."""
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        other = spec.get("nonResourceAttributes") or {}
        return RequestInfo(other.get("verb", ""), "", other.get("path", ""), {})
    return RequestInfo(
        verb=wanted.get("verb", ""),
        method="",
        path="",
        query={},
        is_resource=True,
        api_group=wanted.get("group", ""),
        api_version=wanted.get("version", ""),
        plural=wanted.get("resource", ""),
        subresource=wanted.get("subresource", ""),
        namespace=wanted.get("namespace", ""),
        name=wanted.get("name", ""),
    )
