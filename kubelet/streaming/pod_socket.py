"""Pod socket: a connection to the loopback address of a pod, made from outside of it.

A socket belongs for ever to the network namespace that it was made in, and a thread may enter one for itself: so a thread that
lives for nothing else enters the pod's and makes the socket there. https://man7.org/linux/man-pages/man2/setns.2.html
"""

import asyncio
import ctypes
import os
import socket
import threading

_LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536


async def connect(pid: int, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the loopback address of a process's network namespace; pid 0: our own. Raises OSError."""
    try:
        return await _connect(pid, socket.AF_INET, ("127.0.0.1", port))
    except ConnectionRefusedError:
        with_v6 = ("::1", port)
        try:
            return await _connect(pid, socket.AF_INET6, with_v6)
        except OSError:
            pass  # the first refusal is what counts
        raise


async def _connect(pid: int, family: int, address: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    making = asyncio.ensure_future(asyncio.to_thread(_socket_of, pid, family))
    try:
        connection = await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(_drop)  # the thread ends in its own time
        raise
    try:
        await asyncio.get_running_loop().sock_connect(connection, address)
        return await asyncio.open_connection(sock=connection)
    except BaseException:
        connection.close()
        raise


def _drop(made: "asyncio.Future[socket.socket]") -> None:
    if not made.cancelled() and made.exception() is None:
        made.result().close()


def _socket_of(pid: int, family: int) -> socket.socket:
    made: list[socket.socket | OSError] = []

    def make() -> None:
        try:
            if pid:
                _enter(pid)
            made.append(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def _enter(pid: int) -> None:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        if _LIBC.setns(descriptor, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
