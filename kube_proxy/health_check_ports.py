"""Health check node ports: tell a load balancer whether this node has endpoints of a Service with externalTrafficPolicy Local.

Each such Service of type LoadBalancer has a healthCheckNodePort; on it this node answers 200 if it has endpoints, else 503.
A port that another program holds is tried again until it is free.
https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/
upstream pkg/proxy/healthcheck/service_health.go
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson

from kube.api.meta import Key
from kube.component.http_server import Server, serve
from kube.component.logging import get_logger
from kube_proxy.health import JSON_HEADERS, respond
from kube_proxy.rules import PortRule

log = get_logger(__name__)


RETRY_SECONDS = 30.0  # upstream comes back to a port with the next full sync


class HealthCheckPorts:
    def __init__(self, healthy: Callable[[], bool], host: str = "", retry_seconds: float = RETRY_SECONDS) -> None:
        self._healthy = healthy
        self._host = host or "0.0.0.0"
        self._retry_seconds = retry_seconds
        self._endpoints: dict[Key, int] = {}  # local ones, by Service
        self._wanted: dict[Key, int] = {}  # port by Service
        self._servers: dict[Key, tuple[int, Server]] = {}
        self._wake = asyncio.Event()

    def take(self, service: Key, rules: Sequence[PortRule]) -> None:
        """Note what a Service has now; the listeners follow."""
        port = next((rule.health_check_node_port for rule in rules if rule.health_check_node_port), 0)
        if port:
            self._endpoints[service] = len(
                {target.address for rule in rules if rule.family == rules[0].family for target in rule.external}
            )
            self._wanted[service] = port
        else:
            self._endpoints.pop(service, None)
            self._wanted.pop(service, None)
        if port != self._servers.get(service, (0, None))[0]:
            self._wake.set()

    async def run(self) -> None:
        """Keep the listeners in step until cancelled."""
        try:
            while True:
                missing = self._wanted.keys() - self._servers.keys()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._retry_seconds if missing else None)
                self._wake.clear()
                await self._listen()
        finally:
            for _, server in self._servers.values():
                await server.close()

    async def _listen(self) -> None:
        for service, (port, server) in list(self._servers.items()):
            if self._wanted.get(service) != port:
                del self._servers[service]
                await server.close()
        for service, port in list(self._wanted.items()):
            if service in self._servers:
                continue
            try:
                self._servers[service] = (port, await serve(self._app(service), self._host, port))
            except OSError as error:
                log.error("cannot listen on a health check node port", service=service, port=port, reason=error)

    def _app(self, service: Key) -> Callable[..., Any]:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return
            count, healthy = self._endpoints.get(service, 0), self._healthy()
            answer = {
                "service": {"namespace": service.namespace, "name": service.name},
                "localEndpoints": count,
                "serviceProxyHealthy": healthy,
            }
            headers = (*JSON_HEADERS, (b"x-load-balancing-endpoint-weight", str(count).encode()))
            await respond(send, 200 if count and healthy else 503, orjson.dumps(answer), headers)

        return app
