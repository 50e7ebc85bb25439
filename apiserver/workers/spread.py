"""Spread: the first worker accepts the server's connections, and gives each to the worker that has fewest.

Our choice, over a listener in each worker (SO_REUSEPORT), where the kernel draws lots for each connection: a client has few of them
and keeps them, so of sixteen one worker may get eleven for as long as they last. It also keeps the address the server's own: a
second server that wants it is refused.
A connection travels as a file descriptor (unix(7), SCM_RIGHTS), before anything of it was read.
"""

import asyncio
import errno
import socket
from collections.abc import Sequence
from typing import Protocol

from kube.client.keepalive import keep_alive
from kube.component.logging import get_logger

BACKLOG = 1024
AT_ONCE = 64  # connections accepted before others have their turn
OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
PAUSE_SECONDS = 1.0

log = get_logger(__name__)


class Taker(Protocol):
    """A worker, as who spreads connections sees it."""

    def load(self) -> int:
        """How many connections it has, or is about to have."""
        ...

    def give(self, connection: socket.socket) -> bool:
        """Whether it takes the connection; the socket is its own from then on."""
        ...


def least(loads: Sequence[int], last: int) -> list[int]:
    """The order in which to try the workers: the fewest first, and of equals who comes after the one that was last. Pure."""
    count = len(loads)
    return sorted(range(count), key=lambda worker: (loads[worker], (worker - last - 1) % count))


class Spread:
    """Listens on what is bound (`bound`); `close` it. Raises OSError where another one began to listen there since."""

    def __init__(self, listeners: Sequence[socket.socket], takers: Sequence[Taker]) -> None:
        self._listeners = listeners
        self._takers = takers
        self._last = len(takers) - 1
        self._loop = asyncio.get_running_loop()
        self._resume: asyncio.TimerHandle | None = None
        self.port = int(listeners[0].getsockname()[1])
        for listener in listeners:
            try:
                listener.listen(BACKLOG)
            except OSError as error:
                raise _taken(error, listener.getsockname()) from None
        self._begin()

    def close(self) -> None:
        if self._resume is not None:
            self._resume.cancel()
        for listener in self._listeners:
            self._loop.remove_reader(listener)
            listener.close()

    def _begin(self) -> None:
        self._resume = None
        for listener in self._listeners:
            self._loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in OUT_OF_DESCRIPTORS:
                    raise
                self._pause(error)
                return
            connection.setblocking(False)
            self._give(connection)

    def _give(self, connection: socket.socket) -> None:
        for worker in least([taker.load() for taker in self._takers], self._last):
            if self._takers[worker].give(connection):
                self._last = worker
                return
        connection.close()

    def _pause(self, error: OSError) -> None:
        """The listener would wake us again at once."""
        log.error("connections cannot be accepted for now", err=error)
        for listener in self._listeners:
            self._loop.remove_reader(listener)
        self._resume = self._loop.call_later(PAUSE_SECONDS, self._begin)


async def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets that have the address, and do not listen yet. Raises OSError where somebody else listens there."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            made.append(_bound(socket.socket(family, kind, protocol), address))
    except OSError as error:
        for one in made:
            one.close()
        raise _taken(error, (host, port)) from None
    return made


def _bound(one: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted inherits both this and the next
        keep_alive(one)
        if one.family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.setblocking(False)
    except OSError:
        one.close()
        raise
    return one


def _taken(error: OSError, address: object) -> OSError:
    told = (error.strerror or str(error)).lower()
    return OSError(error.errno, f"error while attempting to bind on address {address}: {told}")
