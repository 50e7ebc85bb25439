"""Fork: from one process that has imported everything, and opened nothing, to several that share that memory.

The first worker is the process that was started; there is no supervisor beside it. The kernel ends the others with it
(prctl(2), PR_SET_PDEATHSIG), however it ends. They leave signals to the first, which tells them what to do: systemd sends SIGTERM
to all the processes of a unit, a terminal sends SIGINT to all of its group.

The collector looks at nothing that was there before the fork (gc.freeze), since looking at an object writes into it, and what
is written to is no longer shared.
"""

import ctypes
import gc
import os
import signal
import socket
from dataclasses import dataclass

from apiserver.workers.place import Board, Place

MOST_BY_DEFAULT = 4
PR_SET_PDEATHSIG = 1
# Trees are made by the thousand and have no cycles; at its defaults the collector goes through them over and over, which
# doubles the cost of a table of 500 pods. The youngest 20,000 are looked at in milliseconds, while no watcher gets its event.
GC_THRESHOLDS = (20_000, 50, 50)


@dataclass(frozen=True)
class Link:
    """One end of what joins the first worker and another one."""

    number: int  # of the other one
    pid: int  # of who is at the other end
    connections: socket.socket  # the first sends connections; the other one, at most once, why it ends
    words: socket.socket


@dataclass(frozen=True)
class Forked:
    """What a process is after the fork."""

    place: Place
    others: tuple[Link, ...] = ()  # the first has these
    first: Link | None = None  # and each of the others this


def workers_for(wanted: int, cores: int) -> int:
    """How many workers: --worker-processes, or by itself as many as there are cores. Pure."""
    return wanted if wanted > 0 else max(1, min(cores, MOST_BY_DEFAULT))


def fork(count: int) -> Forked:
    """Become `count` processes; each returns from here, as the one that it is."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
    gc.enable()  # __main__.py turned it off
    board, parent = Board(count), os.getpid()
    links: list[Link] = []
    for number in range(1, count):
        connections, their_connections = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words, their_words = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pid = os.fork()
        if pid == 0:
            _end_with(parent)
            for one in (connections, words, *(end for link in links for end in (link.connections, link.words))):
                one.close()
            return Forked(Place(number, count, board), first=Link(number, parent, their_connections, their_words))
        their_connections.close()
        their_words.close()
        links.append(Link(number, pid, connections, words))
    return Forked(Place(0, count, board), others=tuple(links))


def _end_with(parent: int) -> None:
    """In a new worker: be killed when the first worker is gone, and leave its signals to it."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
