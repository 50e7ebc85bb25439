"""The work queue: fair, stingy, one worker a key, patient."""

import asyncio

import pytest

from kube.client.queue import ShutDown, WorkQueue
from tests import virtual_time


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


def now() -> float:
    return asyncio.get_running_loop().time()


def test_backoff_doubles_up_to_a_limit_until_forgotten() -> None:
    """Rule: client-go util/workqueue, ItemExponentialFailureRateLimiter 5 ms to 1000 s"""

    async def scenario() -> list[float]:
        queue: WorkQueue[str] = WorkQueue()
        waits = []
        for failure in range(1, 22):
            begun = now()
            queue.retry("a")
            assert queue.failures("a") == failure
            await queue.get()
            queue.done("a")
            waits.append(now() - begun)
        queue.forget("a")
        assert queue.failures("a") == 0
        return waits

    waits = virtual_time.run(scenario())
    assert waits[:4] == pytest.approx([0.005, 0.01, 0.02, 0.04])
    assert waits[-3:] == pytest.approx([1000.0] * 3)


def test_key_may_fail_for_weeks() -> None:
    """What if a key fails more often than a float has powers of two?"""

    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue(longest_backoff=0.0)
        for _ in range(2000):
            queue.retry("a")
            await queue.get()
            queue.done("a")

    virtual_time.run(scenario())


def test_of_several_delays_the_earliest_counts() -> None:
    async def scenario() -> float:
        queue: WorkQueue[str] = WorkQueue()
        for seconds in (1000, 10, 500):
            queue.add_after("a", seconds)
        await queue.get()
        queue.done("a")
        took = now()
        queue.add_after("b", 2000)
        assert await queue.get() == "b"  # and not "a" again
        return took

    assert virtual_time.run(scenario()) == pytest.approx(10)


async def next_of(queue: WorkQueue[int]) -> int | None:
    """The next key; None at the end."""
    try:
        return await queue.get()
    except ShutDown:
        return None


def test_many_workers_never_hold_one_key_twice() -> None:
    async def scenario() -> int:
        queue: WorkQueue[int] = WorkQueue()
        held: set[int] = set()
        worked = 0

        async def worker() -> None:
            nonlocal worked
            while key := await next_of(queue):
                assert key not in held
                held.add(key)
                await asyncio.sleep(0.01)  # noqa: TID251 -- virtual
                held.remove(key)
                worked += 1
                queue.done(key)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(worker())
            for number in range(200):
                queue.add(1 + number % 7)
                await asyncio.sleep(0.003)  # noqa: TID251 -- virtual
            queue.shut_down()
        return worked

    assert 7 <= virtual_time.run(scenario()) <= 200


def test_shut_down_lets_what_waits_be_worked_on() -> None:
    async def scenario() -> list[str]:
        queue: WorkQueue[str] = WorkQueue()
        queue.add("a")
        queue.add_after("b", 5)
        queue.shut_down()
        queue.add("c")
        taken = [await queue.get()]
        with pytest.raises(ShutDown):
            await queue.get()
        return taken

    assert virtual_time.run(scenario()) == ["a"]


def test_shut_down_wakes_those_who_wait() -> None:
    async def scenario() -> None:
        queue: WorkQueue[str] = WorkQueue()
        waiting = asyncio.ensure_future(queue.get())
        await asyncio.wait({waiting}, timeout=0)
        queue.shut_down()
        with pytest.raises(ShutDown):
            await waiting

    asyncio.run(scenario())
