"""Server: the kubelet's own HTTP API on port 10250: logs, exec, attach, port-forward, pods and statistics.

It is the API server that asks, for its users. Exec, attach and port-forward speak WebSocket. Our choice: Starlette, which is
the part of FastAPI that is used here; the rest would cost every node 15 MB.
https://kubernetes.io/docs/concepts/architecture/control-plane-node-communication/ · upstream pkg/kubelet/server/server.go
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, Router, WebSocketRoute
from starlette.websockets import WebSocket

from kube.api.types import Pod
from kube.api.views import tree_of
from kube.component.health import Health
from kubelet import channels
from kubelet.container_log import container_log, log_options
from kubelet.pod_workers import PodWorkers
from kubelet.port_forward import forward
from kubelet.runtime.runtime import Runtime, RuntimeContainer, RuntimeFailure, Session
from kubelet.server_auth import ServerAuth
from kubelet.stats import Stats

JSON = "application/json"


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class KubeletServer:
    """An ASGI app."""

    def __init__(self, workers: PodWorkers, runtime: Runtime, auth: ServerAuth, stats: Stats, health: Health) -> None:
        self._workers = workers
        self._runtime = runtime
        self._auth = auth
        self._stats = stats
        self._health = health
        self._router = Router(routes=self._routes())

    def _routes(self) -> list[Route | WebSocketRoute]:
        pod, container = "{namespace}/{pod}", "{namespace}/{pod}/{container}"
        with_uid = "{namespace}/{pod}/{uid}/{container}"
        return [
            Route("/pods", self._answering(self.pods)),
            Route("/runningpods/", self._answering(self.running_pods)),
            Route("/runningpods", self._answering(self.running_pods)),
            Route("/stats/summary", self._answering(self.summary)),
            Route("/metrics/resource", self._answering(self.resource_metrics)),
            Route(f"/containerLogs/{container}", self._answering(self.logs)),
            WebSocketRoute(f"/exec/{container}", self.execute),
            WebSocketRoute(f"/exec/{with_uid}", self.execute),
            WebSocketRoute(f"/attach/{container}", self.attach),
            WebSocketRoute(f"/attach/{with_uid}", self.attach),
            WebSocketRoute(f"/portForward/{pod}", self.port_forward),
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
            await _refuse(WebSocket(scope, receive, send), denied.code, denied.text)

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
            for uid, records in (await self._running()).items()
        ]
        return _json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    async def summary(self, request: Request) -> Response:
        return _json(self._stats.summary(self._workers.pods(), await self._running(), datetime.now(UTC)))

    async def resource_metrics(self, request: Request) -> Response:
        return PlainTextResponse(self._stats.resource_metrics(self._workers.pods(), await self._running()))

    async def _running(self) -> dict[str, list[RuntimeContainer]]:
        found: dict[str, list[RuntimeContainer]] = {}
        for record in await self._runtime.containers():
            if record.running:
                found.setdefault(record.pod.uid, []).append(record)
        return found

    # --- one container -----------------------------------------------------------------------------------------------

    async def logs(self, request: Request) -> Response:
        pod = self._pod(request.path_params)
        name = request.path_params["container"]
        query = dict(request.query_params)
        try:
            options = log_options(query, datetime.now(UTC))
        except ValueError as error:
            raise Refused(400, str(error)) from error
        record = await self._record(pod, name, previous=query.get("previous", "") in ("true", "1"))
        ended = self._runtime.wait_ended(record.id) if options.follow and record.running else None
        body = container_log(Path(record.log_path), options, ended)
        return StreamingResponse(body, media_type="text/plain")

    def _pod(self, params: dict[str, str]) -> Pod:
        namespace, name = params["namespace"], params["pod"]
        for pod in self._workers.pods():
            if (pod.metadata.namespace, pod.metadata.name) == (namespace, name):
                return pod
        raise Refused(404, f'pod "{name}" not found')

    async def _record(self, pod: Pod, name: str, *, previous: bool = False) -> RuntimeContainer:
        """The container's newest record, or the one before. Raises Refused in upstream's words."""
        known = {one.name for one in [*(pod.spec.initContainers or ()), *pod.spec.containers]}
        if name not in known:
            raise Refused(404, f'container "{name}" not found in pod "{pod.metadata.name}"')
        records = [one for one in await self._runtime.containers(pod.metadata.uid) if one.name == name and one.state != "created"]
        if previous:
            ended = [one for one in records if not one.running]
            at_rest = records and not records[0].running and len(records) > 1
            chosen = records[1] if at_rest else (ended[0] if ended else None)
            if chosen is None:
                raise Refused(400, f'previous terminated container "{name}" in pod "{pod.metadata.name}" not found')
            return chosen
        if not records:
            raise Refused(400, f'container "{name}" in pod "{pod.metadata.name}" is waiting to start: {_why(pod, name)}')
        return records[0]

    async def execute(self, websocket: WebSocket) -> None:
        async def begin(record: RuntimeContainer) -> Session:
            query = websocket.query_params
            argv = query.getlist("command")
            return await self._runtime.exec_session(
                record.id, argv, stdin=_asked(websocket, "stdin", "input"), tty=_asked(websocket, "tty")
            )

        await self._join(websocket, begin, tells_exit_code=True)

    async def attach(self, websocket: WebSocket) -> None:
        async def begin(record: RuntimeContainer) -> Session:
            return await self._runtime.attach_session(record.id, stdin=_asked(websocket, "stdin", "input"))

        await self._join(websocket, begin, tells_exit_code=False)

    async def _join(
        self, websocket: WebSocket, begin: Callable[[RuntimeContainer], Awaitable[Session]], *, tells_exit_code: bool
    ) -> None:
        protocol = channels.chosen(websocket.scope.get("subprotocols") or ())
        try:
            if protocol is None:
                raise Refused(400, "the client offers no channel protocol that this kubelet speaks")
            pod = self._pod(websocket.path_params)
            record = await self._record(pod, websocket.path_params["container"])
            if not record.running:
                raise Refused(400, f"container not found ({record.name!r})".replace("'", '"'))
            session = await begin(record)
        except Refused as refused:
            await _refuse(websocket, refused.code, refused.text)
            return
        except RuntimeFailure as error:
            await _refuse(websocket, 500, str(error))
            return
        await websocket.accept(subprotocol=protocol)
        await channels.join(websocket, session, tells_exit_code=tells_exit_code)

    async def port_forward(self, websocket: WebSocket) -> None:
        try:
            pod = self._pod(websocket.path_params)
            ports = [int(text) for value in websocket.query_params.getlist("ports") for text in value.split(",")]
            if channels.V4 not in (websocket.scope.get("subprotocols") or ()) or not ports:
                raise Refused(400, "port-forward needs the subprotocol v4.channel.k8s.io and the query parameter ports")
            records = await self._runtime.containers(pod.metadata.uid)
            sandbox = next((one for one in records if one.is_sandbox and one.running), None)
            if sandbox is None:
                raise Refused(400, f'pod "{pod.metadata.name}" is not running')
        except Refused as refused:
            await _refuse(websocket, refused.code, refused.text)
            return
        await websocket.accept(subprotocol=channels.V4)
        await forward(websocket, 0 if pod.spec.hostNetwork else sandbox.pid, ports)


def _asked(websocket: WebSocket, *names: str) -> bool:
    """The API server passes on its own names (stdin); upstream's translates them (input)."""
    return any(websocket.query_params.get(name, "") in ("true", "1") for name in names)


def _why(pod: Pod, name: str) -> str:
    for status in [*(pod.status.containerStatuses or ()), *(pod.status.initContainerStatuses or ())]:
        if status.name == name and status.state is not None and status.state.waiting is not None:
            return str(status.state.waiting.reason)
    return "ContainerCreating"


def _json(tree: dict[str, Any]) -> Response:
    return Response(orjson.dumps(tree), media_type=JSON)


async def _refuse(websocket: WebSocket, code: int, text: str) -> None:
    """An ordinary answer instead of the upgrade."""
    await websocket.send_denial_response(PlainTextResponse(text, code))
