"""Virtual time: an event loop whose clock jumps to the next timer whenever nothing else can happen.

    def test_backoff_grows() -> None:
        async def scenario() -> None:
            await asyncio.sleep(3600)      # over at once; loop.time() says that an hour went by
        run(scenario())

Sockets work: what was written to 127.0.0.1 is in the reader's buffer when the write returns, so the clock jumps only when no
connection has anything to read. Threads and processes do not: the loop cannot know that they are busy.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
SETTLE_SECONDS = 0.001  # real time in which the kernel may still deliver what was written


def run(scenario: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(scenario)


class _Selector(selectors.DefaultSelector):
    """Where the loop would wait for its next timer, the clock moves instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            ready = super().select(SETTLE_SECONDS)
            if not ready:
                self.now += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now
