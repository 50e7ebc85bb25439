"""Health of kube-proxy: /healthz and /livez on 10256, for load balancers of whole nodes.

Healthy: no change has been waiting for its rules longer than twice the sync period. /healthz says, too, that the node takes no
new traffic while it is being deleted or taken out by the cluster autoscaler.
https://kubernetes.io/docs/reference/networking/virtual-ips/ · KEP-3836 · upstream pkg/proxy/healthcheck/proxy_health.go
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from kube.api.types import Node
from kube_proxy.proxy import Proxy

LEAVING_TAINT = "ToBeDeletedByClusterAutoscaler"
JSON_HEADERS = ((b"content-type", b"application/json"), (b"x-content-type-options", b"nosniff"))


@dataclass(frozen=True)
class ProxyHealth:
    proxy: Proxy
    node: Callable[[], Node | None]
    patience_seconds: float  # how long a change may wait

    def healthy(self, now: float) -> bool:
        """Whether rules follow changes: one that waits has not waited long."""
        waiting_since = self.proxy.queued_at
        return waiting_since is None or now - waiting_since < self.patience_seconds

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """As an ASGI app: /healthz and /livez."""
        if scope["type"] != "http":
            return
        now = time.time()
        updated = self.proxy.synced_at if self.proxy.queued_at else now
        answer: dict[str, object] = {"lastUpdated": _go_time(updated), "currentTime": _go_time(now)}
        eligible = _eligible(self.node())
        well = self.healthy(now)
        if scope["path"] == "/healthz":
            answer["nodeEligible"] = eligible
            well = well and eligible
        elif scope["path"] != "/livez":
            await respond(send, 404, b"404 page not found\n")
            return
        await respond(send, 200 if well else 503, orjson.dumps(answer), JSON_HEADERS)


async def respond(send: Any, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """One whole ASGI answer."""
    all_headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body})


def _eligible(node: Node | None) -> bool:
    if node is None:
        return True
    taints = (node.spec.taints if node.spec is not None else None) or ()
    return node.metadata.deletionTimestamp is None and all(taint.key != LEAVING_TAINT for taint in taints)


def _go_time(moment: float | None) -> str:
    """As Go prints a time.Time; upstream's answer holds it so."""
    return datetime.fromtimestamp(moment or 0.0, UTC).strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC")
