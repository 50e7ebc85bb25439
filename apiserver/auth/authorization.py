"""Authorization: whether a user may do what a request asks for.

system:masters may do everything. For everybody else the authorizers that --authorization-mode names are asked in order, until
one has an opinion; where none has, it is forbidden, with the reasons that they gave.

    Node         node/authorizer.py      a kubelet, by what its pods need
    RBAC         rbac/authorizer.py      by roles and bindings
    Webhook      webhook.py              somebody else decides
    AlwaysAllow, AlwaysDeny

https://kubernetes.io/docs/reference/access-authn-authz/authorization/
apiserver pkg/endpoints/handlers/responsewriters/errors.go
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from apiserver.auth import webhook
from apiserver.auth.decision import ALLOWED, Decision, Mode, Prompt
from apiserver.auth.node.authorizer import NodeAuthorizer, node_of
from apiserver.auth.node.graph import graph_of
from apiserver.auth.rbac.authorizer import RbacAuthorizer
from apiserver.auth.rbac.index import index_of
from apiserver.auth.rbac.rules import ALL, Rule
from apiserver.context import RequestInfo, Server, User
from kube.api.status import ApiError, NotAuthorized, is_forbidden
from kube.component.run import StartupError

MASTERS = "system:masters"
EVERYTHING = (Rule((ALL,), (ALL,), (ALL,)), Rule((ALL,), urls=(ALL,)))


def build(server: Server) -> "Authorization":
    """The authorizers that the flags ask for. Raises StartupError for one that nobody knows."""
    names = server.config.authorization_mode
    unknown = [name for name in names if name not in MODES]
    if unknown or not names:
        raise StartupError(f"--authorization-mode: {unknown or names} is not one of {', '.join(MODES)}")
    if len(set(names)) != len(names):
        raise StartupError(f"--authorization-mode names an authorizer twice: {','.join(names)}")
    return Authorization({name: MODES[name](server) for name in names}, server.stores.abreast.with_etcd)


class AlwaysAllow(Prompt):
    def decided(self, user: User, info: RequestInfo) -> Decision:
        return ALLOWED


class AlwaysDeny(Prompt):
    def decided(self, user: User, info: RequestInfo) -> Decision:
        return Decision(None, "Everything is forbidden.")


MODES: Mapping[str, Callable[[Server], Mode]] = {
    "AlwaysAllow": lambda server: AlwaysAllow(),
    "AlwaysDeny": lambda server: AlwaysDeny(),
    "Node": lambda server: NodeAuthorizer(graph_of(server)),
    "RBAC": lambda server: RbacAuthorizer(index_of(server)),
    "Webhook": webhook.build,
}


class Authorization:
    """The server's authorizers in order."""

    def __init__(self, modes: Mapping[str, Mode], catch_up: Callable[[], Awaitable[None]] | None = None) -> None:
        self._modes = modes
        self._catch_up = catch_up
        self._asked = tuple(modes.values())
        self._prompt = tuple(mode for mode in self._asked if isinstance(mode, Prompt))

    async def authorize(self, user: User, info: RequestInfo) -> None:
        """Raises Forbidden where the user may not."""
        if MASTERS in user.groups:
            return
        decision = await self.decide(user, info)
        if not decision.allowed:
            raise forbidden(user, info, decision.reason)

    def surely_may(self, user: User, info: RequestInfo) -> bool:
        """Whether the user may, as far as that is known without asking anybody."""
        if MASTERS in user.groups:
            return True
        if len(self._prompt) < len(self._asked):
            return False
        opinions = (mode.decided(user, info).allowed for mode in self._prompt)
        return bool(next((opinion for opinion in opinions if opinion is not None), False))

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        """What the first one says that has an opinion; else no opinion, and everybody's reasons.

        What a kubelet may do follows from its pods, which many workers and servers change: before it is refused they are looked at
        as they are now.
        """
        if MASTERS in user.groups:
            return ALLOWED
        decision = await self._decided(user, info)
        if decision.allowed is None and self._catch_up is not None and node_of(user):
            with suppress(ApiError):
                await self._catch_up()
                decision = await self._decided(user, info)
        return decision

    async def _decided(self, user: User, info: RequestInfo) -> Decision:
        reasons = []
        for mode in self._asked:
            decision = await mode.decide(user, info)
            if decision.allowed is not None:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(None, "\n".join(reasons))

    def rules(self, user: User, namespace: str) -> tuple[list[Rule], list[str]]:
        """What the user may do in a namespace, as far as it can be listed; and why it may be more."""
        if MASTERS in user.groups or "AlwaysAllow" in self._modes:
            return list(EVERYTHING), []
        rules: list[Rule] = []
        unknown: list[str] = []
        for name, mode in self._modes.items():
            if isinstance(mode, RbacAuthorizer):
                found, missing = mode.rules(user, namespace)
                rules += found
                unknown += missing
            elif name == "Webhook" or (name == "Node" and node_of(user)):
                unknown.append(f"{name.lower()} authorizer does not support user rule resolution")
        return rules, unknown


def forbidden(user: User, info: RequestInfo, reason: str = "") -> NotAuthorized:
    """In upstream's words."""
    because = f": {reason}" if reason else ""
    if not info.is_resource:
        return NotAuthorized(f'forbidden: User "{escaped(user.name)}" cannot {info.verb} path "{escaped(info.path)}"{because}', {})
    plural = f"{info.plural}/{info.subresource}" if info.subresource else info.plural
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    why = f'User "{escaped(user.name)}" cannot {info.verb} resource "{plural}" in API group "{info.api_group}" {where}{because}'
    error = is_forbidden(info.plural, info.api_group, info.name, why)
    return NotAuthorized(error.message, error.details)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
