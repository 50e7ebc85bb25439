"""WebSocket: the connection of exec, attach and port-forward, one thread reading, any thread writing.

https://www.rfc-editor.org/rfc/rfc6455; frames by wsproto, the handshake here, on a connection that `transport` made.
"""

import base64
import os
import socket
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, TextMessage

from kube.api.status import ApiError, from_status
from kubectl.transport import Params, Server, Unreachable, with_query

READ_BYTES = 1 << 16


class WebSocket:
    """An open connection. `protocol` is the one the server chose."""

    def __init__(self, server: Server, path: str, params: Params, protocols: Sequence[str]) -> None:
        """Raises ApiError where the server refuses, Unreachable where there is none."""
        connection = server.connect(None)
        try:
            connection.connect()
        except ConnectionRefusedError as error:
            raise Unreachable(str(error), refused=True) from error
        except OSError as error:
            raise Unreachable(str(error)) from error
        self._socket: socket.socket = connection.sock
        self._writing = threading.Lock()
        self._socket.sendall(request_head(server, path, params, protocols))
        self.protocol, rest = self._handshake()
        self._frames = Connection(ConnectionType.CLIENT, trailing_data=rest)

    def send(self, data: bytes) -> None:
        with self._writing:
            self._socket.sendall(self._frames.send(BytesMessage(data=data)))

    def receive(self) -> bytes | None:
        """The next whole message; None once the server has closed."""
        parts: list[bytes] = []
        while True:
            for event in self._frames.events():
                if isinstance(event, Ping):
                    with self._writing:
                        self._socket.sendall(self._frames.send(event.response()))
                elif isinstance(event, CloseConnection):
                    return None
                elif isinstance(event, Message):
                    parts.append(_bytes(event))
                    if event.message_finished:
                        return b"".join(parts)
            try:
                data = self._socket.recv(READ_BYTES)
            except (ConnectionResetError, OSError):
                return None
            if not data:
                return None
            self._frames.receive_data(data)

    def close(self) -> None:
        self._socket.close()

    def _handshake(self) -> tuple[str, bytes]:
        """The protocol that was agreed on, and what was read beyond the answer's head."""
        head = b""
        while b"\r\n\r\n" not in head:
            data = self._socket.recv(READ_BYTES)
            if not data:
                raise Unreachable("EOF")
            head += data
        head, _, rest = head.partition(b"\r\n\r\n")
        code, headers = answer_head(head)
        if code != 101:
            length = int(headers.get("content-length", 0))
            while len(rest) < length and (data := self._socket.recv(READ_BYTES)):
                rest += data
            raise refusal(code, rest)
        return headers.get("sec-websocket-protocol", ""), rest


def request_head(server: Server, path: str, params: Params, protocols: Sequence[str]) -> bytes:
    """The request that asks for a WebSocket, as the user."""
    url = urlsplit(server.config.server)
    headers = {
        **server.headers(),
        "Host": url.netloc,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": ", ".join(protocols),
    }
    target = server.path(with_query(path, params))
    return "\r\n".join([f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode()


def answer_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status code and headers (names in lower case) of an answer."""
    status, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers


def refusal(code: int, body: bytes) -> ApiError:
    """What a server says that does not open a WebSocket."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        tree = {"message": body.decode("utf-8", "replace").strip() or "unable to upgrade connection"}
    return from_status(code, tree if isinstance(tree, dict) else {})


def _bytes(event: Message[Any]) -> bytes:
    if isinstance(event, TextMessage):
        return event.data.encode()
    return bytes(event.data)
