"""Registration: the socket at which device plugins tell of themselves.

gRPC is loaded when the first plugin comes: nodes without plugins have no memory to spare for it. Until then the socket is a plain
one, and afterwards it passes bytes on to gRPC's own, beside it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from kube.component.logging import get_logger
from kubelet.csi.protobuf import decode, encode
from kubelet.devices import messages

log = get_logger("kubelet.devices")

SOCKET, INNER = "kubelet.sock", ".kubelet-registration.sock"
CHUNK_BYTES = 1 << 16

Register = Callable[[dict[str, Any]], str]  # takes what a plugin tells; returns why it is refused, or nothing


class Registration:
    def __init__(self, directory: Path, register: Register) -> None:
        self._directory = directory
        self._register = register
        self._server: Any = None  # gRPC's
        self._starting = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as connections:

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                connections.create_task(self._passed_on(reader, writer))

            door = await asyncio.start_unix_server(connected, self._directory / SOCKET)
            try:
                await asyncio.Event().wait()
            finally:
                door.close()
                (self._directory / SOCKET).unlink(missing_ok=True)
                if self._server is not None:
                    await self._server.stop(None)

    async def _passed_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_writer = None
        try:
            async with self._starting:
                if self._server is None:
                    self._server = await self._started()
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._directory / INNER)
            async with asyncio.TaskGroup() as both_ways:
                both_ways.create_task(_pass(reader, inner_writer))
                both_ways.create_task(_pass(inner_reader, writer))
        except (OSError, RuntimeError) as error:  # the latter is gRPC's word for a socket that it cannot bind
            log.error("device plugin not heard", reason=error)
        finally:
            for one in (writer, inner_writer):
                if one is not None:
                    one.close()
                    with suppress(OSError):
                        await one.wait_closed()

    async def _started(self) -> Any:
        import grpc.aio

        async def handle(request: bytes, context: Any) -> bytes:
            error = self._register(decode(messages.REGISTER.request, request))
            if error:
                await context.abort(grpc.StatusCode.UNKNOWN, error)
            return encode(messages.REGISTER.answer, {})

        _, service, method = messages.REGISTER.path.split("/")
        handler = grpc.unary_unary_rpc_method_handler(handle)
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        server.add_insecure_port(f"unix://{self._directory / INNER}")
        await server.start()
        return server


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that comes, until no more does."""
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
