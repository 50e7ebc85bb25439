"""Relay: bytes between a local connection and the API server, both ways at once. What port-forward and proxy are made of.

These two live long and serve many connections, so they, alone in kubectl, run on an event loop.
"""

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from kubectl.transport import Server, Unreachable

CHUNK = 1 << 16

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(server: Server) -> Ends:
    """A fresh connection to the API server. Raises Unreachable."""
    url = urlsplit(server.config.server)
    tls = server.config.ssl_context()
    host, port = url.hostname or "", url.port or (443 if tls else 80)
    name = (server.config.server_name or host) if tls else None
    try:
        return await asyncio.open_connection(host, port, ssl=tls, server_hostname=name)
    except ConnectionRefusedError as error:
        raise Unreachable(str(error), refused=True) from error
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"tls: failed to verify certificate: x509: {error.verify_message}") from error
    except OSError as error:
        raise Unreachable(str(error)) from error


async def relay(one: Ends, other: Ends) -> None:
    """Until either side ends: an HTTP client that has closed wants no answer any more. Closes both."""
    ways = [asyncio.ensure_future(_copy(one[0], other[1])), asyncio.ensure_future(_copy(other[0], one[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await closed(one[1])
        await closed(other[1])


async def closed(writer: asyncio.StreamWriter) -> None:
    """Close, and wait for it."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
