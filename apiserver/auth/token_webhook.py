"""The token webhook: another server knows whose a bearer token is, asked by TokenReview.

--authentication-token-webhook-config-file is a kubeconfig whose cluster is that server. What it says of a token is remembered for
--authentication-token-webhook-cache-ttl. One that cannot be asked knows nobody.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
"""

import asyncio
import hashlib
import time
from collections import OrderedDict

from apiserver.context import Server, User
from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.client import kubeconfig
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger

log = get_logger(__name__)

REMEMBERED = 8192  # tokens
Found = tuple[User, tuple[str, ...]] | None


def build(server: Server) -> "TokenWebhook | None":
    """None where no such server is named."""
    config = server.config
    path = config.authentication_token_webhook_config_file
    if path is None:
        return None
    way = kubeconfig.load(str(path))
    made = TokenWebhook(way, config.authentication_token_webhook_version, config.authentication_token_webhook_cache_ttl)
    server.spawn(made.connected(), "token webhook")
    return made


class TokenWebhook:
    def __init__(self, way: kubeconfig.Config, version: str, seconds: float) -> None:
        self._client = Client(way, "kube-apiserver")
        self._version = version
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[float, Found]] = OrderedDict()
        self._ready = asyncio.Event()

    async def connected(self) -> None:
        """Keep the connections for the server's life."""
        async with self._client:
            self._ready.set()
            await asyncio.Event().wait()

    async def user_of(self, token: str, audiences: tuple[str, ...]) -> Found:
        key = hashlib.sha256("\0".join((token, *audiences)).encode()).digest()  # tokens are not kept in memory
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        await self._ready.wait()
        spec: Tree = {"token": token, **({"audiences": list(audiences)} if audiences else {})}
        review = {"apiVersion": f"authentication.k8s.io/{self._version}", "kind": "TokenReview", "spec": spec}
        try:
            answer = (await self._client.request("POST", "", body=review)).tree().get("status") or {}
        except (ApiError, Unreachable) as error:
            log.warning("token webhook does not answer", reason=error)
            return None
        found = found_in(answer, audiences)
        self._known[key] = (time.monotonic() + self._seconds, found)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found


def found_in(status: Tree, audiences: tuple[str, ...]) -> Found:
    """What a TokenReview's status says. Pure."""
    who = status.get("user") or {}
    if not status.get("authenticated") or not who.get("username"):
        return None
    told = status.get("audiences") or ()
    meant_for = tuple(one for one in audiences if one in told)
    if told and not meant_for:
        return None
    user = User(who["username"], tuple(who.get("groups") or ()), who.get("uid") or "", who.get("extra") or {})
    return user, meant_for
