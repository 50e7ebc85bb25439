"""Health check node ports: what a load balancer asks."""

import asyncio
import socket

import pytest

from kube.api.meta import Key
from kube_proxy.health_check_ports import HealthCheckPorts
from kube_proxy.rules import PortRule
from tests.wait import eventually

WITHIN_SECONDS = 5.0


def test_a_port_that_another_holds_is_taken_once_it_is_free(caplog: pytest.LogCaptureFixture) -> None:
    """Rule: pkg/proxy/healthcheck/service_health.go (each sync listens where it could not before)"""

    async def refused() -> bool:
        return "cannot listen on a health check node port" in caplog.text

    async def answers(port: int) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return False
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return b"503" in answer.split(b"\r\n")[0] and b'"localEndpoints":0' in answer

    async def story() -> None:
        service = Key("default", "web")
        ports = HealthCheckPorts(lambda: True, "127.0.0.1", retry_seconds=0.05)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            ports.take(service, [PortRule(service, "", "TCP", "10.96.0.1", 80, health_check_node_port=port)])
            running = asyncio.create_task(ports.run())
            await eventually(refused, WITHIN_SECONDS, "a listen that failed")
        await eventually(lambda: answers(port), WITHIN_SECONDS, "an answer on the port")
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(story())
