"""Authorization, until RBAC is there: the system's own components may do everything, everybody may look around.

- system:masters, the cluster's own programs (COMPONENTS) and its nodes: everything;
- every authenticated user: discovery, OpenAPI, version, health, and reviews of what they may do themselves;
- everybody: health and version.
https://kubernetes.io/docs/reference/access-authn-authz/authorization/
apiserver pkg/endpoints/handlers/responsewriters/errors.go
"""

from apiserver.context import Authorizer, RequestInfo, Server, User
from kube.api.status import Forbidden, is_forbidden

PUBLIC = ("/healthz", "/livez", "/readyz", "/version")
DISCOVERY = ("/api", "/apis", "/openapi", "/.well-known/openid-configuration", "/openid")
SELF_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")
COMPONENTS = ("system:apiserver", "system:kube-controller-manager", "system:kube-proxy", "system:kube-scheduler")
NODE_PREFIX, NODES = "system:node:", "system:nodes"


def build(server: Server) -> Authorizer:
    """The authorizer; --authorization-mode is for RBAC to come."""
    return ComponentAuthorizer()


class ComponentAuthorizer:
    async def authorize(self, user: User, info: RequestInfo) -> None:
        if not allowed(user, info):
            raise forbidden(user, info)


def allowed(user: User, info: RequestInfo) -> bool:
    """The decision. Pure."""
    if is_component(user):
        return True
    if not info.is_resource:
        return _below(info.path, PUBLIC) or ("system:authenticated" in user.groups and _below(info.path, DISCOVERY))
    return "system:authenticated" in user.groups and info.verb == "create" and info.plural in SELF_REVIEWS


def is_component(user: User) -> bool:
    """system:masters, or one of the cluster's own programs."""
    if "system:masters" in user.groups or user.name in COMPONENTS:
        return True
    return user.name.startswith(NODE_PREFIX) and NODES in user.groups


def forbidden(user: User, info: RequestInfo) -> Forbidden:
    """In upstream's words."""
    if not info.is_resource:
        return Forbidden(f'forbidden: User "{escaped(user.name)}" cannot {info.verb} path "{escaped(info.path)}"')
    plural = f"{info.plural}/{info.subresource}" if info.subresource else info.plural
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    why = f'User "{escaped(user.name)}" cannot {info.verb} resource "{plural}" in API group "{info.api_group}" {where}'
    return is_forbidden(info.plural, info.api_group, info.name, why)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)
