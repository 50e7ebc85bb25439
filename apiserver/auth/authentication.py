"""Authentication: from a client certificate or a bearer token to a user.

The first that applies decides: the headers of a trusted front proxy (front_proxy.py), a verified client certificate (CN is the
name, each O a group), a bearer token: of --token-auth-file, a service account's (tokens.py), a bootstrap token, one of an OpenID
Connect issuer (oidc.py), one that a webhook knows. A token that nobody knows is Unauthorized, never anonymous.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from apiserver.auth import oidc, token_webhook
from apiserver.auth.bootstrap_tokens import BootstrapTokens
from apiserver.auth.front_proxy import FrontProxies
from apiserver.auth.tokens import CREDENTIAL, ServiceAccountTokens
from apiserver.context import ANONYMOUS, Authenticator, Request, Server, User
from kube.api.status import Unauthorized

AUTHENTICATED = "system:authenticated"
SPACE_BEFORE_TOKEN = "the provided Authorization header contains extra space before the bearer token, and is ignored"


# A user, and those of the audiences asked for that the token is meant for; none: it tells of none, and is meant for this API's.
Found = tuple[User, tuple[str, ...]] | None


class Tokens(Protocol):
    """Somebody who knows bearer tokens."""

    async def user_of(self, token: str, audiences: tuple[str, ...]) -> Found: ...


def build(server: Server) -> Authenticator:
    """The authenticator that the flags ask for."""
    config = server.config
    static = read_token_file(config.token_auth_file) if config.token_auth_file else {}
    tokens = ServiceAccountTokens(server)
    server.state["tokens"] = tokens
    known: list[Tokens] = [StaticTokens(static), tokens]
    if config.enable_bootstrap_token_auth:
        known.append(BootstrapTokens(server))
    known += [one for one in (oidc.build(config), token_webhook.build(server)) if one is not None]
    return Authentication(known, FrontProxies(config), tuple(tokens.audiences), anonymous=config.anonymous_auth)


class StaticTokens:
    """Those of --token-auth-file. They are found by their digests: how long that takes tells nothing of them."""

    def __init__(self, users: dict[str, User]) -> None:
        self._users = {_digest(token): _authenticated(user) for token, user in users.items()}

    async def user_of(self, token: str, audiences: tuple[str, ...]) -> Found:
        user = self.surely(token)
        return (user, ()) if user is not None else None

    def surely(self, token: str) -> User | None:
        return self._users.get(_digest(token))


class Authentication:
    def __init__(
        self, tokens: Sequence[Tokens], front_proxies: FrontProxies, audiences: tuple[str, ...], *, anonymous: bool
    ) -> None:
        self._tokens = tokens
        self._audiences = audiences
        self._prompt = [one for one in tokens if isinstance(one, StaticTokens | ServiceAccountTokens)]
        self._front_proxies = front_proxies
        self._anonymous = anonymous

    async def authenticate(self, request: Request) -> User:
        known = self.surely(_subject(request), request.once("bearer", bearer_of))
        if known is not None:
            return known
        user = self._of_certificate(request) or await self._of_token(request)
        if user is None:
            if not self._anonymous:
                raise Unauthorized
            return ANONYMOUS
        return _authenticated(user)

    def surely(self, subject: Mapping[str, Any] | None, token: str) -> User | None:
        """Where a proxy may speak for others, a certificate tells nothing yet."""
        if subject:
            return _named_by(subject) if subject.get("CN") and not self._front_proxies.trusted else None
        for tokens in self._prompt if token else ():
            user = tokens.surely(token)
            if user is not None:
                return _authenticated(user)
        return None

    async def of_bearer(self, token: str, audiences: Iterable[str] = ()) -> Found:
        """The user of a token, and which of the audiences it is meant for: of those asked for, else of this API's own.

        None for a token that nobody knows, and for one that is meant for others.
        """
        wanted = tuple(audiences) or self._audiences
        for tokens in self._tokens:
            found = await tokens.user_of(token, wanted)
            if found is None:
                continue
            meant_for = found[1] or tuple(one for one in wanted if one in self._audiences)
            if meant_for:
                return found[0], meant_for
        return None

    def _of_certificate(self, request: Request) -> User | None:
        subject = _subject(request)
        if not subject or not subject.get("CN"):
            return None
        if not self._front_proxies.names_user(subject):
            return self._front_proxies.user_of(request, subject)
        return self._front_proxies.user_of(request, subject) or _named_by(subject)

    async def _of_token(self, request: Request) -> User | None:
        token = request.once("bearer", bearer_of)
        if not token:
            if _is_spaced(request):
                request.warn(SPACE_BEFORE_TOKEN)
            return None
        found = await self.of_bearer(token)
        if found is None:
            raise Unauthorized
        return found[0]


def _subject(request: Request) -> Any:
    """Of the client's certificate, where there is one."""
    return request.scope.get("extensions", {}).get("tls", {}).get("subject")


def bearer_of(request: Request) -> str:
    """The token in the request's head, up to the next space; empty where there is none."""
    scheme, token, *_ = [*request.headers.get("authorization", "").strip().split(" "), ""]
    return token if scheme.lower() == "bearer" else ""


def _is_spaced(request: Request) -> bool:
    """Whether two spaces stand before a token: what is between them, nothing, is the token then."""
    scheme, *rest = request.headers.get("authorization", "").strip().split(" ")
    return scheme.lower() == "bearer" and len(rest) > 1


def _authenticated(user: User) -> User:
    if AUTHENTICATED in user.groups:
        return user
    return User(user.name, (*user.groups, AUTHENTICATED), user.uid, user.extra)


def _named_by(subject: Mapping[str, Any]) -> User:
    """The user that a certificate names, and which certificate it was."""
    return _certified(subject["certificate"], subject["CN"], tuple(subject.get("O") or ()))


@lru_cache(maxsize=1024)  # connections stay
def _certified(certificate: bytes, name: str, groups: tuple[str, ...]) -> User:
    extra = {CREDENTIAL: [f"X509SHA256={hashlib.sha256(certificate).hexdigest()}"]}
    return _authenticated(User(name, groups, extra=extra))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def read_token_file(path: Path) -> dict[str, User]:
    """Lines of `token,user,uid,"group1,group2"`."""
    users = {}
    with path.open(newline="") as file:
        for row in csv.reader(file):
            if len(row) >= 3:
                groups = tuple(part for part in (row[3] if len(row) > 3 else "").split(",") if part)
                users[row[0].strip()] = User(row[1].strip(), groups, row[2].strip())
    return users
