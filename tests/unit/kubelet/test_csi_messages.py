"""What is said to storage drivers: the bytes of protobuf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelet.csi import messages
from kubelet.csi.protobuf import BOOL, MAP, NUMBER, TEXT, TEXTS, Field, Shape, decode, encode

INNER: Shape = {"text": Field(1, TEXT)}
SHAPE: Shape = {
    "number": Field(1, NUMBER),
    "text": Field(2, TEXT),
    "flag": Field(3, BOOL),
    "words": Field(4, TEXTS),
    "map": Field(5, MAP),
    "inner": Field(6, INNER),
    "many": Field(16, INNER, repeated=True),
}
words = st.text(min_size=1)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "number": st.integers(1, 2**63 - 1),
        "text": words,
        "flag": st.just(True),
        "words": st.lists(words, min_size=1),
        "map": st.dictionaries(words, st.text(), min_size=1),
        "inner": st.fixed_dictionaries({}, optional={"text": words}),
        "many": st.lists(st.fixed_dictionaries({"text": words}), min_size=1),
    },
)


def test_messages_have_the_bytes_that_protobuf_says() -> None:
    """Rule: https://protobuf.dev/programming-guides/encoding/"""
    assert encode(SHAPE, {"number": 150}) == bytes.fromhex("089601")
    assert encode(SHAPE, {"text": "testing"}) == bytes.fromhex("120774657374696e67")
    assert encode(SHAPE, {"inner": {}}) == bytes.fromhex("3200")
    assert encode(SHAPE, {"number": 0, "text": "", "flag": False, "map": {}}) == b""
    assert decode(INNER, bytes.fromhex("0a0161") + bytes.fromhex("1005") + bytes.fromhex("1d00000000")) == {"text": "a"}


@given(VALUES)
def test_what_is_encoded_is_decoded_again(values: dict[str, object]) -> None:
    assert decode(SHAPE, encode(SHAPE, values)) == values


@pytest.mark.parametrize("content", ["08", "1205aa", "0b"])
def test_what_is_no_message_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="unexpected EOF"):
        decode(SHAPE, bytes.fromhex(content))


def test_every_call_names_a_service_and_a_method() -> None:
    calls = [value for value in vars(messages).values() if isinstance(value, messages.Call)]
    assert {call.path.split("/")[1] for call in calls} == {"pluginregistration.Registration", "csi.v1.Node"}
