"""Health, version and metrics of the API server.

They are answered before anything else is loaded (`behind.py`): whoever waits for a server asks for them first.
https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from apiserver import metrics, started
from apiserver.context import RequestInfo, Response, Server
from apiserver.nowhere import no_method
from kube.api.status import ApiError
from kube.component.health import Check, Health
from kube.component.logging import can_be_written
from kube.component.metrics import CONTENT_TYPE

ALL_METRICS = "metrics of all workers"  # in server.state, where there are several: an awaitable that answers with their text
NOT_FOUND = 404
CHECKS = "health checks"  # in server.state: their paths, for the list of all paths
ROOTS = frozenset(("healthz", "livez", "readyz", "metrics", "version"))


class Probes:
    def __init__(self, server: Server) -> None:
        self._server = server
        etcd, readiness = (Check(name, lambda: _etcd(server)) for name in ("etcd", "etcd-readiness"))
        log, begun = Check("log", can_be_written), tuple(started.checks(server))
        read = Check("informer-sync", lambda: _read(server))
        self._alive = Health(log, etcd, *begun)
        self._ready = Health(log, etcd, readiness, read, *begun, Check("shutdown", lambda: _goes_on(server)))
        server.state[CHECKS] = [
            *(f"{root}/{check.name}" for root in ("healthz", "livez") for check in self._alive.checks),
            *(f"readyz/{check.name}" for check in self._ready.checks),
        ]
        metrics.show(server)

    async def answer(self, info: RequestInfo) -> Response | None:
        """None for a path that is not about health, or about a check that there is not. Raises MethodNotAllowed."""
        root = info.path.split("/", 2)[1] if info.path.startswith("/") else ""
        if root not in ROOTS:
            return None
        path = "/version" if info.path == "/version/" else info.path
        if path == "/version" and info.method not in ("GET", "HEAD"):
            raise no_method()
        if path.endswith("/"):
            return None
        if path == "/metrics" and (all_metrics := self._server.state.get(ALL_METRICS)) is not None:
            return Response(200, await all_metrics(), CONTENT_TYPE)
        found = await (self._ready if root == "readyz" else self._alive).answer(path, info.query)
        if found is None or found[0] == NOT_FOUND:
            return None
        status, kind, body = found
        one_alone = path.strip("/") not in ROOTS and status == 200
        return Response(status, body, kind, [] if one_alone else [("X-Content-Type-Options", "nosniff")])


async def _etcd(server: Server) -> str | None:
    try:
        await server.etcd.get("health")
    except ApiError as error:
        return error.message
    return None


async def _read(server: Server) -> str | None:
    """The caches that requests are judged by: one watch fills them all."""
    return None if server.stores.feed.ready.is_set() else "1 informers not started yet: [registry]"


async def _goes_on(server: Server) -> str | None:
    return "process is shutting down" if server.state.get("shutting down") else None
