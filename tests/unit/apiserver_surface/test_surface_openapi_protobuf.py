"""The protobuf form of OpenAPI v2, byte by byte; that kubectl 1.20 understands the whole is shown in tests/interop."""

import pytest

from apiserver.protobuf.openapi_v2 import encode
from kube.api.meta import Tree


def definition(schema: Tree) -> Tree:
    return {"definitions": {"D": schema}}


def field(number: int, data: bytes) -> bytes:
    """A length-delimited field that is shorter than 128 bytes, of a number below 16 or (two bytes of tag) below 2048."""
    tag = number << 3 | 2
    head = bytes((tag,)) if tag < 128 else bytes((tag & 0x7F | 0x80, tag >> 7))
    return head + bytes((len(data),)) + data


def in_definition(schema: bytes) -> bytes:
    return field(9, field(1, field(1, b"D") + field(2, schema)))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"swagger": "2.0"}, b"\x0a\x032.0"),
        ({"info": {"title": "T", "version": "1"}}, field(2, field(1, b"T") + field(2, b"1"))),
        (definition({"type": "string"}), in_definition(field(22, field(1, b"string")))),
        (definition({"minimum": 1}), in_definition(b"\x49" + b"\x00\x00\x00\x00\x00\x00\xf0\x3f")),
        (definition({"minLength": 300}), in_definition(b"\x60\xac\x02")),
        (definition({"minimum": 0, "minLength": -1}), in_definition(b"\x49" + bytes(8) + b"\x60" + b"\xff" * 9 + b"\x01")),
        (definition({"additionalProperties": True}), in_definition(field(21, b"\x10\x01"))),
        (definition({"items": {"$ref": "#/x"}}), in_definition(field(23, field(1, field(1, b"#/x"))))),
        (definition({"x-a": ["b"]}), in_definition(field(31, field(1, b"x-a") + field(2, field(2, b'["b"]'))))),
        (definition({"enum": ["a", 1]}), in_definition(field(20, field(2, b'"a"')) + field(20, field(2, b"1")))),
        (
            {"paths": {"/p": {"parameters": [{"in": "query", "name": "q"}, {"in": "body", "name": "b"}, {"$ref": "#/r"}]}}},
            field(8, field(2, field(1, b"/p") + field(2, b"".join((
                field(9, field(1, field(2, field(3, field(2, b"query") + field(4, b"q"))))),
                field(9, field(1, field(1, field(3, b"body") + field(2, b"b")))),
                field(9, field(2, field(1, b"#/r"))),
            ))))),
        ),
        (
            {"paths": {"/p": {"get": {"responses": {"200": {"description": "OK"}}}}}},
            field(8, field(2, field(1, b"/p") + field(2, field(2, field(9,
                field(1, field(1, b"200") + field(2, field(1, field(1, b"OK"))))))))),
        ),
        ({"security": [{"T": []}]}, field(12, field(1, field(1, b"T") + field(2, b"")))),
        ({"securityDefinitions": {"T": {"in": "header"}}},
         field(13, field(1, field(1, b"T") + field(2, field(2, field(3, b"header")))))),
    ],
)  # fmt: skip
def test_each_shape_is_written_as_its_message(document: Tree, expected: bytes) -> None:
    """Rule: gnostic openapiv2/OpenAPIv2.proto; https://protobuf.dev/programming-guides/encoding/"""
    assert encode(document) == expected
