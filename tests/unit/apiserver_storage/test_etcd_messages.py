"""etcd's messages, put together and taken apart by our few lines, are those that protobuf's library reads and writes."""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from apiserver.storage import etcd_messages

PACKAGE = "etcd"
TABLE = """
KeyValue: key 1 bytes, create_revision 2 int64, mod_revision 3 int64, version 4 int64, value 5 bytes, lease 6 int64
Event: type 1 int64, kv 2 KeyValue
ResponseHeader: cluster_id 1 uint64, member_id 2 uint64, revision 3 int64, raft_term 4 uint64
RangeRequest: key 1 bytes, range_end 2 bytes, limit 3 int64, revision 4 int64, serializable 7 bool, keys_only 8 bool, count_only 9 bool
RangeResponse: header 1 ResponseHeader, kvs 2 [KeyValue, more 3 bool, count 4 int64
PutRequest: key 1 bytes, value 2 bytes, lease 3 int64
DeleteRangeRequest: key 1 bytes, range_end 2 bytes
RequestOp: request_range 1 RangeRequest, request_put 2 PutRequest, request_delete_range 3 DeleteRangeRequest
ResponseOp: response_range 1 RangeResponse
Compare: result 1 int64, target 2 int64, key 3 bytes, version 4 int64, mod_revision 6 int64
TxnRequest: compare 1 [Compare, success 2 [RequestOp, failure 3 [RequestOp
TxnResponse: header 1 ResponseHeader, succeeded 2 bool, responses 3 [ResponseOp
CompactionRequest: revision 1 int64, physical 2 bool
CompactionResponse: header 1 ResponseHeader
LeaseGrantRequest: TTL 1 int64, ID 2 int64
LeaseGrantResponse: header 1 ResponseHeader, ID 2 int64, TTL 3 int64, error 4 string
WatchCreateRequest: key 1 bytes, range_end 2 bytes, start_revision 3 int64, fragment 8 bool
WatchRequest: create_request 1 WatchCreateRequest
WatchResponse: header 1 ResponseHeader, watch_id 2 int64, created 3 bool, canceled 4 bool, compact_revision 5 int64, cancel_reason 6 string, fragment 7 bool, events 11 [Event
StatusRequest:
StatusResponse: header 1 ResponseHeader, version 2 string, dbSize 3 int64
"""  # noqa: E501  (a message a line)
MOD = 2  # Compare.CompareTarget

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "bytes": _Field.TYPE_BYTES,
    "string": _Field.TYPE_STRING,
    "bool": _Field.TYPE_BOOL,
    "int64": _Field.TYPE_INT64,
    "uint64": _Field.TYPE_UINT64,
}


def _classes(table: str) -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="etcd.proto", package=PACKAGE, syntax="proto3")
    for line in table.strip().splitlines():
        name, _, fields = line.partition(":")
        message = file.message_type.add(name=name)
        for words in filter(None, map(str.split, fields.split(","))):
            _add_field(message, *words)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{message.name}"))
        for message in file.message_type
    }


def _add_field(message: Any, name: str, number: str, kind: str) -> None:
    repeated, kind = kind.startswith("["), kind.lstrip("[")
    field = message.field.add(name=name, number=int(number))
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"


MESSAGES: dict[str, Any] = _classes(TABLE)
NUMBERS = st.integers(0, 2**63 - 1)
KEYS = st.text(min_size=1, max_size=200)
VALUES = st.binary(max_size=300)
HEADERS = st.builds(
    MESSAGES["ResponseHeader"],
    cluster_id=st.integers(0, 2**64 - 1),
    member_id=st.integers(0, 2**64 - 1),
    revision=NUMBERS,
    raft_term=NUMBERS,
)
KEY_VALUES = st.builds(
    MESSAGES["KeyValue"], key=KEYS.map(str.encode), create_revision=NUMBERS, mod_revision=NUMBERS, version=NUMBERS, value=VALUES,
    lease=NUMBERS,
)  # fmt: skip


def _read(name: str, data: bytes) -> Any:
    return MESSAGES[name].FromString(data)


@given(VALUES, VALUES, NUMBERS, NUMBERS, st.booleans(), st.booleans())
def test_a_range_is_asked_for_as_etcd_defines_it(
    key: bytes, end: bytes, limit: int, revision: int, keys_only: bool, count_only: bool
) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/#range"""
    sent = etcd_messages.range_request(key, end, limit=limit, revision=revision, keys_only=keys_only, count_only=count_only)
    meant = MESSAGES["RangeRequest"](
        key=key, range_end=end, limit=limit, revision=revision, keys_only=keys_only, count_only=count_only
    )
    assert _read("RangeRequest", sent) == meant


@given(VALUES, VALUES, NUMBERS, NUMBERS)
def test_a_guarded_write_is_a_transaction_as_etcd_defines_it(key: bytes, value: bytes, revision: int, lease: int) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/#transaction"""
    guard = MESSAGES["Compare"](target=MOD, key=key, mod_revision=revision)
    put = MESSAGES["RequestOp"](request_put=MESSAGES["PutRequest"](key=key, value=value, lease=lease))
    get = MESSAGES["RequestOp"](request_range=MESSAGES["RangeRequest"](key=key))
    sent = etcd_messages.txn_request(
        etcd_messages.at_revision(key, revision), etcd_messages.put(key, value, lease), etcd_messages.get(key)
    )
    assert _read("TxnRequest", sent) == MESSAGES["TxnRequest"](compare=[guard], success=[put], failure=[get])
    delete = MESSAGES["RequestOp"](request_delete_range=MESSAGES["DeleteRangeRequest"](key=key))
    guard = MESSAGES["Compare"](key=key, version=revision)
    sent = etcd_messages.txn_request(etcd_messages.at_version(key, revision), etcd_messages.delete(key), etcd_messages.get(key))
    assert _read("TxnRequest", sent) == MESSAGES["TxnRequest"](compare=[guard], success=[delete], failure=[get])
    assert _read("TxnRequest", etcd_messages.txn_request(None, etcd_messages.put(key))).success[0].request_put.key == key


@given(VALUES, VALUES, NUMBERS)
def test_a_watch_a_lease_and_a_compaction_are_asked_for_as_etcd_defines_them(start: bytes, end: bytes, number: int) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/#watch-api"""
    create = MESSAGES["WatchCreateRequest"](key=start, range_end=end, start_revision=number)
    assert _read("WatchRequest", etcd_messages.watch_request(start, end, number)) == MESSAGES["WatchRequest"](create_request=create)
    assert number == _read("LeaseGrantRequest", etcd_messages.lease_grant_request(number)).TTL
    assert _read("CompactionRequest", etcd_messages.compaction_request(number)).revision == number


@given(HEADERS, st.lists(KEY_VALUES, max_size=3), st.booleans(), NUMBERS)
def test_what_a_range_found_is_read(header: Any, kvs: list[Any], more: bool, total: int) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/#range"""
    answer = MESSAGES["RangeResponse"](header=header, kvs=kvs, more=more, count=total).SerializeToString()
    items = [etcd_messages.KeyValue(kv.key.decode(), kv.value, kv.mod_revision, kv.lease, kv.version) for kv in kvs]
    assert etcd_messages.range_response(answer) == etcd_messages.Range(items, header.revision, total, more)
    assert etcd_messages.revision_of(answer) == header.revision


@given(HEADERS, st.booleans(), KEY_VALUES)
def test_what_became_of_a_transaction_is_read(header: Any, succeeded: bool, kv: Any) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/#transaction"""
    response = MESSAGES["ResponseOp"](response_range=MESSAGES["RangeResponse"](header=header, kvs=[kv], count=1))
    answer = MESSAGES["TxnResponse"](header=header, succeeded=succeeded, responses=[response])
    read = etcd_messages.txn_response(answer.SerializeToString())
    assert (read.succeeded, read.revision, [one.value for one in read.found]) == (
        succeeded,
        header.revision,
        [] if succeeded else [kv.value],
    )


@given(HEADERS, st.lists(st.tuples(st.booleans(), KEY_VALUES), max_size=3), st.booleans(), NUMBERS)
def test_what_a_watch_tells_is_read(header: Any, events: list[tuple[bool, Any]], canceled: bool, compacted: int) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/#watch-api"""
    made = [MESSAGES["Event"](type=int(deleted), kv=kv) for deleted, kv in events]
    answer = MESSAGES["WatchResponse"](header=header, watch_id=7, canceled=canceled, compact_revision=compacted, events=made)
    changes = [etcd_messages.Change(kv.key.decode(), None if deleted else kv.value, kv.mod_revision) for deleted, kv in events]
    assert etcd_messages.watch_response(answer.SerializeToString()) == etcd_messages.WatchAnswer(canceled, compacted, changes)


@given(HEADERS, st.text(), NUMBERS)
def test_a_member_and_a_lease_are_read(header: Any, version: str, number: int) -> None:
    """Rule: https://etcd.io/docs/v3.4/learning/api/"""
    status = MESSAGES["StatusResponse"](header=header, version=version, dbSize=number).SerializeToString()
    assert etcd_messages.status_response(status) == etcd_messages.Member(version, number, header.revision)
    granted = MESSAGES["LeaseGrantResponse"](header=header, ID=number, TTL=60).SerializeToString()
    assert etcd_messages.lease_granted(granted) == number
