"""First: what the first worker does beside serving: it leads the others through the server's life.

    all have read the registry → listening → the first objects are made → SIGTERM: /readyz fails everywhere → the end of all

A worker that dies ends the server, with exit code 1 and a line that says so, and the supervisor starts it anew. Our choice, over a
new worker in its place: it is what the death of a server of one process comes to, nothing acknowledged is lost by it, and a fork
from a process that has connections and threads is a second, untried way to start.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence

from apiserver import bootstrap
from apiserver.app import running, tls_of
from apiserver.config import Config
from apiserver.context import Server
from apiserver.health import ALL_METRICS
from apiserver.workers import ending, sums
from apiserver.workers.fork import Forked, Link
from apiserver.workers.place import OPEN, TAKEN, Place
from apiserver.workers.spread import Spread, bound
from apiserver.workers.words import BOOTSTRAPPED, END, LET_GO, METRICS, READY, Words
from kube.api.status import Timeout
from kube.component import http_server
from kube.component.logging import get_logger

METRICS_SECONDS = 5.0
REASON_BYTES = 65_536

log = get_logger(__name__)


class Own:
    """The first worker itself, as one who takes connections."""

    def __init__(self, door: http_server.Server) -> None:
        self._door = door
        self._tasks: set[asyncio.Task[None]] = set()

    def load(self) -> int:
        return self._door.connections + len(self._tasks)

    def give(self, connection: socket.socket) -> bool:
        task = asyncio.create_task(self._door.take(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True


class Other:
    """Another worker, as the first sees it."""

    def __init__(self, link: Link, place: Place, answering: Callable[["Other", str], Awaitable[bytes]]) -> None:
        self._link = link
        self._board = place.board
        self._given = 0
        self._end: asyncio.Task[str] | None = None
        self.words = Words(link.words, lambda word: answering(self, word))
        self.ready = asyncio.Event()
        self.why: asyncio.Future[str] = asyncio.get_running_loop().create_future()  # it ended

    def load(self) -> int:
        number = self._link.number
        return self._board.get(number, OPEN) + self._given - self._board.get(number, TAKEN)

    def give(self, connection: socket.socket) -> bool:
        if self.why.done():
            return False
        try:
            socket.send_fds(self._link.connections, [b"+"], [connection.fileno()])
        except OSError:  # it is gone, or so busy that a thousand connections wait for it
            return False
        connection.close()
        self._given += 1
        return True

    def listen(self) -> None:
        """Hear of its end."""
        self._link.connections.setblocking(False)
        asyncio.get_running_loop().add_reader(self._link.connections, self._on_end)

    def _on_end(self) -> None:
        try:
            said = self._link.connections.recv(REASON_BYTES).decode()
        except ConnectionError:
            said = ""
        asyncio.get_running_loop().remove_reader(self._link.connections)
        self.why.set_result(said)

    async def gone(self) -> str:
        """Wait for its end; why it came."""
        if self._end is None:
            self._end = asyncio.create_task(self._ended())
        return await asyncio.shield(self._end)

    async def _ended(self) -> str:
        said = await self.why
        _, status = await asyncio.to_thread(os.waitpid, self._link.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return said or f"worker {self._link.number} (pid {self._link.pid}) {how}"

    def kill(self) -> None:
        os.kill(self._link.pid, signal.SIGKILL)

    def close(self) -> None:
        self._link.connections.close()


class Others:
    """All the other workers; there may be none. Use it as a context, and `watch` them for as long as none should end."""

    def __init__(self, links: Sequence[Link], place: Place, patience: float) -> None:
        self._patience = patience  # seconds; a worker that takes longer to end is killed
        self.each = [Other(link, place, self._answer) for link in links]
        self._speaking: list[asyncio.Task[None]] = []
        self._ending = False

    async def __aenter__(self) -> "Others":
        self._speaking = [asyncio.create_task(one.words.run()) for one in self.each]
        for one in self.each:
            one.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        for task in self._speaking:
            task.cancel()
        await asyncio.gather(*self._speaking, return_exceptions=True)
        for one in self.each:
            one.close()

    async def end(self) -> None:
        """All of them end now, those by force that do not by themselves."""
        self._ending = True
        for one in self.each:
            if not one.ready.is_set() and not one.why.done():
                one.kill()  # it has not begun to serve, and may be waiting for etcd
        ends = [asyncio.create_task(one.gone()) for one in self.each]
        telling = asyncio.create_task(self.tell(END))
        if ends:
            _, late = await asyncio.wait(ends, timeout=self._patience)
            for one, end in zip(self.each, ends, strict=True):
                if end in late:
                    one.kill()
            await asyncio.gather(*ends)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)

    async def watch(self) -> None:
        """Raises ChildProcessError where one ends too soon."""
        ends = [asyncio.create_task(one.gone()) for one in self.each]
        try:
            if ends:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        why = [end.result() for end in ends if end.done() and not end.cancelled()]
        if why and not self._ending:
            raise ChildProcessError(f"{'; '.join(why)}: the server ends with it")

    async def ready(self) -> None:
        """Until all have read the registry."""
        for one in self.each:
            await one.ready.wait()

    async def tell(self, word: str) -> None:
        """All of them, until they have heard it; one that is gone is not asked."""
        await asyncio.gather(*(one.words.ask(word) for one in self.each), return_exceptions=True)

    async def metrics(self) -> bytes:
        """The whole server's."""
        try:
            async with asyncio.timeout(METRICS_SECONDS):
                return sums.exposition(await asyncio.gather(*(one.words.ask(METRICS) for one in self.each)))
        except (TimeoutError, ConnectionError):
            raise Timeout("a worker of this server does not tell its metrics") from None

    async def _answer(self, other: "Other", word: str) -> bytes:
        if word == READY:
            other.ready.set()
            return b""
        return await self.metrics()


async def run(forked: Forked, config: Config) -> None:
    """Serve until cancelled, with all the workers."""
    patience = ending.longest_seconds(config)
    async with Others(forked.others, forked.place, patience) as others, asyncio.TaskGroup() as guard:
        watching = guard.create_task(others.watch())
        listeners = await bound(config.bind_address, config.secure_port)
        async with running(config, forked.place) as (server, app):
            if others.each:
                server.state[ALL_METRICS] = others.metrics
            door = http_server.Server(app, tls=tls_of(config), on_upgrade=app.on_upgrade, short_way=app.short_way)
            await others.ready()
            spread = Spread(listeners, [Own(door), *others.each])
            log.info("serving securely", address=config.bind_address, port=spread.port, workers=forked.place.count)
            try:
                await bootstrap.bootstrap(server)
                await others.tell(BOOTSTRAPPED)
                await app.load()
                await asyncio.get_running_loop().create_future()
            finally:
                await _shut_down(server, door, spread, others)
                watching.cancel()


async def _shut_down(server: Server, door: http_server.Server, spread: Spread, others: Others) -> None:
    """Step by step, so that no client is cut off: /readyz fails, load balancers look elsewhere, and who asks is told to close the
    connection; then nothing new is taken, each watch ends in good order, and requests on their way are finished.
    """
    server.state["shutting down"] = True
    door.let_go()
    await others.tell(LET_GO)
    await asyncio.sleep(server.config.shutdown_delay_duration)
    spread.close()
    ends = asyncio.create_task(others.end())
    await ending.finish(server, door)
    await ends
