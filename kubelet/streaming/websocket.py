"""WebSocket clients: channels as the first byte of each message, or as its first digit where the rest is base64.

With v5 (KEP-4006), a message on channel 255 names a channel that its sender closes: how a client says that its stdin has ended.
upstream k8s.io/kubelet/pkg/cri/streaming/remotecommand/websocket.go
"""

import base64
import binascii
from collections.abc import Sequence
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from kubelet.streaming.remote_command import STDOUT, Take

# In the order in which a server chooses among what a client offers.
PROTOCOLS = {
    "v5.channel.k8s.io": 5,
    "v5.base64.channel.k8s.io": 5,
    "v4.channel.k8s.io": 4,
    "v4.base64.channel.k8s.io": 4,
    "channel.k8s.io": 1,
    "base64.channel.k8s.io": 1,
    "": 1,  # a client that offers none
}


def chosen(offered: Sequence[str]) -> str | None:
    """The newest protocol that both know."""
    return next((one for one in PROTOCOLS if one in (offered or ("",))), None)


class WebSocketClient:
    """A `remote_command.Client`."""

    def __init__(self, websocket: WebSocket, protocol: str) -> None:
        self.version = PROTOCOLS[protocol]
        self._websocket = websocket
        self._protocol = protocol
        self._base64 = "base64" in protocol

    async def accept(self) -> None:
        """Open it. An empty message tells that the process is there."""
        await self._websocket.accept(subprotocol=self._protocol or None)
        await self.send(STDOUT, b"")

    async def listen(self, take: Take) -> None:
        with suppress(WebSocketDisconnect, KeyError, ValueError):  # left, or speaks the other kind of message
            while True:
                message = await self._message()
                if message:
                    await take(message[0], message[1:])

    async def send(self, channel: int, data: bytes) -> None:
        if self._websocket.client_state is not WebSocketState.CONNECTED:
            raise ConnectionResetError("the client has left")
        try:
            if self._base64:
                await self._websocket.send_text(str(channel) + base64.b64encode(data).decode())
            else:
                await self._websocket.send_bytes(bytes([channel]) + data)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise ConnectionResetError(str(error)) from None

    async def close(self) -> None:
        if self._websocket.client_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close()

    async def _message(self) -> bytes:
        if not self._base64:
            return await self._websocket.receive_bytes()
        text = await self._websocket.receive_text()
        digits = 3 if text.startswith("255") else 1
        try:
            return bytes([int(text[:digits])]) + base64.b64decode(text[digits:]) if text else b""
        except binascii.Error:
            raise ValueError("no base64") from None


class WebSocketTransport:
    """A `spdy.Transport`: SPDY's bytes in messages."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def read(self) -> bytes:
        try:
            while not (data := await self._websocket.receive_bytes()):
                pass  # kubectl writes the empty payload of a frame as a message of its own
        except (WebSocketDisconnect, KeyError):
            return b""
        return data

    async def write(self, data: bytes) -> None:
        if self._websocket.client_state is not WebSocketState.CONNECTED:
            raise ConnectionResetError("the client has left")
        try:
            await self._websocket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise ConnectionResetError(str(error)) from None

    async def close(self) -> None:
        if self._websocket.client_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect, RuntimeError):
                await self._websocket.close()
