"""Long-running requests: watches and connections into pods, which no limit of number or time holds.

They are remembered while they last: when the server ends, nothing else would end them.
apiserver pkg/server/filters/longrunning.go
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from apiserver.context import RequestInfo, Server

VERBS = frozenset(("watch", "proxy"))
SUBRESOURCES = frozenset(("attach", "exec", "log", "portforward", "proxy"))
ROOM = "long-running requests"  # in server.state


def is_long_running(info: RequestInfo) -> bool:
    return info.verb in VERBS or info.subresource in SUBRESOURCES


@contextmanager
def lasting(server: Server) -> Iterator[None]:
    """The task within it is a long-running request's."""
    task = asyncio.current_task()
    assert task is not None, "a request is a task"
    tasks = _lasting(server)
    tasks.add(task)
    try:
        yield
    finally:
        tasks.discard(task)


def end(server: Server) -> None:
    """Cancel those that still last."""
    for task in list(_lasting(server)):
        task.cancel()


def _lasting(server: Server) -> "set[asyncio.Task[None]]":
    tasks: set[asyncio.Task[None]] = server.state.setdefault(ROOM, set())
    return tasks
