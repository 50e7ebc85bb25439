"""Channels: the WebSocket subprotocols of exec and attach: every message begins with the number of its stream.

0 stdin · 1 stdout · 2 stderr · 3 error (a Status at the end) · 4 resize ({"Width": w, "Height": h}); with v5, 255 and a number
closes a stream: how a client says that its stdin has ended. https://kubernetes.io/docs/concepts/cluster-administration/
(KEP-4006) · upstream k8s.io/apimachinery/pkg/util/remotecommand/constants.go
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from kube.api.meta import Tree
from kubelet.runtime.runtime import RuntimeFailure, Session

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255

SUCCESS: Tree = {"metadata": {}, "status": "Success"}


def chosen(offered: Sequence[str]) -> str | None:
    """The newest protocol that both know."""
    return next((one for one in (V5, V4) if one in offered), None)


def exit_status(code: int) -> Tree:
    """The Status that tells how a command ended."""
    if code == 0:
        return SUCCESS
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure_status(message: str) -> Tree:
    return {"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500}


async def join(websocket: WebSocket, session: Session, *, tells_exit_code: bool) -> None:
    """Carry bytes both ways until the process ends or the client leaves; then tell how it ended."""
    sending = asyncio.ensure_future(_to_client(websocket, session))
    receiving = asyncio.ensure_future(_to_process(websocket, session))
    try:
        await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
            status = exit_status(await session.exit_code()) if tells_exit_code else SUCCESS
            await _send(websocket, ERROR, orjson.dumps(status))
    except RuntimeFailure as error:
        await _send(websocket, ERROR, orjson.dumps(failure_status(str(error))))
    finally:
        session.close()
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
    if websocket.client_state is WebSocketState.CONNECTED:
        await websocket.close()


async def _to_client(websocket: WebSocket, session: Session) -> None:
    async for stream, data in session.frames():
        await _send(websocket, stream, data)


async def _send(websocket: WebSocket, channel: int, data: bytes) -> None:
    if websocket.client_state is WebSocketState.CONNECTED:
        await websocket.send_bytes(bytes([channel]) + data)


async def _to_process(websocket: WebSocket, session: Session) -> None:
    """Until the client leaves."""
    try:
        while True:
            message = await websocket.receive_bytes()
            if not message:
                continue
            channel, data = message[0], message[1:]
            if channel == STDIN and data:
                with suppress(ConnectionError):  # the process reads no more; what it still says counts
                    await session.send(data)
            elif channel == CLOSE and data[:1] == bytes([STDIN]):
                await session.close_stdin()
            elif channel == RESIZE:
                size = orjson.loads(data)
                await session.resize(int(size["Width"]), int(size["Height"]))
    except (WebSocketDisconnect, KeyError, ValueError):
        return
