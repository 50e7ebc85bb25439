"""Access: who asks, and whether he may; both are the cluster's to say.

The API server passes a user's request on with its own client certificate, and names the user in headers; the ConfigMap
kube-system/extension-apiserver-authentication says which authority issued that certificate, which names it may carry, and which
headers these are; a change of it counts at once. Anybody else shows a bearer token, which the API server knows (TokenReview). What
a user may do is the API server's answer, too (SubjectAccessReview); it is kept for upstream's ten seconds.
https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from kube.api.meta import Tree
from kube.api.status import ApiError, Forbidden, Unauthorized
from kube.api.types import SubjectAccessReview, TokenReview
from kube.client.rest import Client

KEPT_SECONDS = 10.0
MOST_KEPT = 1000


@dataclass(frozen=True)
class User:
    name: str
    groups: tuple[str, ...]
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Proxies:
    """Whom to believe about the user; the API server's flags of these names."""

    authority: str  # PEM
    names: tuple[str, ...] = ()
    username_headers: tuple[str, ...] = ()
    group_headers: tuple[str, ...] = ()
    extra_prefixes: tuple[str, ...] = ()

    @classmethod
    def told(cls, data: Mapping[str, str]) -> "Proxies":
        """By what the ConfigMap has."""

        def names(key: str) -> tuple[str, ...]:
            return tuple(str(one) for one in orjson.loads(data.get(f"requestheader-{key}") or "[]"))

        return cls(
            data.get("requestheader-client-ca-file", ""),
            names("allowed-names"),
            tuple(one.lower() for one in names("username-headers")),
            tuple(one.lower() for one in names("group-headers")),
            tuple(one.lower() for one in names("extra-headers-prefix")),
        )

    def user_of(self, subject: Mapping[str, Any], headers: list[tuple[str, str]]) -> User | None:
        """The user that a proxy names; None where the certificate is no proxy's, or names nobody. Pure."""
        if self.names and subject["CN"] not in self.names:
            return None
        name = next((value for header in self.username_headers for key, value in headers if key == header), "")
        groups = tuple(value for header in self.group_headers for key, value in headers if key == header)
        extra: dict[str, tuple[str, ...]] = {}
        for key, value in headers:
            for prefix in self.extra_prefixes:
                if key.startswith(prefix):
                    extra[key.removeprefix(prefix)] = (*extra.get(key.removeprefix(prefix), ()), value)
        return User(name, groups, tuple(extra.items())) if name else None


@dataclass
class Access:
    client: Client
    proxies: Proxies
    monotonic: Callable[[], float] = time.monotonic
    _users: dict[str, tuple[float, User]] = field(default_factory=dict)
    _answers: dict[tuple[User, bytes], tuple[float, bool]] = field(default_factory=dict)

    async def user(self, subject: Mapping[str, Any] | None, headers: list[tuple[str, str]]) -> User:
        """Raises Unauthorized."""
        if subject is not None and (user := self.proxies.user_of(subject, headers)) is not None:
            return user
        scheme, _, token = next((value for key, value in headers if key == "authorization"), "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized
        known = self._users.get(token)
        if known is not None and self.monotonic() < known[0]:
            return known[1]
        status = (await self.client.create(TokenReview, {"spec": {"token": token}})).get("status") or {}
        if not status.get("authenticated"):
            raise Unauthorized
        told = status["user"]
        user = User(told["username"], tuple(told.get("groups") or ()))
        _keep(self._users, token, (self.monotonic() + KEPT_SECONDS, user))
        return user

    async def demand(self, user: User, asked: Tree, what: str) -> None:
        """`asked`: resourceAttributes or nonResourceAttributes of a review. Raises Forbidden, which says `what` was asked for."""
        key = (user, orjson.dumps(asked))
        known = self._answers.get(key)
        if known is None or self.monotonic() >= known[0]:
            extra = {name: list(values) for name, values in user.extra}
            spec: Tree = {"user": user.name, "groups": list(user.groups), **({"extra": extra} if extra else {}), **asked}
            try:
                status = (await self.client.create(SubjectAccessReview, {"spec": spec})).get("status") or {}
            except ApiError as error:
                raise Forbidden(f'User "{user.name}" {what}: {error.message}') from error
            known = (self.monotonic() + KEPT_SECONDS, bool(status.get("allowed")))
            _keep(self._answers, key, known)
        if not known[1]:
            raise Forbidden(f'User "{user.name}" {what}')


def _keep(known: dict[Any, Any], key: Any, value: Any) -> None:
    """The oldest answer makes room."""
    if len(known) >= MOST_KEPT:
        del known[next(iter(known))]
    known[key] = value
