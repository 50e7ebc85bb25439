"""Hooks: postStart and preStop of a container: a command in it, an HTTP request or TCP connection to it, or a pause.

https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/ · upstream pkg/kubelet/lifecycle/handlers.go
"""

import asyncio

import httpx

from kube.api.types import Container, LifecycleHandler, Pod
from kubelet.http_get import HttpGet, headers_of, resolve_port, url_of
from kubelet.runtime.runtime import Runtime, RuntimeFailure


class HookFailed(Exception):
    """The hook ran and did not succeed, or could not run."""


class Hooks:
    def __init__(self, runtime: Runtime, http: HttpGet) -> None:
        self._runtime = runtime
        self._http = http

    async def run(self, pod: Pod, container: Container, container_id: str, pod_ip: str, handler: LifecycleHandler) -> None:
        """Run to the end. Raises HookFailed. Cancel it to end it early."""
        try:
            if handler.exec is not None:
                await self._exec(pod, container, container_id, handler.exec.command or [])
            elif handler.httpGet is not None:
                port = resolve_port(pod, container.name, handler.httpGet.port)
                await self._http.get(url_of(handler.httpGet, pod_ip, port), headers_of(handler.httpGet, "kube-lifecycle"))
            elif handler.tcpSocket is not None:
                port = resolve_port(pod, container.name, handler.tcpSocket.port)
                _, writer = await asyncio.open_connection(handler.tcpSocket.host or pod_ip, port)
                writer.close()
            elif handler.sleep is not None:
                await asyncio.sleep(handler.sleep.seconds)
        except (httpx.HTTPError, OSError, ValueError, RuntimeFailure) as error:
            raise HookFailed(
                f'lifecycle hook for Container "{container.name}" in Pod "{_name(pod)}" failed - error: {error}'
            ) from error

    async def _exec(self, pod: Pod, container: Container, container_id: str, command: list[str]) -> None:
        result = await self._runtime.execute(container_id, command, None)
        if result.exit_code == 0:
            return
        words = " ".join(command)
        output = result.output.decode(errors="replace")
        raise HookFailed(
            f'Exec lifecycle hook ([{words}]) for Container "{container.name}" in Pod "{_name(pod)}" failed - '
            f"error: command '{words}' exited with {result.exit_code}: {output}, message: {output!r}"
        )


def _name(pod: Pod) -> str:
    return f"{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})"
