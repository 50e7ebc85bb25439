"""A server in the tests' own process, and a connection to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from kube.component.http_server import Server, serve


@asynccontextmanager
async def serving(
    app: Any, *, ends_within: float | None = None, **more: Any
) -> AsyncIterator[tuple[Server, asyncio.StreamReader, asyncio.StreamWriter]]:
    """`ends_within`: seconds that requests on their way have at the end."""
    server = await serve(app, "127.0.0.1", 0, **more)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield server, reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        await (server.close() if ends_within is None else server.close(within=ends_within))
