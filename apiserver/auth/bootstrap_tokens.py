"""Bootstrap tokens: `<id>.<secret>`, by which a machine that has nothing yet joins the cluster.

Each is a Secret bootstrap-token-<id> in kube-system. Whoever shows the token is system:bootstrap:<id>, in system:bootstrappers
and in the groups that the Secret adds. On with --enable-bootstrap-token-auth.
https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
kubernetes plugin/pkg/auth/authenticator/token/bootstrap
"""

import base64
import hmac
import re
from datetime import datetime

from apiserver.context import Server, User
from kube.api.meta import Key, Tree
from kube.api.resources import resource_of
from kube.api.types import Secret

FORM = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
TYPE = "bootstrap.kubernetes.io/token"
GROUP = "system:bootstrappers"
EXTRA_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


class BootstrapTokens:
    def __init__(self, server: Server) -> None:
        self._server = server

    async def user_of(self, token: str, audiences: tuple[str, ...]) -> tuple[User, tuple[str, ...]] | None:
        found = FORM.fullmatch(token)
        if found is None:
            return None
        store = self._server.stores.store_for(resource_of(Secret))
        secret = store.cached(Key("kube-system", f"bootstrap-token-{found[1]}"))
        user = user_of(secret, found[1], found[2], store.now()) if secret is not None else None
        return (user, ()) if user is not None else None


def user_of(secret: Tree, identity: str, password: str, now: datetime) -> User | None:
    """Whom a Secret makes of a token, if it does. Pure."""
    data = {name: base64.b64decode(value).decode(errors="replace") for name, value in (secret.get("data") or {}).items()}
    if secret.get("type") != TYPE or secret["metadata"].get("deletionTimestamp"):
        return None
    if data.get("token-id") != identity or not hmac.compare_digest(data.get("token-secret", "").encode(), password.encode()):
        return None
    if data.get("usage-bootstrap-authentication") != "true" or is_over(data.get("expiration", ""), now):
        return None
    extra = [group for group in data.get("auth-extra-groups", "").split(",") if group]
    if any(not EXTRA_GROUP.fullmatch(group) for group in extra):
        return None
    return User(f"system:bootstrap:{identity}", tuple(sorted({GROUP, *extra})))


def is_over(expiration: str, now: datetime) -> bool:
    """Also what is no time is over."""
    if not expiration:
        return False
    try:
        return datetime.fromisoformat(expiration) <= now
    except (ValueError, TypeError):
        return True
