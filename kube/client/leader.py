"""Leader election: of several replicas of a program, one works at a time, held by a Lease.

Promise: `work` runs only while this replica holds the lease, and is cancelled before another can take it: when renewing did
not succeed for `renew_seconds`, which is less than the lease lasts. A holder that ends gives the lease back. How long a
foreign lease still holds is measured by when it was seen to change, on this machine's own clock, so clocks need not agree.
https://kubernetes.io/docs/concepts/architecture/leases/#leader-election · client-go tools/leaderelection
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from kube.api.meta import Key, Tree
from kube.api.status import ApiError, Conflict, NotFound
from kube.api.types import Lease
from kube.api.views import micro_timestamp
from kube.client.rest import Client, Unreachable

log = logging.getLogger(__name__)

JITTER = 0.2
RELEASE_SECONDS = 2.0  # an ending program does not wait longer for a server that does not answer


class LostLease(Exception):
    """The lease could not be renewed in time; the work was stopped. The program should end and be started anew."""


async def lead(
    client: Client,
    *,
    name: str,
    identity: str,
    work: Callable[[], Awaitable[None]],
    namespace: str = "kube-system",
    lease_seconds: float = 15.0,
    renew_seconds: float = 10.0,
    retry_seconds: float = 2.0,
) -> None:
    """Wait for the lease, then do the work while holding it. Raises LostLease."""
    if not lease_seconds > renew_seconds > retry_seconds * (1 + JITTER) > 0:
        raise ValueError("leaseDuration must be greater than renewDeadline, and that than retryPeriod")
    candidate = _Candidate(client, Key(namespace, name), identity, lease_seconds)
    while not await _in_time(candidate.acquire(), renew_seconds):  # noqa: ASYNC110 -- the lease is on the server
        await asyncio.sleep(retry_seconds * (1 + JITTER * random.random()))
    log.info("successfully acquired lease %s/%s", namespace, name)
    lost = False
    try:
        async with asyncio.TaskGroup() as tasks:
            renewal = tasks.create_task(candidate.keep(renew_seconds, retry_seconds))
            await work()
            renewal.cancel()
    except* LostLease:
        lost = True  # a plain error is raised below: from here it would come out as a group
    finally:
        if not lost:  # else the server does not answer, and the lease runs out by itself
            with contextlib.suppress(ApiError, Unreachable, TimeoutError):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await candidate.release()
    if lost:
        raise LostLease(f"leaderelection lost: {namespace}/{name}")


async def _in_time(attempt: Awaitable[bool], seconds: float) -> bool:
    """An attempt that takes longer than the lease may go without being renewed has failed: the lease may have run out since."""
    try:
        async with asyncio.timeout(seconds):
            return await attempt
    except TimeoutError:
        return False


class _Candidate:
    """One replica's view of the lease."""

    def __init__(self, client: Client, key: Key, identity: str, lease_seconds: float) -> None:
        self._client = client
        self._key = key
        self._identity = identity
        self._lease_seconds = lease_seconds
        self._seen: Tree = {}  # the lease as last read or written
        self._seen_at = 0.0  # when it was seen to change
        self._renewed_at = 0.0  # when this replica last wrote it

    async def acquire(self) -> bool:
        """Take the lease if it is free; renew it if it is ours. False while another holds it, or on any trouble."""
        asked_at = _now()
        try:
            lease = await self._client.get_tree(Lease, *self._key)
        except NotFound:
            return await self._create(asked_at)
        except (ApiError, Unreachable) as error:
            log.warning("lease %s cannot be read: %s", self._key, error)
            return False
        if lease["metadata"]["resourceVersion"] != self._seen.get("metadata", {}).get("resourceVersion"):
            self._seen, self._seen_at = lease, asked_at
        holder = lease["spec"].get("holderIdentity") or ""
        lasts = lease["spec"].get("leaseDurationSeconds") or self._lease_seconds
        if holder not in ("", self._identity) and _now() < self._seen_at + lasts:
            return False
        return await self._write(lease, taken_over=holder != self._identity, asked_at=asked_at)

    async def keep(self, renew_seconds: float, retry_seconds: float) -> None:
        """Renew until it fails for too long. Raises LostLease."""
        while True:
            left = self._renewed_at + renew_seconds - _now()
            await asyncio.sleep(max(min(retry_seconds, left), 0))
            left = self._renewed_at + renew_seconds - _now()
            try:
                async with asyncio.timeout(max(left, 0)):
                    await self._renew()
            except TimeoutError:
                raise LostLease(str(self._key)) from None
            if self._renewed_at + renew_seconds < _now():
                raise LostLease(str(self._key))

    async def release(self) -> None:
        """Give the lease back, so that another need not wait for its end."""
        if self._seen.get("spec", {}).get("holderIdentity") != self._identity:
            return
        spec = {**self._seen["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
        await self._client.update(Lease, {**self._seen, "spec": spec})

    async def _renew(self) -> None:
        """One write in the usual case: the lease that was last seen is ours."""
        asked_at = _now()
        if not await self._write(self._seen, taken_over=False, asked_at=asked_at):
            await self.acquire()

    async def _create(self, asked_at: float) -> bool:
        now = micro_timestamp(datetime.now(UTC))
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._lease_seconds),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        }
        tree = {"metadata": {"name": self._key.name, "namespace": self._key.namespace}, "spec": spec}
        try:
            self._seen = await self._client.create(Lease, tree)
        except (ApiError, Unreachable):
            return False
        self._seen_at = self._renewed_at = asked_at
        return True

    async def _write(self, lease: Tree, *, taken_over: bool, asked_at: float) -> bool:
        now = micro_timestamp(datetime.now(UTC))
        spec = {
            **lease["spec"],
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(self._lease_seconds),
            "renewTime": now,
        }
        if taken_over:
            spec |= {"acquireTime": now, "leaseTransitions": (lease["spec"].get("leaseTransitions") or 0) + 1}
        try:
            self._seen = await self._client.update(Lease, {**lease, "spec": spec})
        except Conflict:
            return False
        except (ApiError, Unreachable) as error:
            log.warning("lease %s cannot be written: %s", self._key, error)
            return False
        self._seen_at = self._renewed_at = asked_at
        return True


def _now() -> float:
    """Seconds that only grow."""
    return asyncio.get_running_loop().time()
