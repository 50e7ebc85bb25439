"""Impersonation: go on as the user that the Impersonate headers name, if the one who asks may be that user.

Each part is asked for by itself, with the verb `impersonate`: users, groups, serviceaccounts, and, in the group
authentication.k8s.io, uids and userextras/<key>. A service account named without groups gets its own; whoever is not anonymous
is in system:authenticated.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
apiserver pkg/endpoints/filters/impersonation
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from urllib.parse import unquote

from apiserver.auth.authorization import escaped
from apiserver.context import ANONYMOUS, Request, RequestInfo, Response, Server, User

USER, GROUP, UID, EXTRA = b"impersonate-user", b"impersonate-group", b"impersonate-uid", b"impersonate-extra-"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ACCOUNT_PREFIX = "system:serviceaccount:"
IDENTITY_GROUP = "authentication.k8s.io"
IDENTITY = f"{IDENTITY_GROUP}/v1 "


async def impersonate(
    server: Server, request: Request, call_next: Callable[[Request], Awaitable[Response | None]]
) -> Response | None:
    wanted = request.once("impersonated", lambda one: asked_for(one.scope["headers"]))
    if wanted is not None and not wanted.name:
        return _nameless(request, wanted)
    if wanted is not None:
        for info in questions(wanted):
            await server.authorizer.authorize(request.user, info)
        request.impersonator, request.user = request.user, completed(wanted)
    return await call_next(request)


def asked_for(headers: list[tuple[bytes, bytes]]) -> User | None:
    """The user as the headers name him; without a name, where they tell all but that. Pure."""
    name, uid = "", ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    for header, raw in headers:
        if not header.startswith(b"impersonate-"):
            continue
        value = raw.decode("latin-1")
        if header == USER:
            name = value
        elif header == GROUP:
            groups.append(value)
        elif header == UID:
            uid = value
        elif header.startswith(EXTRA):
            extra.setdefault(unquote(header.removeprefix(EXTRA).decode("latin-1")).lower(), []).append(value)
    return User(name, tuple(groups), uid, extra) if name or groups or uid or extra else None


def _nameless(request: Request, wanted: User) -> Response:
    """Upstream's text shows what was asked for as object references: kind, namespace, name, uid, versions and field path."""
    references = [f"{{Group  {group}    }}" for group in wanted.groups]
    references += [f"{{UserExtra  {value}  {IDENTITY} {key}}}" for key, values in wanted.extra.items() for value in values]
    references += [f"{{UID  {wanted.uid}  {IDENTITY} }}"] if wanted.uid else []
    query = request.scope["query_string"].decode("latin-1")
    uri = escaped(request.info.path + (f"?{query}" if query else ""))
    text = f'Internal Server Error: "{uri}": requested [{" ".join(map(escaped, references))}] without impersonating a user\n'
    return Response(500, text.encode(), "text/plain; charset=utf-8", [("X-Content-Type-Options", "nosniff")])


def questions(wanted: User) -> Iterator[RequestInfo]:
    """What one must be allowed to be this user. Pure."""
    namespace, _, account = wanted.name.removeprefix(ACCOUNT_PREFIX).partition(":")
    if wanted.name.startswith(ACCOUNT_PREFIX) and namespace and account:
        yield _question("", "serviceaccounts", account, namespace)
    else:
        yield _question("", "users", wanted.name)
    for group in wanted.groups:
        yield _question("", "groups", group)
    for key, values in wanted.extra.items():
        for value in values:
            yield replace(_question(IDENTITY_GROUP, "userextras", value), subresource=key)
    if wanted.uid:
        yield _question(IDENTITY_GROUP, "uids", wanted.uid)


def completed(wanted: User) -> User:
    """With the groups that such a user always has. Pure."""
    groups = list(wanted.groups)
    if wanted.name.startswith(ACCOUNT_PREFIX) and not groups:
        namespace = wanted.name.removeprefix(ACCOUNT_PREFIX).partition(":")[0]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    is_nobody = wanted.name == ANONYMOUS.name or UNAUTHENTICATED in groups
    always = UNAUTHENTICATED if is_nobody else AUTHENTICATED
    if always not in groups:
        groups.append(always)
    return replace(wanted, groups=tuple(groups))


def _question(group: str, plural: str, name: str, namespace: str = "") -> RequestInfo:
    return RequestInfo(
        "impersonate", "", "", {}, is_resource=True, api_group=group, api_version="v1", plural=plural, name=name,
        namespace=namespace,
    )  # fmt: skip
