"""serviceaccounts/token: a token for a while, for somebody (TokenRequest).

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

from datetime import timedelta
from typing import Any

from apiserver.auth.tokens import BOUND_KINDS, ServiceAccountTokens
from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers.admit import admitted
from apiserver.handlers.body import read_of
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import BadRequest, Conflict, conflict, invalid, invalid_object
from kube.api.types import Node, Pod, ServiceAccount
from kube.api.views import timestamp

DEFAULT_SECONDS, LEAST_SECONDS, MOST_SECONDS = 3600, 600, 1 << 32


async def issue(server: Server, request: Request) -> Response:
    """POST a TokenRequest."""
    tree = await read_of(request, "io.k8s.api.authentication.v1.TokenRequest")
    tree = await admitted(server, request, "CREATE", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", **tree})
    spec: Tree = tree.get("spec") or {}
    seconds = spec.get("expirationSeconds") or DEFAULT_SECONDS
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        detail = "may not specify a duration less than 10 minutes" if seconds < LEAST_SECONDS else "may not be that long"
        error = invalid("spec.expirationSeconds", seconds, detail)
        raise invalid_object("TokenRequest", "authentication.k8s.io", "", [error])
    store = server.stores.store_for(resource_of(ServiceAccount))
    account = await store.get(Key(request.info.namespace, request.info.name))
    bound = await _bound(server, request.info.namespace, request.info.name, spec.get("boundObjectRef"))
    tokens: ServiceAccountTokens = server.state["tokens"]
    audiences = tuple(spec.get("audiences") or ()) or tuple(tokens.audiences)
    token = tokens.issue(account, audiences, seconds, bound)
    metadata = {"name": request.info.name, "namespace": request.info.namespace}
    answer = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {**metadata, "creationTimestamp": timestamp(store.now())},
        "spec": {"audiences": list(audiences), "expirationSeconds": seconds, "boundObjectRef": spec.get("boundObjectRef")},
        "status": {"token": token, "expirationTimestamp": timestamp(store.now() + timedelta(seconds=seconds))},
    }
    return json_response(answer, 201)


async def _bound(server: Server, namespace: str, account: str, reference: Tree | None) -> Tree | None:
    """What the token is bound to; it must be there, and a pod must run as this account."""
    if not reference:
        return None
    kind = str(reference.get("kind", "")).lower()
    if kind not in BOUND_KINDS:
        raise BadRequest(f"cannot bind token for serviceaccount to object of type {reference.get('kind')}")
    view: type[Any] = BOUND_KINDS[kind]
    where = "" if view is Node else namespace
    found = await server.stores.store_for(resource_of(view)).get(Key(where, reference.get("name", "")))
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. The object might "
        raise conflict(f"{kind}s", "", reference["name"], why + "have been deleted and then recreated")
    bound: Tree = {"kind": kind, "name": reference["name"], "uid": uid}
    if view is Pod:
        spec = found["spec"]
        if spec.get("serviceAccountName") != account:
            text = f"cannot bind token for serviceaccount {account!r} to pod running with different serviceaccount name."
            raise Conflict(text.replace("'", '"'))
        node = server.stores.store_for(resource_of(Node)).cached(Key("", spec.get("nodeName") or ""))
        if node is not None:
            bound["node"] = {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
    return bound
