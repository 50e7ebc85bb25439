"""Server authorization: who may use the kubelet's API.

Clients with a certificate of the cluster's authority in the group system:masters may do everything. Others (a certificate of
another name, or a bearer token, which the API server reviews) may do what the API server says they may with nodes/<part>.
Nobody else may ask anything but /healthz. https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.api.types import SubjectAccessReview, TokenReview
from kube.client.rest import Client, Unreachable

MASTERS = "system:masters"
OPEN = ("/healthz",)
VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
PARTS = {"/stats": "stats", "/metrics": "metrics", "/logs": "log", "/spec": "spec", "/pods": "pods", "/configz": "configz"}


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Denied:
    code: int
    text: str


class ServerAuth:
    def __init__(self, client: Client | None, node_name: str) -> None:
        self._client = client
        self._node_name = node_name

    async def check(self, method: str, path: str, subject: Mapping[str, Any] | None, authorization: str) -> Denied | None:
        """None: allowed."""
        if path in OPEN:
            return None
        user = User(subject["CN"], tuple(subject["O"])) if subject else await self._of_token(authorization)
        if user is None:
            return Denied(401, "Unauthorized")
        if MASTERS in user.groups or await self._allowed(user, method, path):
            return None
        part = part_of(path)
        verb = VERBS.get(method, "get")
        return Denied(403, f"Forbidden (user={user.name}, verb={verb}, resource=nodes, subresource(s)=[{part}])")

    async def _of_token(self, authorization: str) -> User | None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        status = await self._review(TokenReview, {"token": token})
        if not status.get("authenticated"):
            return None
        user = status["user"]
        return User(user["username"], tuple(user.get("groups") or ()))

    async def _allowed(self, user: User, method: str, path: str) -> bool:
        attributes = {
            "resource": "nodes",
            "subresource": part_of(path),
            "name": self._node_name,
            "verb": VERBS.get(method, "get"),
            "version": "v1",
        }
        spec = {"user": user.name, "groups": list(user.groups), "resourceAttributes": attributes}
        return bool((await self._review(SubjectAccessReview, spec)).get("allowed"))

    async def _review(self, kind: type[Any], spec: Tree) -> Tree:
        """The API server's opinion; without one, nothing is allowed."""
        if self._client is None:
            return {}
        try:
            status: Tree = (await self._client.create(kind, {"spec": spec})).get("status") or {}
        except (ApiError, Unreachable):
            return {}
        return status


def part_of(path: str) -> str:
    return next((part for prefix, part in PARTS.items() if path == prefix or path.startswith(prefix + "/")), "proxy")
