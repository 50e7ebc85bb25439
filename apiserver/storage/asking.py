"""Asking: etcd is asked for its revision once for all the readers who wait at the same moment.

A read of the newest state must not miss a write that was acknowledged before the read began. So each reader waits for an answer
to a question that left after it came: etcd's revision, linearised. One question is on its way at a time, and who comes
meanwhile shares the next one.

Such a question costs etcd more than all of a read costs us. Busy clients ask again as soon as they are answered, so of many two
halves would form, each asking while the other is answered: a question waits for those who were just answered to come back, as many
as there were, for at most COMPANY_SECONDS. Who is nearly alone (fewer than COMPANY_FROM) is never kept waiting.
https://etcd.io/docs/v3.4/learning/api_guarantees/ · KEP-2340
"""

import asyncio
from collections.abc import Awaitable, Callable

from kube.api.status import ApiError

COMPANY_FROM = 4
COMPANY_SECONDS = 0.001

Reader = Callable[[ApiError | None], None]  # called once, with what went wrong, if anything did
Answered = Callable[[list[Reader], int], None]


def company(answered: int, waiting: int) -> int:
    """How many readers the next question waits for, when so many were answered and so many came meanwhile. Pure."""
    together = answered + waiting
    return together if together >= COMPANY_FROM else 1


class Asking:
    """`run` it. `ask` is the question; `answered` gets the readers whom an answer concerns."""

    def __init__(self, ask: Callable[[], Awaitable[int]], answered: Answered) -> None:
        self._ask = ask
        self._answered = answered
        self._readers: list[Reader] = []  # who came since the question on its way left
        self._company = 1  # how many of them are to come before the next one leaves
        self._on_its_way = False
        self._go = asyncio.Event()
        self._patience: asyncio.TimerHandle | None = None

    def add(self, reader: Reader) -> None:
        self._readers.append(reader)
        if not self._on_its_way:
            self._consider()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._go.wait()
            self._go.clear()
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None
            readers, self._readers = self._readers, []
            self._on_its_way = True
            try:
                revision = await self._ask()
            except ApiError as error:
                self._back(0)
                release(readers, error)
            else:
                self._back(len(readers))
                self._answered(readers, revision)

    def _back(self, answered: int) -> None:
        self._on_its_way = False
        self._company = company(answered, len(self._readers))
        if self._readers:
            self._consider()

    def _consider(self) -> None:
        if len(self._readers) >= self._company:
            self._go.set()
        elif self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(COMPANY_SECONDS, self._go.set)


def release(readers: list[Reader], error: ApiError | None = None) -> None:
    for reader in readers:
        reader(error)
