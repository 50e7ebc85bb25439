"""Other: what a worker does that is not the first: it serves the connections that it is given, and does as the first says."""

import asyncio
import socket
from collections.abc import Callable

from apiserver.app import running, tls_of
from apiserver.config import Config
from apiserver.health import ALL_METRICS
from apiserver.workers import ending, sums
from apiserver.workers.fork import Forked, Link
from apiserver.workers.place import OPEN, TAKEN, Place
from apiserver.workers.words import BOOTSTRAPPED, END, LET_GO, METRICS, READY, Words
from kube.component import http_server

AT_ONCE = 64  # connections taken before others have their turn


class Arrivals:
    """Takes the connections that the first worker sends. `stop` it."""

    def __init__(self, link: Link, place: Place, door: http_server.Server) -> None:
        self._connections = link.connections
        self._place = place
        self._door = door
        self._taken = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections.setblocking(False)
        door.count(self.count)
        asyncio.get_running_loop().add_reader(self._connections, self._on_readable)

    def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._connections)

    def count(self) -> None:
        """Tell the first worker, by the board, how many there are."""
        board, number = self._place.board, self._place.number
        board.set(number, OPEN, self._door.connections + len(self._tasks))
        board.set(number, TAKEN, self._taken)

    def _on_readable(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, descriptors, _, _ = socket.recv_fds(self._connections, 1, 1)
            except BlockingIOError:
                break
            if not data:  # the first worker is gone, and so is this one in a moment
                self.stop()
                break
            for descriptor in descriptors:
                self._take(socket.socket(fileno=descriptor))
        self.count()

    def _take(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._taken += 1
        task = asyncio.create_task(self._door.take(connection))
        self._tasks.add(task)
        task.add_done_callback(self._begun)

    def _begun(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.count()


async def run(forked: Forked, config: Config) -> None:
    """Serve until the first worker says that it is over."""
    assert forked.first is not None, "another worker"
    over = asyncio.Event()
    async with running(config, forked.place) as (server, app):
        door = http_server.Server(app, tls=tls_of(config), on_upgrade=app.on_upgrade, short_way=app.short_way)

        def bootstrapped() -> None:
            server.state["bootstrapped"] = True
            server.spawn(app.load(), "the app behind")

        def let_go() -> None:
            server.state["shutting down"] = True
            door.let_go()

        heard: dict[str, Callable[[], None]] = {BOOTSTRAPPED: bootstrapped, LET_GO: let_go, END: over.set}

        async def answer(word: str) -> bytes:
            if word == METRICS:
                return sums.own()
            heard[word]()
            return b""

        words = Words(forked.first.words, answer)
        server.spawn(words.run(), "words with the first worker")
        server.state[ALL_METRICS] = lambda: words.ask(METRICS)
        arrivals = Arrivals(forked.first, forked.place, door)
        await words.ask(READY)
        await over.wait()
        arrivals.stop()
        await ending.finish(server, door)


def tell_why(link: Link, why: str) -> None:
    """Tell the first worker why this one ends."""
    link.connections.setblocking(True)
    link.connections.send(why.encode())
