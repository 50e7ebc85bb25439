"""Server authorization: who may use the kubelet's API.

A client is who its certificate says (of the cluster's authority), or who the API server says its bearer token is; nobody else
may ask anything, unless --anonymous-auth. What it may do is what the API server says it may with nodes/<part> of this node: one
of the parts that a path belongs to is enough (KEP-2862). Answers are kept for upstream's times.
Our choice: the group system:masters may do everything without a question, so that a kubelet can be asked why there is no API
server. https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.api.types import SubjectAccessReview, TokenReview
from kube.client.rest import Client, Unreachable

MASTERS = "system:masters"
VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
PARTS = {  # a path -> the parts of nodes/ of which one must be allowed
    "/stats": ("stats",),
    "/metrics": ("metrics",),
    "/logs": ("log",),
    "/spec": ("spec",),
    "/pods": ("pods", "proxy"),
    "/runningpods": ("pods", "proxy"),
    "/healthz": ("healthz", "proxy"),
    "/configz": ("configz", "proxy"),
}
TOKEN_SECONDS, ALLOWED_SECONDS, DENIED_SECONDS = 120.0, 300.0, 30.0  # authentication.webhook.cacheTTL, authorization.webhook.*
MOST_KEPT = 1000


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple[str, ...]
    uid: str = field(default="", compare=False)
    extra: Mapping[str, list[str]] = field(default_factory=dict, compare=False)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True)
class Denied:
    code: int
    text: str


class ServerAuth:
    def __init__(
        self, client: Client | None, node_name: str, *, anonymous: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._node_name = node_name
        self._anonymous = anonymous
        self._monotonic = monotonic
        self._users: dict[str, tuple[float, User]] = {}  # by token: until when
        self._answers: dict[tuple[User, str, str], tuple[float, bool]] = {}

    async def check(self, method: str, path: str, subject: Mapping[str, Any] | None, authorization: str) -> Denied | None:
        """None: allowed."""
        user = User(subject["CN"], tuple(subject["O"])) if subject else await self._of_header(authorization)
        if user is None:
            return Denied(401, "Unauthorized")
        verb, parts = VERBS.get(method, "get"), parts_of(path)
        if MASTERS in user.groups:
            return None
        for part in parts:
            if await self._allowed(user, verb, part):
                return None
        return Denied(403, f"Forbidden (user={user.name}, verb={verb}, resource=nodes, subresource(s)=[{' '.join(parts)}])")

    async def _of_header(self, authorization: str) -> User | None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return ANONYMOUS if self._anonymous and not authorization else None
        known = self._users.get(token)
        if known is not None and self._monotonic() < known[0]:
            return known[1]
        status = await self._review(TokenReview, {"token": token})
        if not status.get("authenticated"):
            return None
        told = status["user"]
        user = User(told["username"], tuple(told.get("groups") or ()), told.get("uid") or "", told.get("extra") or {})
        _keep(self._users, token, (self._monotonic() + TOKEN_SECONDS, user))
        return user

    async def _allowed(self, user: User, verb: str, part: str) -> bool:
        key = (user, verb, part)
        known = self._answers.get(key)
        if known is not None and self._monotonic() < known[0]:
            return known[1]
        attributes = {"resource": "nodes", "subresource": part, "name": self._node_name, "verb": verb, "version": "v1"}
        spec: Tree = {"user": user.name, "groups": list(user.groups), "resourceAttributes": attributes}
        if user.uid:
            spec["uid"] = user.uid
        if user.extra:
            spec["extra"] = dict(user.extra)
        status = await self._review(SubjectAccessReview, spec)
        allowed = bool(status.get("allowed"))
        if status:
            _keep(self._answers, key, (self._monotonic() + (ALLOWED_SECONDS if allowed else DENIED_SECONDS), allowed))
        return allowed

    async def _review(self, kind: type[Any], spec: Tree) -> Tree:
        """The API server's opinion; without one, nothing is allowed."""
        if self._client is None:
            return {}
        try:
            status: Tree = (await self._client.create(kind, {"spec": spec})).get("status") or {}
        except (ApiError, Unreachable):
            return {}
        return status


def parts_of(path: str) -> tuple[str, ...]:
    found = (parts for prefix, parts in PARTS.items() if path == prefix or path.startswith(prefix + "/"))
    return next(found, ("proxy",))


def _keep(known: dict[Any, Any], key: Any, value: Any) -> None:
    """The oldest answer makes room."""
    if len(known) >= MOST_KEPT:
        del known[next(iter(known))]
    known[key] = value
