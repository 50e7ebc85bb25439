"""etcd watch: what happened below a prefix, in order, without a gap and without a duplicate.

The stream is opened anew after every loss, at another endpoint, one revision behind the last one delivered: etcd never splits
a revision over two answers. Where those revisions were compacted meanwhile, or the store has gone back in time (restored
from a backup), the iteration ends with Compacted and the caller must read everything again. etcd itself refuses only to begin
before the compacted revision, and leaves out the deletions of that very one (etcd-io/etcd#18089): so when a new stream brings
its first answer, the revision before its beginning must still be there.
Part of the door to etcd (see etcd.py).
https://etcd.io/docs/v3.4/learning/api/#watch-api
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from apiserver.storage.etcd import Compacted, Etcd
from apiserver.storage.etcd_messages import DELETED, MESSAGES
from apiserver.storage.rpc import Code, RpcError, Stream
from kube.api.status import ApiError

RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 2.0

_WatchRequest, _WatchResponse = MESSAGES["WatchRequest"], MESSAGES["WatchResponse"]


class Change(NamedTuple):
    key: str
    value: bytes | None  # None: deleted
    revision: int
    created: bool  # the key did not exist before


class Batch(NamedTuple):
    """`revision`: what was delivered so far covers the prefix up to it."""

    changes: list[Change]
    revision: int


class EtcdWatch:
    """One watch of [start, end) from `revision` on (inclusive)."""

    def __init__(self, etcd: Etcd, start: str, end: str, revision: int) -> None:
        self._etcd = etcd
        self._start = start
        self._end = end
        self._next = revision
        self._open: Stream | None = None

    async def batches(self) -> AsyncIterator[Batch]:
        """Everything from the first revision on, for ever. Raises Compacted."""
        pause = RETRY_SECONDS
        while True:
            try:
                async for batch in self._stream():
                    pause = RETRY_SECONDS
                    yield batch
            except RpcError:
                self._etcd.fail_over()
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_RETRY_SECONDS)
            await self._check_time_runs_forward()

    def begin_anew(self) -> None:
        """The stream is silent though there is news: open another one, where it ended."""
        if self._open is not None:
            self._open.cancel()

    async def _stream(self) -> AsyncIterator[Batch]:
        create = MESSAGES["WatchCreateRequest"](key=self._start.encode(), range_end=self._end.encode(), start_revision=self._next)
        stream = await self._etcd.stream("Watch", _WatchRequest(create_request=create).SerializeToString())
        checked = False
        try:
            self._open = stream
            while (message := await stream.read()) is not None:
                answer = _WatchResponse.FromString(message)
                if answer.canceled:
                    if answer.compact_revision:
                        raise Compacted(answer.compact_revision)
                    return
                if not answer.events:
                    continue
                if not checked:
                    checked = await self._check_nothing_is_missing()
                yield self._batch(answer)
        finally:
            self._open = None
            stream.cancel()

    def _batch(self, answer: Any) -> Batch:
        changes = [
            Change(
                event.kv.key.decode(),
                None if event.type == DELETED else event.kv.value,
                event.kv.mod_revision,
                event.kv.create_revision == event.kv.mod_revision,
            )
            for event in answer.events
        ]
        self._next = changes[-1].revision + 1
        return Batch(changes, changes[-1].revision)

    async def _check_nothing_is_missing(self) -> bool:
        try:
            await self._etcd.range(self._start, "", revision=max(1, self._next - 1), count_only=True)
        except Compacted:
            raise Compacted(self._next) from None
        except ApiError as error:
            raise RpcError(Code.UNAVAILABLE, error.message) from error  # not known: begin again
        return True

    async def _check_time_runs_forward(self) -> None:
        try:
            now = await self._etcd.revision()
        except ApiError:
            return  # not reachable yet
        if now < self._next - 1:
            raise Compacted(now)
