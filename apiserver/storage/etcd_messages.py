"""etcd messages: the part of etcd's API that Skiff speaks, as one table, made into protobuf classes when imported.

The table is the definition: a message a line, its fields as `name number type`, `[` for repeated. Members of a oneof stand there
as plain fields, which are the same bytes; an enum is its number. A class is `MESSAGES["RangeRequest"]`, used as any generated one.
https://github.com/etcd-io/etcd/blob/release-3.4/etcdserver/etcdserverpb/rpc.proto · mvcc/mvccpb/kv.proto
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

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

# Compare.CompareTarget and Event.EventType; Compare.CompareResult's EQUAL is 0.
VERSION, MOD_REVISION = 0, 2
DELETED = 1

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
