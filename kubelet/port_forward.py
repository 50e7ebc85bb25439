"""Port forward: a client's connections to ports of a pod, over one WebSocket.

For the n-th port, channel 2n carries data and 2n+1 errors; the first message on each is the port itself, two bytes, the lower
first. The connection is made from inside the pod's network namespace, to its loopback address.
https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/ · upstream
k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go
"""

import asyncio
import ctypes
import os
import socket
import threading
from collections.abc import Sequence

from starlette.websockets import WebSocket, WebSocketDisconnect

_LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
CHUNK = 32 * 1024  # bytes


async def forward(websocket: WebSocket, pid: int, ports: Sequence[int]) -> None:
    """Until the client leaves. `pid`: a process in the pod's network namespace; 0: the node's own."""
    writers: dict[int, asyncio.StreamWriter] = {}
    async with asyncio.TaskGroup() as tasks:
        readers: list[asyncio.Task[None]] = []
        for index, port in enumerate(ports):
            for channel in (2 * index, 2 * index + 1):
                await websocket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
            try:
                reader, writer = await connect(pid, port)
            except OSError as error:
                text = f"error forwarding port {port} to pod: {error.strerror or error}"
                await websocket.send_bytes(bytes([2 * index + 1]) + text.encode())
                continue
            writers[2 * index] = writer
            readers.append(tasks.create_task(_to_client(websocket, 2 * index, reader)))
        await _to_pod(websocket, writers)
        for writer in writers.values():
            writer.close()
        for task in readers:
            task.cancel()


async def _to_client(websocket: WebSocket, channel: int, reader: asyncio.StreamReader) -> None:
    try:
        while data := await reader.read(CHUNK):
            await websocket.send_bytes(bytes([channel]) + data)
    except (ConnectionError, RuntimeError):  # the pod, or the client, is gone
        return


async def _to_pod(websocket: WebSocket, writers: dict[int, asyncio.StreamWriter]) -> None:
    try:
        while True:
            message = await websocket.receive_bytes()
            writer = writers.get(message[0]) if message else None
            if writer is not None and not writer.is_closing():
                writer.write(message[1:])
                await writer.drain()
    except (WebSocketDisconnect, ConnectionError):
        return


async def connect(pid: int, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the loopback address of a process's network namespace. Raises OSError."""
    connection = await asyncio.to_thread(_socket_of, pid)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    except OSError:
        connection.close()
        raise
    return await asyncio.open_connection(sock=connection)


def _socket_of(pid: int) -> socket.socket:
    """A socket belongs for ever to the namespace that it was made in; entering one is for a thread's life."""
    made: list[socket.socket | OSError] = []

    def make() -> None:
        try:
            if pid:
                _enter(pid)
            made.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def _enter(pid: int) -> None:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if _LIBC.setns(descriptor, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
