"""Health, version and metrics of the API server.

They are answered before anything else is loaded (`behind.py`): whoever waits for a server asks for them first.
https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from apiserver import metrics
from apiserver.context import RequestInfo, Response, Server
from apiserver.nowhere import no_method
from kube.api.status import ApiError
from kube.component.health import Check, Health
from kube.component.metrics import CONTENT_TYPE

ALL_METRICS = "metrics of all workers"  # in server.state, where there are several: an awaitable that answers with their text
ROOTS = frozenset(("healthz", "livez", "readyz", "metrics", "version"))


class Probes:
    def __init__(self, server: Server) -> None:
        self._server = server
        checks = (Check("etcd", lambda: _etcd(server)), Check("poststarthook/start-bootstrap", lambda: _bootstrapped(server)))
        self._alive = Health(*checks)
        self._ready = Health(*checks, Check("shutdown", lambda: _goes_on(server)))
        metrics.show(server)

    async def answer(self, info: RequestInfo) -> Response | None:
        """None for a path that is not about health. Raises MethodNotAllowed."""
        root = info.path.split("/", 2)[1] if info.path.startswith("/") else ""
        if root not in ROOTS:
            return None
        if info.method not in ("GET", "HEAD"):
            raise no_method()
        path = "/version" if info.path == "/version/" else info.path
        if path == "/metrics" and (all_metrics := self._server.state.get(ALL_METRICS)) is not None:
            return Response(200, await all_metrics(), CONTENT_TYPE)
        found = await (self._ready if root == "readyz" else self._alive).answer(path, info.query)
        status, kind, body = found or (404, "text/plain; charset=utf-8", b"404 page not found\n")
        return Response(status, body, kind, [("X-Content-Type-Options", "nosniff")])


async def _etcd(server: Server) -> str | None:
    try:
        await server.etcd.get("health")
    except ApiError as error:
        return error.message
    return None


async def _bootstrapped(server: Server) -> str | None:
    return None if server.state.get("bootstrapped") else "not finished"


async def _goes_on(server: Server) -> str | None:
    return "process is shutting down" if server.state.get("shutting down") else None
