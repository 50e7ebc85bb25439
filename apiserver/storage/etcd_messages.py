"""etcd messages: the part of etcd's API that Skiff speaks. What is sent is put together here, what comes is taken apart.

Each function is a message; the numbers of its fields stand beside their names in etcd's own definition, in the order in which they
are sent. All of them are below 16, so a field's tag is one byte (kube/api/wire.py).
https://github.com/etcd-io/etcd/blob/release-3.4/etcdserver/etcdserverpb/rpc.proto · mvcc/mvccpb/kv.proto
"""

from typing import NamedTuple

from kube.api.wire import block, fields, integer, number_in

MOD_REVISION_EQUALS = integer(2, 2)  # Compare: result 1 (EQUAL is 0), target 2 (MOD is 2)
HEADER = 1  # of each answer: the field of its ResponseHeader
REVISION = 3  # of a ResponseHeader
DELETED = 1  # Event.EventType


class KeyValue(NamedTuple):
    key: str
    value: bytes
    revision: int  # mod_revision
    lease: int = 0
    version: int = 0  # how many times it was written


class Range(NamedTuple):
    items: list[KeyValue]
    revision: int  # of the store when it was read
    total: int  # keys in the range, whatever the limit
    more: bool


class Txn(NamedTuple):
    """`found` is what was read where it did not succeed: by the first operation, where that is a range."""

    succeeded: bool
    revision: int
    found: list[KeyValue]


class Change(NamedTuple):
    key: str
    value: bytes | None  # None: deleted
    revision: int


class WatchAnswer(NamedTuple):
    canceled: bool
    compact_revision: int
    changes: list[Change]


class Member(NamedTuple):
    version: str
    size: int  # bytes of the database
    revision: int


# -- what is sent


def range_request(
    key: bytes, end: bytes = b"", *, limit: int = 0, revision: int = 0, keys_only: bool = False, count_only: bool = False
) -> bytes:
    range_end = block(2, end) if end else b""
    parts = (block(1, key), range_end, integer(3, limit), integer(4, revision), integer(8, keys_only), integer(9, count_only))
    return b"".join(parts)


def put(key: bytes, value: bytes = b"", lease: int = 0) -> bytes:
    """A RequestOp: request_put 2."""
    return block(2, block(1, key) + block(2, value) + integer(3, lease))


def delete(key: bytes) -> bytes:
    """A RequestOp: request_delete_range 3."""
    return block(3, block(1, key))


def get(key: bytes) -> bytes:
    """A RequestOp: request_range 1."""
    return block(1, block(1, key))


def at_revision(key: bytes, mod_revision: int) -> bytes:
    """A Compare: the key was last written then; 0: there is no such key."""
    return MOD_REVISION_EQUALS + block(3, key) + integer(6, mod_revision)


def at_version(key: bytes, version: int) -> bytes:
    """A Compare: the key was written so many times (target VERSION is 0)."""
    return block(3, key) + integer(4, version)


def txn_request(compare: bytes | None, success: bytes, failure: bytes | None = None) -> bytes:
    """One guard, one operation for each case."""
    guard = block(1, compare) if compare is not None else b""
    return guard + block(2, success) + (block(3, failure) if failure is not None else b"")


def compaction_request(revision: int) -> bytes:
    return integer(1, revision)


def lease_grant_request(ttl_seconds: int) -> bytes:
    return integer(1, ttl_seconds)


def watch_request(start: bytes, end: bytes, revision: int) -> bytes:
    """create_request 1: key 1, range_end 2, start_revision 3."""
    return block(1, block(1, start) + block(2, end) + integer(3, revision))


# -- what comes


def revision_of(answer: bytes) -> int:
    """The store's revision, from any answer's header."""
    return next((number_in(value, REVISION) for field, value in fields(answer) if field == HEADER), 0)


def range_response(answer: bytes) -> Range:
    revision = total = 0
    more = False
    items: list[KeyValue] = []
    for field, value in fields(answer):
        if field == HEADER:
            revision = number_in(value, REVISION)
        elif field == 2:
            items.append(_key_value(value))
        elif field == 3:
            more = bool(value)
        elif field == 4:
            total = value
    return Range(items, revision, total, more)


def txn_response(answer: bytes) -> Txn:
    succeeded, revision = False, 0
    first = b""
    for field, value in fields(answer):
        if field == HEADER:
            revision = number_in(value, REVISION)
        elif field == 2:
            succeeded = bool(value)
        elif field == 3:
            first = first or value
    if succeeded:
        return Txn(True, revision, [])
    read = [value for operation, value in fields(first) if operation == 1]
    return Txn(False, revision, [one for value in read for one in range_response(value).items])


def lease_granted(answer: bytes) -> int:
    """The lease's ID."""
    return number_in(answer, 2)


def watch_response(answer: bytes) -> WatchAnswer:
    canceled, compact_revision = False, 0
    changes: list[Change] = []
    for field, value in fields(answer):
        if field == 11:
            changes.append(_change(value))
        elif field == 4:
            canceled = bool(value)
        elif field == 5:
            compact_revision = value
    return WatchAnswer(canceled, compact_revision, changes)


def status_response(answer: bytes) -> Member:
    version = next((value.decode() for field, value in fields(answer) if field == 2), "")
    return Member(version, number_in(answer, 3), revision_of(answer))


def _key_value(message: bytes) -> KeyValue:
    key = value = b""
    revision = version = lease = 0
    for field, found in fields(message):
        if field == 1:
            key = found
        elif field == 3:
            revision = found
        elif field == 4:
            version = found
        elif field == 5:
            value = found
        elif field == 6:
            lease = found
    return KeyValue(key.decode(), value, revision, lease, version)


def _change(event: bytes) -> Change:
    deleted, message = False, b""
    for field, value in fields(event):
        if field == 1:
            deleted = value == DELETED
        elif field == 2:
            message = value
    now = _key_value(message)
    return Change(now.key, None if deleted else now.value, now.revision)
