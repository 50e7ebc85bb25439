"""Stream socket: an answer that is a stream (a pod's log), as messages of a WebSocket, for clients that ask for one.

    binary.k8s.io, or no subprotocol   the bytes as they come
    base64.binary.k8s.io               each piece in base64, as text

An empty message comes first: the stream is there. It ends when the stream does, or the client closes.
apimachinery pkg/util/httpstream/wsstream/stream.go
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator

from apiserver.context import Request, Response
from kube.api.status import BadRequest

BINARY, BASE64 = "binary.k8s.io", "base64.binary.k8s.io"


async def speak(request: Request, response: Response) -> None:
    """Send the answer. Raises BadRequest for a subprotocol that is not spoken here."""
    offered = request.scope.get("subprotocols") or []
    protocol = next((one for one in (BINARY, BASE64) if one in offered), None)
    if offered and protocol is None:
        raise BadRequest(f"Upgrade request required: none of the subprotocols {offered} is known")
    await request.receive()  # websocket.connect
    request.started = True
    await request.send({"type": "websocket.accept", "subprotocol": protocol})
    sending = asyncio.ensure_future(_pump(request, response, protocol == BASE64))
    leaving = asyncio.ensure_future(_until_closed(request))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
            await request.send({"type": "websocket.close", "code": 1000})
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _pump(request: Request, response: Response, as_text: bool) -> None:
    pieces = response.stream if response.stream is not None else _whole(response.body)
    try:
        await _send(request, b"", as_text)
        async for piece in pieces:
            await _send(request, piece, as_text)
    finally:
        if isinstance(pieces, AsyncGenerator):
            await pieces.aclose()


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body


async def _send(request: Request, data: bytes, as_text: bool) -> None:
    message = {"text": base64.b64encode(data).decode()} if as_text else {"bytes": data}
    await request.send({"type": "websocket.send", **message})


async def _until_closed(request: Request) -> None:
    while (await request.receive())["type"] != "websocket.disconnect":
        pass
