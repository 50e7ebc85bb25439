"""The door: a port of the machine's loopback that leads to the API server inside the lab.

The lab's hosts cannot be reached from outside their namespaces. This process listens in the machine's own network and makes its
connections in the control plane's. `python -m deploy.lab.door PORT NETNS HOST PORT`.
"""

import asyncio
import contextlib
import ctypes  # Python 3.12 has os.setns
import os
import socket
import sys
from pathlib import Path

CHUNK_BYTES = 65536


async def serve(port: int, netns: Path, target: tuple[str, int]) -> None:
    """Until it is ended."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(sock=await asyncio.to_thread(_connected, netns, target))
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        writer.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


def _connected(netns: Path, target: tuple[str, int]) -> socket.socket:
    """A connection made inside the namespace. The thread goes there and back; a socket stays where it was made."""
    libc = ctypes.CDLL(None, use_errno=True)
    home, there = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(netns, os.O_RDONLY)
    try:
        if libc.setns(there, 0) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {netns}")
        try:
            return socket.create_connection(target, timeout=10)
        finally:
            if libc.setns(home, 0) != 0:
                os._exit(1)  # a thread in the wrong network must not go on
    finally:
        os.close(home)
        os.close(there)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), (sys.argv[3], int(sys.argv[4]))))
