"""Reviews: whose token is this, may they do that, what may I do. Asked by POST, answered in `status`, never stored.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from dataclasses import replace

from apiserver.auth.authorization import DISCOVERY, PUBLIC, is_component
from apiserver.context import Request, RequestInfo, Response, Server, User, json_response
from apiserver.handlers.body import read_object
from kube.api.meta import Tree
from kube.api.status import Forbidden, InternalError


async def self_subject(server: Server, request: Request) -> Response:
    """SelfSubjectReview: who am I (`kubectl auth whoami`)."""
    tree = await _read(request)
    tree["status"] = {"userInfo": user_tree(request.user)}
    return json_response(tree, 201)


async def token(server: Server, request: Request) -> Response:
    """TokenReview: whose token is this."""
    tree = await _read(request)
    spec = tree.get("spec") or {}
    audiences = tuple(spec.get("audiences") or ())
    of_bearer = getattr(server.authenticator, "of_bearer", None)
    user: User | None = await of_bearer(spec.get("token") or "", audiences) if of_bearer else None
    if user is None:
        tree["status"] = {"authenticated": False, "user": {}, "error": "invalid bearer token"}
    else:
        groups = tuple(dict.fromkeys((*user.groups, "system:authenticated")))
        status: Tree = {"authenticated": True, "user": user_tree(replace(user, groups=groups))}
        if audiences:
            status["audiences"] = list(audiences)
        tree["status"] = status
    return json_response(tree, 201)


async def self_subject_access(server: Server, request: Request) -> Response:
    """SelfSubjectAccessReview: may I (`kubectl auth can-i`)."""
    tree = await _read(request)
    tree["status"] = await _decision(server, request.user, tree.get("spec") or {})
    return json_response(tree, 201)


async def subject_access(server: Server, request: Request) -> Response:
    """SubjectAccessReview and its local form: may that user."""
    tree = await _read(request)
    spec = tree.get("spec") or {}
    user = User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", spec.get("extra") or {})
    tree["status"] = await _decision(server, user, spec)
    return json_response(tree, 201)


async def self_subject_rules(server: Server, request: Request) -> Response:
    """SelfSubjectRulesReview: a list of what I may do in a namespace (`kubectl auth can-i --list`)."""
    tree = await _read(request)
    everything = is_component(request.user)
    reviews = {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"]}
    resource_rules = [{**reviews, "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]}]
    other_rules = [{"verbs": ["get"], "nonResourceURLs": [*PUBLIC, *DISCOVERY]}]
    if everything:
        resource_rules.insert(0, {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
        other_rules.insert(0, {"verbs": ["*"], "nonResourceURLs": ["*"]})
    tree["status"] = {"resourceRules": resource_rules, "nonResourceRules": other_rules, "incomplete": False}
    return json_response(tree, 201)


def user_tree(user: User) -> Tree:
    """UserInfo, without what is empty."""
    tree = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": dict(user.extra)}
    return {name: value for name, value in tree.items() if value}


async def _read(request: Request) -> Tree:
    row = request.info.resource
    assert row is not None, "a review is routed by its row"
    tree = await read_object(request, row)
    tree["metadata"] = {}
    return tree


async def _decision(server: Server, user: User, spec: Tree) -> Tree:
    try:
        await server.authorizer.authorize(user, _info(spec))
    except Forbidden:
        return {"allowed": False}
    except InternalError as error:
        return {"allowed": False, "evaluationError": error.message}
    return {"allowed": True}


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
