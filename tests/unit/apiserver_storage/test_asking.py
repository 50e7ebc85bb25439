"""Asking: who shares a question to etcd with whom, and who waits for whom."""

import asyncio
from collections.abc import Iterable
from functools import partial

import pytest

from apiserver.storage import asking
from apiserver.storage.asking import Asking, company, release
from kube.api.status import ApiError, Timeout


class Readers:
    """Readers by name, whose questions the test answers."""

    def __init__(self) -> None:
        self.asked = Asking(self._ask, lambda readers, _: release(readers))
        self.revision = 0
        self._questions: asyncio.Queue[asyncio.Future[int]] = asyncio.Queue()
        self._told: asyncio.Queue[str] = asyncio.Queue()
        self._running = asyncio.create_task(self.asked.run())

    def come(self, names: Iterable[str]) -> None:
        for name in names:
            self.asked.add(partial(self._tell, name))

    async def question(self) -> "asyncio.Future[int]":
        return await self._questions.get()

    async def answer(self) -> None:
        question = await self.question()
        self.revision += 1
        question.set_result(self.revision)

    async def told(self, count: int) -> list[str]:
        """What so many readers were told."""
        found = [await self._told.get() for _ in range(count)]
        assert self._told.empty()
        return found

    def end(self) -> None:
        self._running.cancel()

    async def _ask(self) -> int:
        question: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._questions.put_nowait(question)
        return await question

    def _tell(self, name: str, error: ApiError | None) -> None:
        self._told.put_nowait(f"{name} {error.reason if error else self.revision}")


def test_who_comes_while_a_question_is_on_its_way_shares_the_next_one() -> None:
    """What was written after the question left is not in its answer. Rule: KEP-2340"""

    async def main() -> None:
        readers = Readers()
        readers.come("a")
        question = await readers.question()
        readers.come("bc")
        question.set_result(0)
        assert await readers.told(1) == ["a 0"]
        await readers.answer()
        assert await readers.told(2) == ["b 1", "c 1"]
        readers.end()

    asyncio.run(main())


def test_a_question_waits_for_those_who_were_just_answered_and_not_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: apiserver/storage/asking.py"""
    monkeypatch.setattr(asking, "COMPANY_SECONDS", 0.2)

    async def main() -> None:
        readers, now = Readers(), asyncio.get_running_loop().time
        readers.come("abcde")
        await readers.answer()
        await readers.told(5)
        began = now()
        readers.come("abcd")
        readers.come("e")
        await readers.answer()
        assert now() - began < 0.2, "all are back"
        await readers.told(5)
        began = now()
        readers.come("a")
        await readers.answer()
        assert now() - began > 0.15, "the others might have come"
        await readers.told(1)
        began = now()
        readers.come("a")
        await readers.answer()
        assert now() - began < 0.2, "alone now"
        readers.end()

    asyncio.run(main())


def test_few_readers_wait_for_nobody() -> None:
    """Rule: apiserver/storage/asking.py"""
    assert [company(answered, 0) for answered in range(6)] == [1, 1, 1, 1, 4, 5]
    assert company(3, 5) == 8


def test_a_question_that_fails_fails_for_all_who_shared_it() -> None:
    """Rule: a read that cannot be answered ends with a Status"""

    async def main() -> None:
        readers = Readers()
        readers.come("ab")
        question = await readers.question()
        readers.come("c")
        question.set_exception(Timeout("etcd is slow"))
        assert await readers.told(2) == ["a Timeout", "b Timeout"]
        await readers.answer()
        assert await readers.told(1) == ["c 1"]
        readers.end()

    asyncio.run(main())
