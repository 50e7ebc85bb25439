"""Etcd: the only door to the store, as a few typed calls over etcd's own messages on gRPC.

What it keeps to:
- Every write is one transaction guarded on the key's mod_revision (0: the key must not exist), and its revision comes from
  the transaction's own header.
- Reads are linearised. A read that fails for want of a connection is tried at the next endpoint; a write only where it
  cannot have been sent, since a lost answer does not tell whether it was stored.
- A refusal of the network or of etcd becomes an ApiError here; nobody else sees gRPC.
https://etcd.io/docs/v3.4/learning/api/ · apiserver pkg/storage/etcd3
"""

import asyncio
import os
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from apiserver.storage import etcd_messages
from apiserver.storage.etcd_messages import KeyValue, Member, Range
from apiserver.storage.http2_channel import Http2Channel
from apiserver.storage.rpc import Channel, Code, RpcError, Stream
from kube.api.status import ApiError, ServiceUnavailable, Timeout, TooLarge

TRANSPORT_VARIABLE = "SKIFF_ETCD_TRANSPORT"  # "grpc": over grpc.aio
CONNECT_SECONDS = 3.0  # how long a call looks for an endpoint that answers
LEASE_REUSE_SECONDS = 60.0  # objects with a TTL share leases made within this time, as upstream's lease manager does
LEASE_MAX_OBJECTS = 1000
_REVISION = etcd_messages.range_request(b"\0", count_only=True)


class Compacted(Exception):
    """The revision asked for is gone; `revision` is the oldest one left."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"compacted up to revision {revision}")
        self.revision = revision


class FutureRevision(Exception):
    """The revision asked for has not happened yet."""


class Outcome(NamedTuple):
    """Of a guarded write: whether the guard held, the store's revision, and what stood there where it did not."""

    done: bool
    revision: int
    current: KeyValue | None


@dataclass(frozen=True)
class EtcdTLS:
    ca: Path
    certificate: Path | None
    key: Path | None

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        context.set_alpn_protocols(["h2"])
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


class Etcd:
    """A client of one etcd cluster. `close` it."""

    def __init__(self, endpoints: Sequence[str], tls: EtcdTLS | None = None) -> None:
        make = _make_grpc if os.environ.get(TRANSPORT_VARIABLE) == "grpc" else _make_http2
        self.endpoints = [_address(endpoint) for endpoint in endpoints]
        self._channels = [make(address, tls) for address in self.endpoints]
        self._current = 0
        self._lease: tuple[int, int, float, int] | None = None  # (ttl, id, made at, objects on it)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    @property
    def _channel(self) -> Channel:
        """The channel to the endpoint that answered last."""
        return self._channels[self._current]

    def fail_over(self) -> None:
        """Use the next endpoint from now on."""
        self._current = (self._current + 1) % len(self._channels)

    async def stream(self, method: str, first: bytes) -> Stream:
        """For etcd_watch.py. Raises RpcError."""
        if not self._channel.connected:
            await self._connected(time.monotonic() + CONNECT_SECONDS)
        return self._channel.stream(method, first)

    async def get(self, key: str, revision: int = 0) -> KeyValue | None:
        found = await self.range(key, "", revision=revision)
        return found.items[0] if found.items else None

    async def range(
        self, start: str, end: str, *, revision: int = 0, limit: int = 0, keys_only: bool = False, count_only: bool = False
    ) -> Range:
        """Keys in [start, end) in order; an empty `end` means the key `start` alone. Raises Compacted, FutureRevision."""
        request = etcd_messages.range_request(
            start.encode(), end.encode(), revision=revision, limit=limit, keys_only=keys_only, count_only=count_only
        )
        return etcd_messages.range_response(await self._read("Range", request))

    async def revision(self) -> int:
        """The store's revision, linearised: every write acknowledged before the call is at or below it."""
        return etcd_messages.revision_of(await self._read("Range", _REVISION))

    async def put(self, key: str, value: bytes, expected: int, lease: int = 0) -> Outcome:
        """Write where the key's mod_revision is `expected`; 0: where there is no such key."""
        name = key.encode()
        return await self._guarded(name, expected, etcd_messages.put(name, value, lease))

    async def delete(self, key: str, expected: int) -> Outcome:
        """Delete where the key's mod_revision is `expected`."""
        name = key.encode()
        return await self._guarded(name, expected, etcd_messages.delete(name))

    async def lease(self, ttl_seconds: int) -> int:
        """A lease that lives for at least `ttl_seconds`; shared with other callers of the same minute."""
        now = time.monotonic()
        if self._lease is not None:
            ttl, lease, made, objects = self._lease
            if ttl == ttl_seconds and now - made < LEASE_REUSE_SECONDS and objects < LEASE_MAX_OBJECTS:
                self._lease = (ttl, lease, made, objects + 1)
                return lease
        request = etcd_messages.lease_grant_request(ttl_seconds + int(LEASE_REUSE_SECONDS))
        lease = etcd_messages.lease_granted(await self._read("LeaseGrant", request))
        self._lease = (ttl_seconds, lease, now, 1)
        return lease

    async def put_version(self, key: str, value: bytes, version: int) -> tuple[bool, int, int]:
        """Write where the key was written `version` times so far: (done, the key's version now, store revision)."""
        name = key.encode()
        guard = etcd_messages.at_version(name, version)
        request = etcd_messages.txn_request(guard, etcd_messages.put(name, value), etcd_messages.get(name))
        answer = etcd_messages.txn_response(await self._write("Txn", request))
        if answer.succeeded:
            return True, version + 1, answer.revision
        return False, answer.found[0].version if answer.found else 0, answer.revision

    async def mark(self, key: str) -> None:
        """Write an empty value, whatever stands there."""
        await self._write("Txn", etcd_messages.txn_request(None, etcd_messages.put(key.encode())))

    async def compact(self, revision: int) -> None:
        await self._write("Compact", etcd_messages.compaction_request(revision))

    async def status(self) -> Member:
        return etcd_messages.status_response(await self._read("Status", b""))

    async def _guarded(self, name: bytes, expected: int, operation: bytes) -> Outcome:
        request = etcd_messages.txn_request(etcd_messages.at_revision(name, expected), operation, etcd_messages.get(name))
        answer = etcd_messages.txn_response(await self._write("Txn", request))
        return Outcome(answer.succeeded, answer.revision, answer.found[0] if answer.found else None)

    async def _read(self, method: str, request: bytes) -> bytes:
        """Repeatable calls: on a lost connection the next endpoint is asked, until CONNECT_SECONDS are over."""
        deadline = 0.0
        while True:
            channel = self._channel
            if not channel.connected:
                deadline = deadline or time.monotonic() + CONNECT_SECONDS
                await self._connected(deadline)
                channel = self._channel
            try:
                return await channel.call(method, request)
            except RpcError as error:
                deadline = deadline or time.monotonic() + CONNECT_SECONDS
                if error.code != Code.UNAVAILABLE or time.monotonic() > deadline:
                    self._leave_if_silent(channel, error)
                    raise translated(error) from error
            if channel is self._channel:
                self.fail_over()

    async def _write(self, method: str, request: bytes) -> bytes:
        """Calls that must not be repeated: sent once, over a connection that stands."""
        if not self._channel.connected:
            await self._connected(time.monotonic() + CONNECT_SECONDS)
        channel = self._channel
        try:
            return await channel.call(method, request)
        except RpcError as error:
            self._leave_if_silent(channel, error)
            raise translated(error) from error

    def _leave_if_silent(self, channel: Channel, error: RpcError) -> None:
        """A member that hangs keeps its connections: who did not answer in time is not the next one asked."""
        if error.code == Code.DEADLINE_EXCEEDED and channel is self._channel:
            self.fail_over()

    async def _connected(self, deadline: float) -> None:
        """Settle on the first endpoint, from the current one on, that takes a connection; past the deadline, leave it."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, max(0.2, CONNECT_SECONDS / len(self._channels) / 2))):
                    await self._channel.connect()
                return
            except TimeoutError:
                self.fail_over()


def translated(error: RpcError) -> Exception:
    """What a failed call means for the caller; texts are etcd's own, which clients of the API see."""
    code, details = error.code, error.details
    if code == Code.OUT_OF_RANGE:
        return Compacted(0) if "compacted" in details else FutureRevision(details)
    if code == Code.DEADLINE_EXCEEDED:
        return Timeout(
            "Timeout: request did not complete within requested timeout - context deadline exceeded", {"retryAfterSeconds": 1}
        )
    if code == Code.INVALID_ARGUMENT and "too large" in details:
        return TooLarge(f"Request entity too large: {details}")
    if code == Code.UNAVAILABLE and "timed out" in details:
        return Timeout(details, {"retryAfterSeconds": 1})  # "etcdserver: request timed out"
    if code in (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED, Code.CANCELLED):
        text = details if details.startswith("etcdserver:") else f"storage is not reachable: {details}"
        return ServiceUnavailable(text, {"retryAfterSeconds": 1})
    return UnexpectedEtcdError(f"etcd answered {code.name}: {details}")


class UnexpectedEtcdError(ApiError):
    """An answer that a right request does not get."""


def _address(endpoint: str) -> str:
    return endpoint.split("://", 1)[-1].rstrip("/")


def _make_http2(address: str, tls: EtcdTLS | None) -> Channel:
    return Http2Channel(address, tls.context() if tls else None)


def _make_grpc(address: str, tls: EtcdTLS | None) -> Channel:
    import grpc

    from apiserver.storage.grpc_channel import GrpcChannel

    if tls is None:
        return GrpcChannel(address, None)
    certificate, key = (file.read_bytes() if file else None for file in (tls.certificate, tls.key))
    return GrpcChannel(address, grpc.ssl_channel_credentials(tls.ca.read_bytes(), key, certificate))
