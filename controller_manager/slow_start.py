"""Slow start: many equal requests in batches of 1, 2, 4, 8 ..., so that a refusal costs few of them.

The first batch with a failure is the last one. A hundred pods that a quota refuses are one request, not a hundred.
https://github.com/kubernetes/kubernetes pkg/controller/replicaset slowStartBatch
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from kube.api.status import ApiError
from kube.client.rest import Unreachable

T = TypeVar("T")
FIRST_BATCH = 1


async def slow_start(items: Sequence[T], do: Callable[[T], Awaitable[None]]) -> tuple[int, ApiError | Unreachable | None]:
    """Do it for each item; how many were done, and the first failure."""
    done, size = 0, FIRST_BATCH
    while done < len(items):
        batch = items[done : done + size]
        outcomes = await asyncio.gather(*(_attempt(do, item) for item in batch))
        failures = [outcome for outcome in outcomes if outcome is not None]
        done += len(batch) - len(failures)
        if failures:
            return done, failures[0]
        size *= 2
    return done, None


async def _attempt(do: Callable[[T], Awaitable[None]], item: T) -> ApiError | Unreachable | None:
    try:
        await do(item)
    except (ApiError, Unreachable) as error:
        return error
    return None
