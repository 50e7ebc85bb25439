"""serviceaccounts/token: a token for a while, for somebody (TokenRequest).

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from apiserver.admission.service_account import TOKEN_SECONDS
from apiserver.auth.tokens import BOUND_KINDS, ServiceAccountTokens
from apiserver.context import Request, Response, Server, json_response
from apiserver.handlers.admit import admitted
from apiserver.handlers.body import read_of
from apiserver.handlers.pipeline import check_path
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.status import BadRequest, conflict, invalid, invalid_object
from kube.api.types import Node, Pod, ServiceAccount
from kube.api.views import timestamp

GROUP = "authentication.k8s.io"
KIND = {"apiVersion": f"{GROUP}/v1", "kind": "TokenRequest"}
UNANSWERED = {"token": "", "expirationTimestamp": None}
YEAR_SECONDS = 365 * 24 * 3600
DEFAULT_SECONDS, LEAST_SECONDS, MOST_SECONDS = 3600, 600, 1 << 32
BINDABLE = (("v1", "Pod"), ("v1", "Secret"), ("v1", "Node"))


async def issue(server: Server, request: Request) -> Response:
    """POST a TokenRequest."""
    tree = await read_of(request, "io.k8s.api.authentication.v1.TokenRequest")
    check_path(tree, request.info.namespace, "")
    tree = await admitted(server, request, "CREATE", {**KIND, **tree, "status": UNANSWERED})
    store = server.stores.store_for(resource_of(ServiceAccount))
    check_about(tree["metadata"], request.info.name)
    account = await store.get(Key(request.info.namespace, request.info.name))
    check_uid(tree["metadata"], account)
    spec: Tree = tree.get("spec") or {}
    seconds = spec.get("expirationSeconds") or DEFAULT_SECONDS
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        detail = "less than 10 minutes" if seconds < LEAST_SECONDS else "larger than 2^32 seconds"
        detail = f"may not specify a duration {detail}"
        error = invalid("spec.expirationSeconds", seconds, detail)
        raise invalid_object("TokenRequest", GROUP, "", [error])
    bound = await _bound(server, request.info.namespace, request.info.name, spec.get("boundObjectRef"))
    tokens: ServiceAccountTokens = server.state["tokens"]
    audiences = tuple(spec.get("audiences") or ()) or tuple(tokens.audiences)
    most = int(server.config.service_account_max_token_expiration)
    if 0 < most < seconds:
        request.warn(f"requested expiration of {seconds} seconds shortened to {most} seconds")
        seconds = most
    lasting = server.config.service_account_extend_token_expiration and is_lasting(bound, seconds, audiences, tokens.audiences)
    warn_after = seconds if lasting else 0
    token = tokens.issue(account, audiences, YEAR_SECONDS if lasting else seconds, bound, warn_after)
    metadata = {**tree["metadata"], "name": request.info.name, "uid": account["metadata"]["uid"]}
    answer = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {**metadata, "creationTimestamp": timestamp(store.now())},
        "spec": {"audiences": list(audiences), "expirationSeconds": seconds, "boundObjectRef": spec.get("boundObjectRef")},
        "status": {"token": token, "expirationTimestamp": timestamp(store.now() + timedelta(seconds=seconds))},
    }
    return json_response(answer, 201)


def is_lasting(bound: Tree | None, seconds: int, audiences: Iterable[str], own: Iterable[str]) -> bool:
    """Whether it is one that admission mounts into pods: it counts for a year, also for who never reads it anew. Pure."""
    return bound is not None and bound["kind"] == "pod" and seconds == TOKEN_SECONDS and set(audiences) <= set(own)


def check_about(metadata: Tree, name: str) -> None:
    """A request that names an account names the one that it is sent to. Pure."""
    given = metadata.get("name")
    if given and given != name:
        error = invalid("metadata.name", given, "must match the service account name if specified")
        raise invalid_object("TokenRequest", GROUP, name, [error])


def check_uid(metadata: Tree, account: Tree) -> None:
    """Likewise its uid. Pure."""
    given, uid = metadata.get("uid"), account["metadata"]["uid"]
    if given and given != uid:
        why = f"the UID in the token request ({given}) does not match the UID of the service account ({uid})"
        raise conflict("TokenRequest", GROUP, account["metadata"]["name"], why)


async def _bound(server: Server, namespace: str, account: str, reference: Tree | None) -> Tree | None:
    """What the token is bound to; it must be there, and a pod must run as this account."""
    if not reference:
        return None
    version, named = reference.get("apiVersion") or "", reference.get("kind") or ""
    kind = named.lower()
    if (version, named) not in BINDABLE:
        group, _, plain = version.rpartition("/")
        raise BadRequest(f"cannot bind token to object of type {group}/{plain}, Kind={named}")
    view: type[Any] = BOUND_KINDS[kind]
    where = "" if view is Node else namespace
    found = await server.stores.store_for(resource_of(view)).get(Key(where, reference.get("name", "")))
    if view is Pod and found["spec"].get("serviceAccountName") != account:
        raise BadRequest(f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.')
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. The object might "
        raise conflict(named, "", reference["name"], why + "have been deleted and then recreated")
    bound: Tree = {"kind": kind, "name": reference["name"], "uid": uid}
    if view is Pod:
        placed = found["spec"].get("nodeName")
        node = server.stores.store_for(resource_of(Node)).cached(Key("", placed or ""))
        if node is not None:
            bound["node"] = {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
        elif placed:  # whoever reads the token sees where the pod should be
            bound["node"] = {"name": placed}
    return bound
