"""etcd watch: what happened below a prefix, in order, without a gap and without a duplicate.

The stream is opened anew after every loss, at another endpoint, one revision behind the last one delivered: etcd never splits
a revision over two answers. Where those revisions were compacted meanwhile, or the store has gone back in time (restored
from a backup), `follow` ends with Compacted and the caller must read everything again. etcd itself refuses only to begin
before the compacted revision, and leaves out the deletions of that very one (etcd-io/etcd#18089): so when a new stream brings
its first answer, the revision before its beginning must still be there.
Part of the door to etcd (see etcd.py).
https://etcd.io/docs/v3.4/learning/api/#watch-api
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from apiserver.storage.etcd import Compacted, Etcd
from apiserver.storage.etcd_messages import Change, watch_request, watch_response
from apiserver.storage.rpc import Code, RpcError, Stream
from kube.api.status import ApiError

RETRY_SECONDS = 0.1
MAX_RETRY_SECONDS = 2.0


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
        self._pause = RETRY_SECONDS

    async def follow(self, take: Callable[[Batch], None]) -> None:
        """Everything from the first revision on, for ever. Raises Compacted."""
        while True:
            try:
                await self._stream(take)
            except RpcError:
                self._etcd.fail_over()
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, MAX_RETRY_SECONDS)
            await self._check_time_runs_forward()

    def begin_anew(self) -> None:
        """The stream is silent though there is news: open another one, where it ended."""
        if self._open is not None:
            self._open.cancel()

    async def _stream(self, take: Callable[[Batch], None]) -> None:
        """As long as one stream lasts."""
        request = watch_request(self._start.encode(), self._end.encode(), self._next)
        stream = await self._etcd.stream("Watch", request)
        checked = False
        try:
            self._open = stream
            while (message := await stream.read()) is not None:
                answer = watch_response(message)
                if answer.canceled:
                    if answer.compact_revision:
                        raise Compacted(answer.compact_revision)
                    return
                if not answer.changes:
                    continue
                if not checked:
                    checked = await self._check_nothing_is_missing()
                    self._pause = RETRY_SECONDS
                newest = answer.changes[-1].revision
                self._next = newest + 1
                take(Batch(answer.changes, newest))
        finally:
            self._open = None
            stream.cancel()

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
