"""Web socket: a connection that became a WebSocket; its library is imported with the first one (http_server.py)."""

from typing import Any

from kube.api.bare_package import bare
from kube.component.http_server import subject_of
from kube.component.http_state import State
from kube.component.uvicorn_parts import Config

with bare("uvicorn"):
    from uvicorn.protocols.websockets.wsproto_impl import WSProtocol


class WebSocketProtocol(WSProtocol):
    """uvicorn's, with the client's certificate in the scope; who counts the connections hears of its end."""

    def __init__(self, config: Config, server_state: Any, *rest: Any, **more: Any) -> None:
        super().__init__(config, server_state, *rest, **more)
        self._state: State = server_state

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._state.counted()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._subject = subject_of(transport)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self._subject is not None:
            self.scope.setdefault("extensions", {})["tls"] = {"subject": self._subject}
