"""Waiting in tests: for what is expected, with a deadline, never for a length of time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
STEP_SECONDS = 0.02  # between two looks


async def eventually(look: Callable[[], Awaitable[T]], within: float, what: str = "") -> T:
    """Look until the answer is truthy or the deadline (seconds) has passed; AssertionErrors of `look` count as not yet."""
    deadline = time.monotonic() + within
    last: object = None
    while True:
        try:
            answer = await look()
            if answer:
                return answer
            last = answer
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or look}; last seen: {last!r}")
        await asyncio.sleep(STEP_SECONDS)


def eventually_sync(look: Callable[[], T], within: float, what: str = "") -> T:
    """`eventually` for code without an event loop."""

    async def once() -> T:
        return look()

    return asyncio.run(eventually(once, within, what))
