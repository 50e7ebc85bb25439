"""Short way: a request that is known by its bytes is not parsed again, and may be answered without a task of its own.

Clients ask the same again and again: for a lease, for an object they wait for. A server that is given a short way remembers the
bytes of plain requests: a GET without body, of which nothing is asked that concerns the connection. Bytes that were such a request
once are the same request whenever they come between two requests of a connection. The short way may take it on, and then either
answers it or lets it go the long way, to the app; the client cannot tell the difference.
"""

from typing import Any, Protocol

REMEMBERED = 1_024  # plain requests
LARGEST_BYTES = 4_096  # of a request to remember
NOT_PLAIN = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))
OK, CLOSE = b"HTTP/1.1 200 OK\r\n", b"connection: close\r\n"


class Plain:
    """A request as the parser read it. `memo` is the short way's own: what it found out of it."""

    __slots__ = ("headers", "memo", "path", "query_string", "raw_path")

    def __init__(self, scope: Any) -> None:
        self.path: str = scope["path"]
        self.raw_path: bytes = scope["raw_path"]
        self.query_string: bytes = scope["query_string"]
        self.headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        self.memo: Any = None


class Known:
    """The plain requests that came lately, by their bytes."""

    def __init__(self) -> None:
        self._plain: dict[bytes, Plain] = {}
        self.find = self._plain.get

    def learn(self, data: bytes, scope: Any) -> None:
        """`data` was the whole of one request, after which the connection goes on."""
        if len(data) > LARGEST_BYTES or scope["method"] != "GET" or any(name in NOT_PLAIN for name, _ in scope["headers"]):
            return
        if len(self._plain) >= REMEMBERED:
            self._plain.clear()
        self._plain[data] = Plain(scope)


class Connection(Protocol):
    """Where a brief request came from."""

    transport: Any

    @property
    def date_line(self) -> bytes: ...
    def brief_ended(self) -> None: ...
    def go_long(self, brief: "Brief") -> None: ...


class Brief:
    """A plain request on its way, in the place of a Cycle. The attributes without underscore are those that uvicorn's protocol sets
    and reads."""

    __slots__ = ("_connection", "body", "disconnected", "keep_alive", "more_body", "plain", "response_complete", "subject")

    def __init__(self, connection: Connection, plain: Plain, subject: dict[str, Any] | None) -> None:
        self._connection: Connection | None = connection
        self.plain = plain
        self.subject = subject  # of the client's certificate
        self.body = bytearray()
        self.keep_alive = True
        self.more_body = False
        self.disconnected = False
        self.response_complete = False

    @property
    def message_event(self) -> "Brief":
        return self

    def set(self) -> None:
        """The connection ended: nobody waits for that here."""

    def answer(self, headers: bytes, body: bytes) -> None:
        """200, and all there is to say; each header with its line's end."""
        connection, self._connection = self._connection, None
        assert connection is not None, "answered once"
        if not self.disconnected:
            close = b"" if self.keep_alive else CLOSE
            connection.transport.write(b"".join((OK, connection.date_line, headers, close, b"\r\n", body)))
        self.response_complete = True
        if not self.keep_alive:
            connection.transport.close()
        connection.brief_ended()

    def go_long(self) -> None:
        """Not here: the app answers."""
        connection, self._connection = self._connection, None
        assert connection is not None, "answered once"
        connection.go_long(self)


class ShortWay(Protocol):
    def take(self, brief: Brief) -> bool:
        """Whether it is taken on: `answer` or `go_long` will be called, though not from here."""
