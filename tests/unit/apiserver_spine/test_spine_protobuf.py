"""Protobuf bodies, as upstream's kubectl writes them."""

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


def an_object(api_version: str, kind: str, raw: bytes) -> bytes:
    type_meta = message(field(1, api_version.encode()), field(2, kind.encode()))
    return protobuf.MAGIC + message(field(1, type_meta), field(2, raw))


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
