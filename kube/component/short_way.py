"""Short way: a request whose head is known by its bytes is not parsed again; a GET may be answered without a task of its own.

Clients ask the same again and again: for a lease, for an object they wait for; and what they write differs in its body alone. A
server remembers the heads of plain requests: those that came whole, and ask nothing that concerns the connection. Bytes that were
such a head once are the same head whenever they come between two requests of a connection, followed by a whole body. What the app
finds out of a head it may keep with it (`scope["extensions"]["head"]`).

A server that is given a short way offers it known GETs: it may take one on, and then either answers it or lets it go the long way,
to the app. The client cannot tell the difference.
"""

from typing import Any, Protocol

REMEMBERED = 1_024  # heads
LARGEST_BYTES = 4_096  # of a head to remember
NOT_PLAIN = frozenset((b"transfer-encoding", b"expect", b"upgrade"))
END = b"\r\n\r\n"
OK, CLOSE = b"HTTP/1.1 200 OK\r\n", b"connection: close\r\n"


class Plain:
    """A head as the parser read it. `memo` is the short way's own: what it found out of it; `found` the app's."""

    __slots__ = ("found", "headers", "is_brief", "length", "memo", "method", "path", "query_string", "raw_path")

    def __init__(self, scope: Any, length: int) -> None:
        self.method: str = scope["method"]
        self.length = length  # of the body
        self.is_brief = self.method == "GET" and all(name != b"content-length" for name, _ in scope["headers"])
        self.path: str = scope["path"]
        self.raw_path: bytes = scope["raw_path"]
        self.query_string: bytes = scope["query_string"]
        self.headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        self.memo: Any = None
        self.found: dict[str, Any] = {}


class Known:
    """The heads of plain requests that came lately, by their bytes."""

    def __init__(self) -> None:
        self._plain: dict[bytes, Plain] = {}

    def find(self, data: bytes) -> tuple[Plain | None, bytes]:
        """The head and the body, where `data` is the whole of one request whose head is known."""
        end = data.find(END) + len(END)
        plain = self._plain.get(data if end == len(data) else data[:end])
        if plain is None or len(data) - end != plain.length:
            return None, b""
        return plain, data[end:]

    def learn(self, data: bytes, scope: Any) -> None:
        """`data` was the whole of one request, after which the connection goes on."""
        end = data.find(END) + len(END)
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        plain = len(lengths) <= 1 and not any(name in NOT_PLAIN for name, _ in scope["headers"])
        if not plain or end > LARGEST_BYTES or int(lengths[0] if lengths else 0) != len(data) - end:
            return
        if len(self._plain) >= REMEMBERED:
            self._plain.clear()
        self._plain[data[:end]] = Plain(scope, len(data) - end)


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
