"""Connection: what goes wrong with one, and what goes over one for longer than one answer: streams and WebSockets."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kube.api.late import late

if TYPE_CHECKING:
    import aiohttp
else:
    aiohttp = late("aiohttp")  # an API server may never call anybody

LINE_BYTES = 16 << 20  # the longest line of a watch: an object of 1.5 MiB, JSON-escaped, with room


class Unreachable(Exception):
    """The server cannot be reached, or the connection broke. `refused`: it never got the request."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


@contextmanager
def connection_trouble() -> Iterator[None]:
    """Tell trouble with the connection as Unreachable."""
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        raise Unreachable(str(error), refused=True) from error
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise Unreachable(str(error) or type(error).__name__) from error


class WebSocket:
    """An open WebSocket: messages go out by `send`, and come by iterating, as bytes or text."""

    def __init__(self, connection: "aiohttp.ClientWebSocketResponse") -> None:
        self._connection = connection

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._connection.protocol

    @property
    def close_code(self) -> int | None:
        """Why the other side ended it; None while it is open."""
        return self._connection.close_code

    async def send(self, message: bytes | str) -> None:
        with connection_trouble():
            if isinstance(message, str):
                await self._connection.send_str(message)
            else:
                await self._connection.send_bytes(message)

    async def close(self) -> None:
        await self._connection.close()

    async def __aiter__(self) -> AsyncIterator[bytes | str]:
        async for message in self._connection:
            if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                yield message.data


class Stream:
    """The body of an answer, as it comes."""

    def __init__(self, answer: "aiohttp.ClientResponse") -> None:
        self._answer = answer

    async def iter_chunks(self) -> AsyncIterator[bytes]:
        while True:
            with connection_trouble():
                chunk = await self._answer.content.readany()
            if not chunk:
                return
            yield chunk

    async def iter_lines(self) -> AsyncIterator[bytes]:
        """Lines without their ends. A last line that was cut off is not given."""
        rest = b""
        async for chunk in self.iter_chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > LINE_BYTES:
                raise Unreachable("the server sends a line without end")
