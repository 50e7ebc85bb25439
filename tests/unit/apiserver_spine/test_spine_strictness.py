"""What is told of bodies that are no JSON, of odd fields, of options and of Accept headers."""

import pytest

from apiserver.context import Request, RequestInfo
from apiserver.handlers import strictness, write_options
from apiserver.handlers.body import parse_json
from apiserver.handlers.negotiation import Accepted, Form, accepted
from kube.api import go_json
from kube.api.go_json import Malformed, shown
from kube.api.status import Invalid

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PROTOBUF = "application/vnd.kubernetes.protobuf"

WORDS = {
    b"": "unexpected end of JSON input",
    b"{": "unexpected end of JSON input",
    b'{"a': "unexpected end of JSON input",
    b"tru": "unexpected end of JSON input",
    b"hello": "invalid character 'h' looking for beginning of value",
    b"'a'": r"invalid character '\'' looking for beginning of value",
    b"[1,]": "invalid character ']' looking for beginning of value",
    b"{1:2}": "invalid character '1' looking for beginning of object key string",
    b'{"a":1,}': "invalid character '}' looking for beginning of object key string",
    b'{"a"}': "invalid character '}' after object key",
    b'{"a":1 "b"}': "invalid character '\"' after object key:value pair",
    b"[1 2]": "invalid character '2' after array element",
    b"{}\n{}": "invalid character '{' after top-level value",
    b"01": "invalid character '1' after top-level value",
    b'"a\x00"': r"invalid character '\x00' in string literal",
    b'"\\x"': "invalid character 'x' in string escape code",
    b'"\\u12g4"': r"invalid character 'g' in \u hexadecimal character escape",
    b"-x": "invalid character 'x' in numeric literal",
    b"1.x": "invalid character 'x' after decimal point in numeric literal",
    b"1ex": "invalid character 'x' in exponent of numeric literal",
    b"trux": "invalid character 'x' in literal true (expecting 'e')",
    b"\xff\xfe{": "invalid character 'ÿ' looking for beginning of value",
    b"[" * 10_001: "exceeded max depth",
    b"1e400": "json: cannot unmarshal number 1e400 into Go value of type float64",
}


def request(query: dict[str, list[str]], accept: str = "", verb: str = "create") -> Request:
    async def nothing(*_: object) -> dict[str, object]:
        return {}

    info = RequestInfo(verb, "POST", "/", query)
    return Request({"type": "http", "headers": [(b"accept", accept.encode())]}, nothing, nothing, info)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "words"), WORDS.items(), ids=range(len(WORDS)))
def test_what_is_no_json_is_told_in_gos_words(text: bytes, words: str) -> None:
    """Rule: https://pkg.go.dev/encoding/json#SyntaxError"""
    with pytest.raises(Malformed) as refused:
        go_json.loads(text)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("text", "value"),
    [(b'"\xff"', "�"), (b'"\xe4\xbd"', "��"), (b'"\\ud800!"', "�!"), (b'{"a":1e2,"b":12345678901234567890123}', None)],
)
def test_text_that_is_no_unicode_is_taken_as_go_takes_it(text: bytes, value: str | None) -> None:
    """Rule: https://pkg.go.dev/encoding/json#Unmarshal (invalid UTF-8 is replaced)"""
    assert go_json.loads(text) == (value or {"a": 100.0, "b": 1.2345678901234568e22})


def test_odd_fields_are_told_once_and_in_the_order_of_the_document() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation"""
    text = b'{"metadata":{"name":"a","x":1,"name":"b"},"spec":{"u":1,"u":2,"l":[{"a":1,"n":0,"a":2}],"p":1,"p":2,"p":3}}'
    unknown = {"metadata.x", "spec.u", "spec.l[0].n"}
    assert strictness.in_document_order(text, unknown) == [
        'unknown field "metadata.x"', 'duplicate field "metadata.name"', 'unknown field "spec.u"',
        'unknown field "spec.l[0].n"', 'duplicate field "spec.l[0].a"', 'duplicate field "spec.p"',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"dryRun": ["All"], "fieldValidation": ["Strict"], "fieldManager": ["é" * 64]}, ""),
        ({"dryRun": ["All", "x"]}, 'dryRun: Unsupported value: []string{"All", "x"}: supported values: "All"'),
        ({"dryRun": [""]}, 'dryRun: Unsupported value: []string{""}: supported values: "All"'),
        ({"fieldManager": ["é" * 65]}, "fieldManager: Too long: may not be more than 128 bytes"),
        ({"fieldManager": ["é\x01"]}, 'fieldManager: Invalid value: "é\\x01": invalid character U+0001 (at position 2)'),
        (
            {"fieldValidation": ["x"]},
            'fieldValidation: Unsupported value: "x": supported values: "", "Ignore", "Strict", "Warn"',
        ),
    ],
)
def test_options_are_checked(query: dict[str, list[str]], told: str) -> None:
    """Rule: apimachinery pkg/apis/meta/v1/validation/validation.go"""
    if not told:
        write_options.check(request(query))
        return
    with pytest.raises(Invalid) as refused:
        write_options.check(request(query, verb="update"))
    assert refused.value.message == f'UpdateOptions.meta.k8s.io "" is invalid: {told}'


@pytest.mark.parametrize(
    ("media_type", "query", "told"),
    [
        (write_options.APPLY, {}, "fieldManager: Required value: is required for apply patch"),
        ("application/merge-patch+json", {"force": ["true"]}, "force: Forbidden: may not be specified for non-apply patch"),
    ],
)
def test_options_of_patches_are_checked(media_type: str, query: dict[str, list[str]], told: str) -> None:
    """Rule: apimachinery ValidatePatchOptions"""
    with pytest.raises(Invalid) as refused:
        write_options.check(request(query, verb="patch"), media_type)
    assert refused.value.message == f'PatchOptions.meta.k8s.io "" is invalid: {told}'


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Accepted(Form.OBJECT)),
        (f"{PROTOBUF},application/json", Accepted(Form.OBJECT)),
        (f"{PROTOBUF}, */*", Accepted(Form.OBJECT)),
        ("application/json;q=0.5,application/yaml;q=0.9", Accepted(Form.OBJECT, yaml=True)),
        ("*/*;q=0.1,application/yaml", Accepted(Form.OBJECT, yaml=True)),
        ("*/*,application/yaml", Accepted(Form.OBJECT, yaml=True)),
        (f"{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,{TABLE},application/json", Accepted(Form.TABLE, kind="Table")),
        (f"application/json,{TABLE};q=0.9", Accepted(Form.OBJECT)),
        (f"application/json;q=0.8,{TABLE}", Accepted(Form.TABLE, kind="Table")),
        ("application/cbor;q=1,application/json;q=0.1", Accepted(Form.OBJECT)),
    ],
)
def test_a_client_gets_the_form_that_it_likes_best(accept: str, form: Accepted) -> None:
    """Rule: https://www.rfc-editor.org/rfc/rfc9110#name-accept"""
    assert accepted(request({}, accept)) == form


def test_a_patch_is_shown_as_go_shows_it() -> None:
    """Rule: https://pkg.go.dev/fmt (%+v of maps: sorted by key)"""
    assert shown({"b": [1, "x", None, True], "a": {}}) == "map[a:map[] b:[1 x <nil> true]]"


@pytest.mark.parametrize("text", [b'{"a":1,"b":[1,2]}', b'{"a":1,"b":[1,2]}\n', b'{"a": 1, "b": [1, 2]}', b'{ "b":[1,2],"a":1 }'])
def test_what_came_once_is_no_duplicate_however_it_is_spaced(text: bytes) -> None:
    """Go's clients end a body with a line feed, Python's put a space after each comma.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    """
    assert parse_json(text) == ({"a": 1, "b": [1, 2]}, [])


@pytest.mark.parametrize("text", [b'{"a":1,"a":2}', b'{"a":1,"a":2}\n', b'{"a": 1, "a": 2}', b'{"a":1,"a":2}   \n'])
def test_what_came_twice_is_told_however_it_is_spaced(text: bytes) -> None:
    """The last one counts.

    Rule: https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    """
    assert parse_json(text) == ({"a": 2}, ['duplicate field "a"'])
