"""Etcd: the only door to the store, as a few typed calls over the `etcd3` module's messages on grpc.aio.

What it keeps to:
- Every write is one transaction guarded on the key's mod_revision (0: the key must not exist), and its revision comes from
  the transaction's own header.
- Reads are linearised. A read that fails for want of a connection is tried at the next endpoint; a write only where it
  cannot have been sent, since a lost answer does not tell whether it was stored.
- A refusal of the network or of etcd becomes an ApiError here; nobody else sees gRPC.
The generated messages have no `fragment` field; a raised limit on messages does its work.
https://etcd.io/docs/v3.4/learning/api/ · apiserver pkg/storage/etcd3
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import etcd3.etcdrpc
import grpc

from kube.api.status import ApiError, ServiceUnavailable, Timeout, TooLarge

T = TypeVar("T")
rpc: Any = etcd3.etcdrpc  # generated code, without types

CALL_SECONDS = 10.0  # etcd itself gives up on a request after 5 s plus two elections
CONNECT_SECONDS = 3.0  # how long a call looks for an endpoint that answers
LEASE_REUSE_SECONDS = 60.0  # objects with a TTL share leases made within this time, as upstream's lease manager does
LEASE_MAX_OBJECTS = 1000
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # a range over a big prefix exceeds gRPC's 4 MiB
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
]


class Compacted(Exception):
    """The revision asked for is gone; `revision` is the oldest one left."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"compacted up to revision {revision}")
        self.revision = revision


class FutureRevision(Exception):
    """The revision asked for has not happened yet."""


class KeyValue(NamedTuple):
    key: str
    value: bytes
    revision: int  # mod_revision
    lease: int = 0


class Range(NamedTuple):
    items: list[KeyValue]
    revision: int  # of the store when it was read
    total: int  # keys in the range, whatever the limit
    more: bool


class Outcome(NamedTuple):
    """Of a guarded write: whether the guard held, the store's revision, and what stood there where it did not."""

    done: bool
    revision: int
    current: KeyValue | None


class Member(NamedTuple):
    version: str
    size: int  # bytes of the database
    revision: int


@dataclass(frozen=True)
class EtcdTLS:
    ca: bytes
    certificate: bytes | None
    key: bytes | None


class Etcd:
    """A client of one etcd cluster. `close` it."""

    def __init__(self, endpoints: Sequence[str], tls: EtcdTLS | None = None) -> None:
        credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate) if tls else None
        self.endpoints = [_address(endpoint) for endpoint in endpoints]
        self._channels = [_channel(address, credentials) for address in self.endpoints]
        self._stubs = [_Stubs(channel) for channel in self._channels]
        self._current = 0
        self._lease: tuple[int, int, float, int] | None = None  # (ttl, id, made at, objects on it)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close(None)

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel to the endpoint that answered last."""
        return self._channels[self._current]

    @property
    def _now(self) -> "_Stubs":
        return self._stubs[self._current]

    def fail_over(self) -> None:
        """Use the next endpoint from now on."""
        self._current = (self._current + 1) % len(self._channels)

    async def get(self, key: str, revision: int = 0) -> KeyValue | None:
        found = await self.range(key, "", revision=revision)
        return found.items[0] if found.items else None

    async def range(
        self, start: str, end: str, *, revision: int = 0, limit: int = 0, keys_only: bool = False, count_only: bool = False
    ) -> Range:
        """Keys in [start, end) in order; an empty `end` means the key `start` alone. Raises Compacted, FutureRevision."""
        request = rpc.RangeRequest(
            key=start.encode(),
            range_end=end.encode(),
            revision=revision,
            limit=limit,
            keys_only=keys_only,
            count_only=count_only,
        )
        answer = await self._read(lambda stubs: stubs.kv.Range(request, timeout=CALL_SECONDS))
        return Range([_key_value(kv) for kv in answer.kvs], answer.header.revision, answer.count, answer.more)

    async def revision(self) -> int:
        """The store's revision, linearised: every write acknowledged before the call is at or below it."""
        return (await self.range("\0", "", count_only=True)).revision

    async def put(self, key: str, value: bytes, expected: int, lease: int = 0) -> Outcome:
        """Write where the key's mod_revision is `expected`; 0: where there is no such key."""
        operation = rpc.RequestOp(request_put=rpc.PutRequest(key=key.encode(), value=value, lease=lease))
        return await self._guarded(key, expected, operation)

    async def delete(self, key: str, expected: int) -> Outcome:
        """Delete where the key's mod_revision is `expected`."""
        operation = rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key.encode()))
        return await self._guarded(key, expected, operation)

    async def lease(self, ttl_seconds: int) -> int:
        """A lease that lives for at least `ttl_seconds`; shared with other callers of the same minute."""
        now = time.monotonic()
        if self._lease is not None:
            ttl, lease, made, objects = self._lease
            if ttl == ttl_seconds and now - made < LEASE_REUSE_SECONDS and objects < LEASE_MAX_OBJECTS:
                self._lease = (ttl, lease, made, objects + 1)
                return lease
        request = rpc.LeaseGrantRequest(TTL=ttl_seconds + int(LEASE_REUSE_SECONDS))
        answer = await self._read(lambda stubs: stubs.lease.LeaseGrant(request, timeout=CALL_SECONDS))
        self._lease = (ttl_seconds, answer.ID, now, 1)
        return int(answer.ID)

    async def put_version(self, key: str, value: bytes, version: int) -> tuple[bool, int, int]:
        """Write where the key was written `version` times so far: (done, the key's version now, store revision)."""
        name = key.encode()
        request = rpc.TxnRequest(
            compare=[rpc.Compare(result=rpc.Compare.EQUAL, target=rpc.Compare.VERSION, key=name, version=version)],
            success=[rpc.RequestOp(request_put=rpc.PutRequest(key=name, value=value))],
            failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=name))],
        )
        answer = await self._write(lambda stubs: stubs.kv.Txn(request, timeout=CALL_SECONDS))
        if answer.succeeded:
            return True, version + 1, answer.header.revision
        kvs = answer.responses[0].response_range.kvs
        return False, kvs[0].version if kvs else 0, answer.header.revision

    async def compact(self, revision: int) -> None:
        request = rpc.CompactionRequest(revision=revision)
        await self._write(lambda stubs: stubs.kv.Compact(request, timeout=CALL_SECONDS))

    async def status(self) -> Member:
        request = rpc.StatusRequest()
        answer = await self._read(lambda stubs: stubs.maintenance.Status(request, timeout=CALL_SECONDS))
        return Member(answer.version, answer.dbSize, answer.header.revision)

    async def _guarded(self, key: str, expected: int, operation: Any) -> Outcome:
        name = key.encode()
        request = rpc.TxnRequest(
            compare=[rpc.Compare(result=rpc.Compare.EQUAL, target=rpc.Compare.MOD, key=name, mod_revision=expected)],
            success=[operation],
            failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=name))],
        )
        answer = await self._write(lambda stubs: stubs.kv.Txn(request, timeout=CALL_SECONDS))
        if answer.succeeded:
            return Outcome(True, answer.header.revision, None)
        kvs = answer.responses[0].response_range.kvs
        return Outcome(False, answer.header.revision, _key_value(kvs[0]) if kvs else None)

    async def _read(self, call: Callable[["_Stubs"], Awaitable[T]]) -> T:
        """Repeatable calls: on a lost connection the next endpoint is asked, until CONNECT_SECONDS are over."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return await call(self._now)
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise translated(error) from error
            self.fail_over()
            await self._connected(deadline)

    async def _write(self, call: Callable[["_Stubs"], Awaitable[T]]) -> T:
        """Calls that must not be repeated: sent once, over a connection that stands."""
        if self.channel.get_state() != grpc.ChannelConnectivity.READY:
            await self._connected(time.monotonic() + CONNECT_SECONDS)
        try:
            return await call(self._now)
        except grpc.aio.AioRpcError as error:
            raise translated(error) from error

    async def _connected(self, deadline: float) -> None:
        """Settle on the first endpoint, from the current one on, that takes a connection; past the deadline, leave it."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, max(0.2, CONNECT_SECONDS / len(self._channels) / 2))):
                    await self.channel.channel_ready()
                return
            except TimeoutError:
                self.fail_over()


def translated(error: grpc.aio.AioRpcError) -> Exception:
    """What a failed call means for the caller; texts are etcd's own, which clients of the API see."""
    code, details = error.code(), error.details() or ""
    if code == grpc.StatusCode.OUT_OF_RANGE:
        return Compacted(0) if "compacted" in details else FutureRevision(details)
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return Timeout(
            "Timeout: request did not complete within requested timeout - context deadline exceeded", {"retryAfterSeconds": 1}
        )
    if code == grpc.StatusCode.INVALID_ARGUMENT and "too large" in details:
        return TooLarge(f"Request entity too large: {details}")
    if code == grpc.StatusCode.UNAVAILABLE and "timed out" in details:
        return Timeout(details, {"retryAfterSeconds": 1})  # "etcdserver: request timed out"
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED):
        text = details if details.startswith("etcdserver:") else f"storage is not reachable: {details}"
        return ServiceUnavailable(text, {"retryAfterSeconds": 1})
    return UnexpectedEtcdError(f"etcd answered {code.name}: {details}")


class _Stubs:
    """The calls of one channel; making them costs as much as a call."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.kv, self.lease, self.maintenance = rpc.KVStub(channel), rpc.LeaseStub(channel), rpc.MaintenanceStub(channel)


class UnexpectedEtcdError(ApiError):
    """An answer that a right request does not get."""


def _key_value(kv: Any) -> KeyValue:
    return KeyValue(kv.key.decode(), kv.value, kv.mod_revision, kv.lease)


def _address(endpoint: str) -> str:
    return endpoint.split("://", 1)[-1].rstrip("/")


def _channel(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    if credentials is None:
        return grpc.aio.insecure_channel(address, CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(address, credentials, CHANNEL_OPTIONS)
