"""The webhook authorizer: another server decides, asked by SubjectAccessReview.

--authorization-webhook-config-file is a kubeconfig whose cluster is that server. What it answers is remembered for a while:
--authorization-webhook-cache-authorized-ttl where it allowed, ...-unauthorized-ttl where not. One that cannot be asked has no
opinion. It may also forbid (`denied`), and then nobody after it is asked.
https://kubernetes.io/docs/reference/access-authn-authz/webhook/ · apiserver plugin/pkg/authorizer/webhook
"""

import asyncio
import time
from collections import OrderedDict
from typing import Any

from apiserver.auth.decision import Decision
from apiserver.context import RequestInfo, Server, User
from kube.api.meta import Tree
from kube.api.status import ApiError
from kube.client import kubeconfig
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger
from kube.component.run import StartupError

log = get_logger(__name__)

REMEMBERED = 8192  # decisions


def build(server: Server) -> "WebhookAuthorizer":
    config = server.config
    if config.authorization_webhook_config_file is None:
        raise StartupError("--authorization-mode=Webhook needs --authorization-webhook-config-file: whom to ask")
    made = WebhookAuthorizer(
        kubeconfig.load(str(config.authorization_webhook_config_file)),
        config.authorization_webhook_version,
        (config.authorization_webhook_cache_authorized_ttl, config.authorization_webhook_cache_unauthorized_ttl),
    )
    server.spawn(made.connected(), "authorization webhook")
    return made


class WebhookAuthorizer:
    def __init__(self, way: kubeconfig.Config, version: str, seconds: tuple[float, float]) -> None:
        self._client = Client(way, "kube-apiserver")
        self._version = version
        self._allowed_seconds, self._other_seconds = seconds
        self._known: OrderedDict[Any, tuple[float, Decision]] = OrderedDict()
        self._ready = asyncio.Event()

    async def connected(self) -> None:
        """Keep the connections for the server's life."""
        async with self._client:
            self._ready.set()
            await asyncio.Event().wait()

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        spec = spec_of(user, info)
        key = repr(spec)
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        try:
            decision = await self._asked(spec)
        except (ApiError, Unreachable) as error:
            log.warning("authorization webhook does not answer", reason=error)
            return Decision(None)
        seconds = self._allowed_seconds if decision.allowed else self._other_seconds
        self._known[key] = (time.monotonic() + seconds, decision)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return decision

    async def _asked(self, spec: Tree) -> Decision:
        await self._ready.wait()
        if self._version == "v1beta1" and "groups" in spec:
            spec = {**{name: value for name, value in spec.items() if name != "groups"}, "group": spec["groups"]}
        review = {"apiVersion": f"authorization.k8s.io/{self._version}", "kind": "SubjectAccessReview", "spec": spec}
        answer = (await self._client.request("POST", "", body=review)).tree().get("status") or {}
        return decision_of(answer)


def spec_of(user: User, info: RequestInfo) -> Tree:
    """A SubjectAccessReview's spec. Pure."""
    spec: Tree = {"user": user.name, "uid": user.uid, "groups": list(user.groups), "extra": dict(user.extra)}
    if info.is_resource:
        attributes = {
            "verb": info.verb, "group": info.api_group, "version": info.api_version, "resource": info.plural,
            "subresource": info.subresource, "namespace": info.namespace, "name": info.name,
        }  # fmt: skip
        spec["resourceAttributes"] = {name: value for name, value in attributes.items() if value}
    else:
        spec["nonResourceAttributes"] = {"verb": info.verb, "path": info.path}
    return {name: value for name, value in spec.items() if value}


def decision_of(status: Tree) -> Decision:
    """Pure."""
    allowed = True if status.get("allowed") else False if status.get("denied") else None
    return Decision(allowed, status.get("reason") or "")
