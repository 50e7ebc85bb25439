"""Question: one probe asked once: a command, an HTTP GET, a TCP connection or a gRPC health check.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe · upstream pkg/probe
"""

import asyncio
from typing import NamedTuple

import httpx

from kube.api.types import Container, Pod, Probe
from kube.api.wire import block
from kubelet.http_get import HttpGet, headers_of, resolve_port, url_of
from kubelet.probes.probe import DEFAULT_TIMEOUT
from kubelet.runtime.runtime import Runtime, RuntimeFailure, RuntimeUnavailable

MAX_OUTPUT = 10 * 1024  # characters of a command's output that are told
AGENT = "kube-probe"
GRPC_CHECK = "/grpc.health.v1.Health/Check"
GRPC_SERVING = b"\x08\x01"  # HealthCheckResponse{status: SERVING} in protobuf


def _as_it_is(message: bytes) -> bytes:
    return message


class Answer(NamedTuple):
    good: bool
    message: str
    warning: bool = False  # good, and yet worth an event


class Asking:
    """Where questions go."""

    def __init__(self, runtime: Runtime, http: HttpGet) -> None:
        self._runtime = runtime
        self._http = http

    async def ask(self, pod: Pod, container: Container, container_id: str, pod_ip: str, probe: Probe) -> Answer | None:
        """One answer; None where nobody can say (the engine is away)."""
        seconds = probe.timeoutSeconds or DEFAULT_TIMEOUT
        try:
            if probe.exec is not None:
                return await self._command(container_id, probe.exec.command or [], seconds)
            async with asyncio.timeout(seconds):
                if probe.httpGet is not None:
                    return await self._get(pod, container, pod_ip, probe)
                if probe.tcpSocket is not None:
                    port = resolve_port(pod, container.name, probe.tcpSocket.port)
                    _, writer = await asyncio.open_connection(probe.tcpSocket.host or pod_ip, port)
                    writer.close()
                    return Answer(True, "")
                return await self._grpc(pod_ip, probe)
        except TimeoutError:
            return Answer(False, "context deadline exceeded")
        except (OSError, ValueError, httpx.HTTPError) as error:
            return Answer(False, str(error) or type(error).__name__)

    async def _command(self, container_id: str, command: list[str], seconds: int) -> Answer | None:
        try:
            result = await self._runtime.execute(container_id, command, seconds)
        except RuntimeUnavailable:
            return None
        except RuntimeFailure as error:
            return Answer(False, str(error))
        except TimeoutError:
            return Answer(False, f"command timed out: {' '.join(command)!r} timed out after {seconds}s")
        return Answer(result.exit_code == 0, result.output.decode(errors="replace")[:MAX_OUTPUT])

    async def _get(self, pod: Pod, container: Container, pod_ip: str, probe: Probe) -> Answer:
        action = probe.httpGet
        url = url_of(action, pod_ip, resolve_port(pod, container.name, action.port))
        try:
            answer = await self._http.get(url, headers_of(action, AGENT))
        except httpx.HTTPError as error:
            return Answer(False, f'Get "{url}": {error or type(error).__name__}')
        if answer.elsewhere:
            return Answer(True, f"Probe terminated redirects, Response body: {answer.body}", warning=True)
        if 200 <= answer.status < 400:
            return Answer(True, "")
        return Answer(False, f"HTTP probe failed with statuscode: {answer.status}")

    async def _grpc(self, pod_ip: str, probe: Probe) -> Answer:
        import grpc.aio  # 5 MB that a node without such probes need not have

        service = (probe.grpc.service or "").encode()
        request = block(1, service) if service else b""  # HealthCheckRequest{service}
        async with grpc.aio.insecure_channel(f"{pod_ip}:{probe.grpc.port}") as channel:
            try:
                answer: bytes = await channel.unary_unary(GRPC_CHECK, _as_it_is, _as_it_is)(request)
            except grpc.aio.AioRpcError as error:
                return Answer(False, f"error: health rpc probe failed: {error.details()}")
        good = answer.startswith(GRPC_SERVING)
        return Answer(good, "" if good else 'service unhealthy (responded with "NOT_SERVING")')
