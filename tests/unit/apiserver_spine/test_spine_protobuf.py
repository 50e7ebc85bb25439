"""Protobuf bodies, as upstream's kubectl writes them."""

import struct

import pytest

from apiserver import protobuf

# kubectl create namespace foo, as sent by version 1.37
NAMESPACE = bytes.fromhex(
    "6b387300 0a0f 0a027631 12094e616d657370616365 121b 0a13 0a03666f6f 1200 1a00 2200 2a00 3200 3800 4200 1200 1a02 0a00 1a00 2200"
)


def message(*fields: bytes) -> bytes:
    return b"".join(fields)


SINCE_YEAR_ONE = 62_135_596_800  # seconds to 1970


def varint(number: int) -> bytes:
    digits = [number >> shift & 0x7F for shift in range(0, max(1, number.bit_length()), 7)]
    return bytes([*(digit | 0x80 for digit in digits[:-1]), digits[-1]])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def long(number: int, value: bytes) -> bytes:
    """A field whose number or length does not fit one byte."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def an_object(api_version: str, kind: str, raw: bytes) -> bytes:
    type_meta = message(field(1, api_version.encode()), field(2, kind.encode()))
    return protobuf.MAGIC + message(field(1, type_meta), long(2, raw))


def test_kubectls_own_bytes_are_understood() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding"""
    assert protobuf.decode(NAMESPACE) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "foo"},
        "spec": {},
        "status": {},
    }


def test_a_pointer_to_zero_is_zero_and_a_plain_zero_is_absent() -> None:
    """Go writes plain fields of protobuf always, and of JSON only where they are not zero."""
    spec = message(field(1, 0), field(5, 0))  # replicas, a pointer; minReadySeconds, plain
    tree = protobuf.decode(an_object("apps/v1", "Deployment", field(2, spec)))
    assert tree["spec"] == {"replicas": 0}


def test_special_forms_become_those_of_json() -> None:
    port = message(field(1, b"http"), field(3, 80), field(4, message(field(1, 0), field(2, 8))))
    service = protobuf.decode(an_object("v1", "Service", field(2, field(1, port))))
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": 8}]
    limits = field(1, message(field(1, b"cpu"), field(2, field(1, b"100m"))))
    container = message(field(1, b"c"), field(8, limits))
    pod = protobuf.decode(an_object("v1", "Pod", field(2, field(2, container))))
    assert pod["spec"]["containers"] == [{"name": "c", "resources": {"limits": {"cpu": "100m"}}}]
    secret = protobuf.decode(an_object("v1", "Secret", field(2, message(field(1, b"k"), field(2, b"v")))))
    assert secret["data"] == {"k": "dg=="}


def test_inline_structs_stand_beside_their_fields() -> None:
    volume = message(field(1, b"v"), field(2, field(2, b"")))  # VolumeSource.emptyDir
    pod = protobuf.decode(an_object("v1", "Pod", field(2, field(1, volume))))
    assert pod["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


@pytest.mark.parametrize("data", [b"", b"{}", protobuf.MAGIC + b"\x0a\xff", an_object("v1", "Nonsense", b"")])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(protobuf.ProtobufError):
        protobuf.decode(data)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "1970-01-01T00:00:00.000000Z"), (5 - SINCE_YEAR_ONE, "0001-01-01T00:00:05.000000Z")],
)
def test_times_reach_back_to_the_year_one(seconds: int, written: str) -> None:
    """Rule: metav1.MicroTime; a Lease of the official suite is of that year."""
    since = b"\x08" + varint(seconds % 2**64)
    lease = protobuf.decode(an_object("coordination.k8s.io/v1", "Lease", field(2, field(4, since))))
    assert lease["spec"] == {"renewTime": written}


def test_a_time_that_no_calendar_has_is_refused() -> None:
    since = b"\x08" + varint(2**63 - 1)
    with pytest.raises(protobuf.ProtobufError):
        protobuf.decode(an_object("coordination.k8s.io/v1", "Lease", field(2, field(4, since))))


def test_definitions_are_read_and_each_alternative_of_a_schema_is_what_it_stands_for() -> None:
    """A schema, a list and a truth value are one field of JSON, and a message with a place for each in protobuf.

    Rule: https://github.com/kubernetes/apiextensions-apiserver/blob/master/pkg/apis/apiextensions/v1/generated.proto
    """
    of_a = message(long(5, b"string"), long(8, field(1, b'"x"')), b"\x59", struct.pack("<d", 2))
    of_b = message(long(5, b"array"), long(24, field(1, field(5, b"string"))))
    of_c = message(long(5, b"object"), long(30, field(1, 1)), long(44, message(field(1, b"true"), field(6, 0))))
    properties = [long(29, message(field(1, name), field(2, one))) for name, one in ((b"a", of_a), (b"b", of_b), (b"c", of_c))]
    schema = message(field(5, b"object"), *properties, varint(38 << 3), b"\x01")
    version = message(field(1, b"v1"), field(2, 1), field(3, 0), field(4, field(1, schema)), field(5, field(1, b"")))
    names = message(field(1, b"foos"), field(2, b""), field(4, b"Foo"))
    spec = message(field(1, b"example.com"), field(3, names), field(4, b"Cluster"), long(7, version))
    tree = protobuf.decode(an_object("apiextensions.k8s.io/v1", "CustomResourceDefinition", long(2, spec)))
    assert type(tree["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["a"]["minimum"]) is int
    assert tree["spec"] == {
        "group": "example.com",
        "names": {"plural": "foos", "kind": "Foo"},
        "scope": "Cluster",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": False,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                        "properties": {
                            "a": {"type": "string", "default": "x", "minimum": 2},
                            "b": {"type": "array", "items": {"type": "string"}},
                            "c": {
                                "type": "object",
                                "additionalProperties": True,
                                "x-kubernetes-validations": [{"rule": "true", "optionalOldSelf": False}],
                            },
                        },
                    }
                },
                "subresources": {"status": {}},
            }
        ],
    }


def test_an_api_service_is_read() -> None:
    """Rule: https://github.com/kubernetes/kube-aggregator/blob/master/pkg/apis/apiregistration/v1/generated.proto"""
    service = message(field(1, b"ns"), field(2, b"api"), field(3, 44))
    spec = message(field(1, service), field(2, b"g"), field(3, b"v1"), field(5, b"ca"), field(7, 20), field(8, 10))
    tree = protobuf.decode(an_object("apiregistration.k8s.io/v1", "APIService", field(2, spec)))
    assert tree["spec"] == {
        "service": {"namespace": "ns", "name": "api", "port": 44},
        "group": "g",
        "version": "v1",
        "caBundle": "Y2E=",
        "groupPriorityMinimum": 20,
        "versionPriority": 10,
    }


def test_an_eviction_of_an_old_client_is_read() -> None:
    """Its version is served no more, and still understood.

    Rule: pkg/registry/core/pod/storage/eviction.go, AcceptsGroupVersion
    """
    raw = message(field(1, field(1, b"p")), field(2, field(1, 5)))
    tree = protobuf.decode(an_object("policy/v1beta1", "Eviction", raw))
    assert (tree["metadata"], tree["deleteOptions"]) == ({"name": "p"}, {"gracePeriodSeconds": 5})
