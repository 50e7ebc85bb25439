"""The work queue: fair, stingy, one worker a key, patient."""

import asyncio

import pytest

from kube.client.queue import ShutDown, WorkQueue


def test_keys_come_in_the_order_in_which_they_were_added() -> None:
    async def scenario() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        for key in "abc":
            queue.add(key)
        return [await queue.get() for _ in range(3)]

    assert asyncio.run(scenario()) == ["a", "b", "c"]


def test_key_added_often_is_worked_on_once() -> None:
    async def scenario() -> int:
        queue: WorkQueue[str] = WorkQueue()
        for _ in range(5):
            queue.add("a")
        return len(queue)

    assert asyncio.run(scenario()) == 1


def test_key_added_while_it_is_worked_on_comes_again_afterwards() -> None:
    """Rule: client-go util/workqueue, dirty and processing sets."""

    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        assert len(queue) == 0  # nobody else may take it meanwhile
        queue.done("a")
        assert await queue.get() == "a"

    asyncio.run(scenario())


def test_backoff_doubles_until_forgotten() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue(first_backoff=0.001)
        for expected in (1, 2, 3):
            queue.retry("a")
            assert queue.failures("a") == expected
            await queue.get()
            queue.done("a")
        queue.forget("a")
        assert queue.failures("a") == 0

    asyncio.run(scenario())


def test_of_several_delays_the_earliest_counts() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        queue.add_after("a", 1000)
        queue.add_after("a", 0.001)
        queue.add_after("a", 500)
        async with asyncio.timeout(5):
            assert await queue.get() == "a"

    asyncio.run(scenario())


def test_shut_down_wakes_those_who_wait() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        waiting = asyncio.ensure_future(queue.get())
        await asyncio.wait({waiting}, timeout=0)
        queue.shut_down()
        with pytest.raises(ShutDown):
            await waiting

    asyncio.run(scenario())
