"""Server: the kubelet's own HTTP API on port 10250: logs, exec, attach, port-forward, pods, statistics and metrics.

It is the API server that asks, for its users. Exec, attach and port-forward are streaming/'s business. Our choice: Starlette,
which is the part of FastAPI that is used here; the rest would cost every node 15 MB.
There is no read-only port and no profiler: what is below /debug is refused in upstream's words for a kubelet without them.
https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/ · upstream pkg/kubelet/server/server.go
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, Router, WebSocketRoute
from starlette.websockets import WebSocket

from kube.api.views import tree_of
from kube.component.health import Health
from kube.component.metrics import CONTENT_TYPE
from kubelet.claimed_usage import ClaimedUsage
from kubelet.container_log import container_log, log_options
from kubelet.node_info import Machine
from kubelet.node_logs import node_log
from kubelet.node_metrics import cadvisor_metrics, resource_metrics
from kubelet.pod_workers import PodWorkers
from kubelet.probes.count import probe_metrics
from kubelet.runtime.runtime import Runtime, RuntimeFailure
from kubelet.samples import NodeSample, Sampler
from kubelet.server_auth import ServerAuth
from kubelet.stats import Stats
from kubelet.streaming.door import Door, refuse
from kubelet.streaming.target import Refused, Targets

JSON = "application/json"


class KubeletServer:
    """An ASGI app."""

    def __init__(
        self,
        workers: PodWorkers,
        runtime: Runtime,
        auth: ServerAuth,
        sampler: Sampler,
        claimed: ClaimedUsage,
        machine: Machine,
        health: Health,
    ) -> None:
        self._workers = workers
        self._runtime = runtime
        self._auth = auth
        self._sampler = sampler
        self._claimed = claimed
        self._machine = machine
        self._stats = Stats()
        self._health = health
        self._targets = Targets(workers, runtime)
        self.door = Door(self._targets, runtime, auth)
        self._router = Router(routes=self._routes())

    def _routes(self) -> list[Route | WebSocketRoute]:
        pod, container = "{namespace}/{pod}", "{namespace}/{pod}/{container}"
        with_uid = "{namespace}/{pod}/{uid}/{container}"
        return [
            Route("/pods", self._answering(self.pods)),
            Route("/runningpods/", self._answering(self.running_pods)),
            Route("/runningpods", self._answering(self.running_pods)),
            Route("/stats/summary", self._answering(self.summary), methods=["GET", "POST"]),
            Route("/stats", self._answering(self.summary)),  # once the whole of cAdvisor; today all that is told
            Route("/stats/", self._answering(self.summary)),
            Route("/metrics/resource", self._answering(self.resource_metrics)),
            Route("/metrics/cadvisor", self._answering(self.cadvisor_metrics)),
            Route("/metrics/probes", self._answering(self.probe_metrics)),
            Route("/spec", self._answering(self.spec)),
            Route("/spec/", self._answering(self.spec)),
            Route("/logs", self._answering(self.node_logs)),
            Route("/logs/{path:path}", self._answering(self.node_logs)),
            Route(f"/containerLogs/{container}", self._answering(self.logs)),
            Route(f"/run/{container}", self._answering(self.run_command), methods=["POST"]),
            Route(f"/run/{with_uid}", self._answering(self.run_command), methods=["POST"]),
            Route("/debug/{path:path}", self._answering(self.disabled)),
            WebSocketRoute(f"/exec/{container}", self.door.command),
            WebSocketRoute(f"/exec/{with_uid}", self.door.command),
            WebSocketRoute(f"/attach/{container}", self.door.command),
            WebSocketRoute(f"/attach/{with_uid}", self.door.command),
            WebSocketRoute(f"/portForward/{pod}", self.door.forward),
            Route("/{path:path}", self._health_answer),
        ]

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        subject = ((scope.get("extensions") or {}).get("tls") or {}).get("subject")
        headers = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        denied = await self._auth.check(scope.get("method", "GET"), scope["path"], subject, authorization)
        if denied is None:
            await self._router(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse(denied.text, denied.code)(scope, receive, send)
        else:
            await refuse(WebSocket(scope, receive, send), denied.code, denied.text)

    def _answering(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Refused as refused:
                return PlainTextResponse(refused.text, refused.code)
            except RuntimeFailure as error:
                return PlainTextResponse(str(error), 500)

        return answer

    async def _health_answer(self, request: Request) -> Response:
        if request.url.path == "/metrics":
            await self._claimed.of(self._workers.pods())
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        found = await self._health.answer(request.url.path, query)
        if found is None:
            return PlainTextResponse("404 page not found\n", 404)
        status, content_type, body = found
        return Response(body, status, media_type=content_type)

    # --- what runs ---------------------------------------------------------------------------------------------------

    async def pods(self, request: Request) -> Response:
        items = [tree_of(pod) for pod in self._workers.pods()]
        return _json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    async def running_pods(self, request: Request) -> Response:
        items = [
            {
                "metadata": {"name": records[0].pod.name, "namespace": records[0].pod.namespace, "uid": uid},
                "spec": {"containers": [{"name": one.name, "image": one.image} for one in records if not one.is_sandbox]},
            }
            for uid, records in self._workers.running().items()
        ]
        return _json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    async def summary(self, request: Request) -> Response:
        lean = request.query_params.get("only_cpu_and_memory", "") == "true"
        return _json(self._stats.summary(await self._sample(), only_cpu_and_memory=lean))

    async def resource_metrics(self, request: Request) -> Response:
        return Response(resource_metrics(await self._sample()), media_type=CONTENT_TYPE)

    async def cadvisor_metrics(self, request: Request) -> Response:
        return Response(cadvisor_metrics(await self._sample()), media_type=CONTENT_TYPE)

    async def probe_metrics(self, request: Request) -> Response:
        return Response(probe_metrics(), media_type=CONTENT_TYPE)

    async def spec(self, request: Request) -> Response:
        """The machine, as cAdvisor's MachineInfo names its parts."""
        info = self._machine.info
        return _json(
            {
                "num_cores": self._machine.cpus,
                "memory_capacity": self._machine.memory,
                "machine_id": info["machineID"],
                "system_uuid": info["systemUUID"],
                "boot_id": info["bootID"],
            }
        )

    async def node_logs(self, request: Request) -> Response:
        return await asyncio.to_thread(node_log, request.path_params.get("path", ""))

    async def disabled(self, request: Request) -> Response:
        return PlainTextResponse("profiling endpoint is disabled.", 405)

    async def _sample(self) -> NodeSample:
        pods, running = self._workers.pods(), self._workers.running()
        return await asyncio.to_thread(self._sampler.sample, pods, running, await self._claimed.of(pods))

    # --- one container -----------------------------------------------------------------------------------------------

    async def logs(self, request: Request) -> Response:
        pod = self._targets.pod(request.path_params["namespace"], request.path_params["pod"])
        name = request.path_params["container"]
        query = dict(request.query_params)
        try:
            options = log_options(query, datetime.now(UTC))
        except ValueError as error:
            raise Refused(400, str(error)) from error
        record = await self._targets.record(pod, name, previous=query.get("previous", "") in ("true", "1"))
        ended = self._runtime.wait_ended(record.id) if options.follow and record.running else None
        body = container_log(Path(record.log_path), options, ended)
        return StreamingResponse(body, media_type="text/plain")

    async def run_command(self, request: Request) -> Response:
        """Run a command without a stream, and answer with what it printed."""
        parameters = request.path_params
        pod = self._targets.pod(parameters["namespace"], parameters["pod"])
        record = await self._targets.record(pod, parameters["container"], previous=False)
        done = await self._runtime.execute(record.id, request.query_params.getlist("cmd"), None)
        return PlainTextResponse(done.output, 200 if done.exit_code == 0 else 500)


def _json(tree: dict[str, Any]) -> Response:
    return Response(orjson.dumps(tree), media_type=JSON)
