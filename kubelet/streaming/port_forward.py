"""Port forward: a client's connections to ports of a pod.

    SPDY        each connection is a pair of streams with the same requestID: `data`, and `error` for why it failed
    WebSocket   (v4.channel.k8s.io) for the n-th port of the query, channel 2n carries data and 2n+1 errors; the first message on
                each is the port itself, two bytes, the lower first

The connection is made from inside the pod's network namespace, to its loopback address. Each way ends by itself.
https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/ · upstream
k8s.io/kubelet/pkg/cri/streaming/portforward
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from kubelet.streaming.pod_socket import connect, is_port
from kubelet.streaming.spdy import Connection, Stream
from kubelet.streaming.target import Network

SPDY_PROTOCOL = "portforward.k8s.io"
TUNNEL_PROTOCOL = "SPDY/3.1+portforward.k8s.io"
WEBSOCKET_PROTOCOLS = ("v4.channel.k8s.io", "portforward.k8s.io")
CHUNK = 32 * 1024  # bytes
PAIR_SECONDS = 30.0  # for the second stream of a pair


async def forward_spdy(connection: Connection, network: Network) -> None:
    """Until the client leaves."""
    waiting: dict[str, asyncio.Future[Stream]] = {}  # by request: who has one stream, and waits for the other
    running: set[asyncio.Task[None]] = set()
    async with asyncio.TaskGroup() as tasks:
        async for stream in connection.accepted():
            other = waiting.pop(_request_of(stream), None)
            if other is not None and not other.done():
                other.set_result(stream)
                continue
            waiting[_request_of(stream)] = future = asyncio.get_running_loop().create_future()
            task = tasks.create_task(_paired(network, stream, future))
            running.add(task)
            task.add_done_callback(running.discard)
        for task in running:
            task.cancel()


def _request_of(stream: Stream) -> str:
    """Clients before 1.2 named no request: their data stream comes right after its error stream."""
    named = stream.headers.get("requestid")
    return named if named else str(stream.number - (2 if stream.headers.get("streamtype") == "data" else 0))


async def _paired(network: Network, first: Stream, second: "asyncio.Future[Stream]") -> None:
    try:
        async with asyncio.timeout(PAIR_SECONDS):
            other = await second
    except TimeoutError:
        await first.reset()
        return
    types = {first.headers.get("streamtype"): first, other.headers.get("streamtype"): other}
    if types.keys() != {"data", "error"} or not is_port(types["data"].headers.get("port", "")):
        for stream in (first, other):
            await stream.reset()
        return
    await _connected(network, types["data"], types["error"])


async def _connected(network: Network, data: Stream, error: Stream) -> None:
    """One connection, from its beginning to its end."""
    port = int(data.headers["port"])
    try:
        reader, writer = await connect(network.pid, port)
    except OSError as failure:
        with suppress(ConnectionError):
            await error.write(failed(network, port, failure).encode())
        await error.end()
        await data.end()
        return
    to_pod = asyncio.ensure_future(_stream_to_pod(data, writer))
    try:
        await _pod_to_stream(reader, data)
        await data.end()
    finally:
        to_pod.cancel()
        await asyncio.gather(to_pod, return_exceptions=True)
        writer.close()
        await error.end()


async def _stream_to_pod(stream: Stream, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await stream.read():
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def _pod_to_stream(reader: asyncio.StreamReader, stream: Stream) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            await stream.write(data)


def failed(network: Network, port: int, error: OSError) -> str:
    """As upstream words it. Pure."""
    why = f"failed to connect to localhost:{port} inside namespace: dial tcp4 127.0.0.1:{port}: connect: {_reason(error)}"
    return f"error forwarding port {port} to pod {network.name}, uid {network.uid}: {why}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


async def forward_websocket(websocket: WebSocket, network: Network, ports: Sequence[int]) -> None:
    """Until the client leaves, or the pod has ended every connection."""
    writers: dict[int, asyncio.StreamWriter] = {}
    async with asyncio.TaskGroup() as tasks:
        readers: list[asyncio.Task[None]] = []
        for index, port in enumerate(ports):
            for channel in (2 * index, 2 * index + 1):
                await websocket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
            try:
                reader, writer = await connect(network.pid, port)
            except OSError as error:
                await websocket.send_bytes(bytes([2 * index + 1]) + failed(network, port, error).encode())
                continue
            writers[2 * index] = writer
            readers.append(tasks.create_task(_to_websocket(websocket, 2 * index, reader)))
        client = tasks.create_task(_from_websocket(websocket, writers))
        await asyncio.wait((client, asyncio.gather(*readers)), return_when=asyncio.FIRST_COMPLETED)
        for writer in writers.values():
            writer.close()
        for task in (client, *readers):
            task.cancel()


async def _to_websocket(websocket: WebSocket, channel: int, reader: asyncio.StreamReader) -> None:
    try:
        while data := await reader.read(CHUNK):
            await websocket.send_bytes(bytes([channel]) + data)
    except (ConnectionError, RuntimeError, WebSocketDisconnect):  # the pod, or the client, is gone
        return


async def _from_websocket(websocket: WebSocket, writers: dict[int, asyncio.StreamWriter]) -> None:
    with suppress(WebSocketDisconnect, KeyError):
        while True:
            message = await websocket.receive_bytes()
            writer = writers.get(message[0]) if message else None
            if writer is not None and not writer.is_closing():
                with suppress(ConnectionError):  # this port's connection is over; the others go on
                    writer.write(message[1:])
                    await writer.drain()
