"""HTTP state: what the connections of one server share — its requests at work, its Date, the requests it knows by their bytes."""

import asyncio
import time
import traceback
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from kube.component.logging import get_logger
from kube.component.short_way import Known, ShortWay
from kube.component.uvicorn_parts import ServerState

App = Callable[..., Any]

log = get_logger(__name__)


def _nobody_counts() -> None:
    """For a server whose connections are of no interest to another one."""


class State(ServerState):
    """What the connections of a server share."""

    def __init__(self, short_way: ShortWay | None) -> None:
        super().__init__()
        self.short_way = short_way
        self.known = Known()
        self.briefs = 0  # being answered
        self.no_briefs = asyncio.Event()  # set whenever the last one ended
        self.closing = False
        self.letting_go = False
        self.handed_over: set[Any] = set()  # transports of raw connections
        self.counted: Callable[[], None] = _nobody_counts  # called where there may be more or fewer connections than before
        self.date_line = b""
        self._second = 0

    def tell_date(self) -> None:
        """Bring the Date header up to date: it is written once a second at most, and only while requests come."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            date = formatdate(second, usegmt=True).encode()
            self.default_headers = [(b"date", date)]
            self.date_line = b"date: %b\r\n" % date

    def until_closing(self, app: App) -> App:
        """The app for WebSockets, whose cancelled requests are no errors once the server ends."""

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                if not self.closing:
                    raise

        return answer

    def brief_ended(self) -> None:
        self.briefs -= 1
        if not self.briefs and self.closing:
            self.no_briefs.set()

    def ended(self, task: "asyncio.Task[None]") -> None:
        """A request's task is done; a cancelled one is no error."""
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the app failed", err=error, traceback="".join(traceback.format_exception(error)))
