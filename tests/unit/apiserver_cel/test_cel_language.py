"""The language itself: values, operators, macros. After the specification and its conformance tests."""

import math
from typing import Any

import pytest

from apiserver.cel import DYN, CompileError, EvaluationError, compile
from apiserver.cel.types import NULL, optional_of, type_of
from apiserver.cel.values import NONE, Duration, Optional, Timestamp, Uint

SPEC = "https://github.com/google/cel-spec/blob/master/doc/langdef.md"
VALUES: dict[str, Any] = {
    "x": {"a": 1, "b": {"c": [1, 2, 3]}, "name": "n", "nil": None, "f": 1.5, "t": True, "big": 9223372036854775807, "in": 1},
    "items": [{"k": "a", "v": 1}, {"k": "b", "v": 2}],
}


def value(expression: str) -> Any:
    return compile(expression, dict.fromkeys(VALUES, DYN)).evaluate(VALUES)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("42", 42),
        ("-9223372036854775808", -(2**63)),
        ("0x1F", 31),
        ("-0x10", -16),
        ("7u", Uint(7)),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("true", True),
        ("null", None),
        ("'a\\n\\u00e9\\x41\\101\\''", "a\né\x41A'"),
        ('"\\U0001F600"', "\U0001f600"),
        ("r'\\d\\n'", "\\d\\n"),
        ("'''a'b'''", "a'b"),
        ("b'\\xff\\u00e9'", b"\xff\xc3\xa9"),
        ("rb'\\x'", b"\\x"),
        ("[1, 2, 3,]", [1, 2, 3]),
        ("{'a': 1, 'b': 2}", {"a": 1, "b": 2}),
        ("{1: 'a', 2: 'b'}[2]", "b"),
        ("[] == []", True),
        ("// a comment\n 1 // another\n + 1", 2),
    ],
)
def test_literals(expression: str, expected: Any) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#values"""
    found = value(expression)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7u / 2u", Uint(3)),
        ("1.0 / 0.0", math.inf),
        ("-1.0 / 0.0", -math.inf),
        ("'a' + 'b'", "ab"),
        ("b'a' + b'b'", b"ab"),
        ("[1] + [2]", [1, 2]),
        ("!true || 1 < 2", True),
        ("- -1", 1),
        ("-x.a", -1),
        ("1 < 2 && 2u < 3u && 1.5 < 2.5 && 'a' < 'b' && false < true && b'a' < b'b'", True),
        ("dyn(1) < 1.5 && dyn(2u) > 1 && dyn(1) <= 1u", True),
        ("1 in [1, 2] && !(3 in [1, 2]) && 'a' in {'a': 1}", True),
        ("dyn(1) in [1.0]", True),
        ("x.a == 1 ? 'one' : 'other'", "one"),
        ("false ? 1 / 0 : 2", 2),
        ("x['b']['c'][1]", 2),
        ("x.b.c[dyn(1.0)]", 2),
        ("{'a': [1], 'b': [1, 2]} == {'b': [1, 2], 'a': [1]}", True),
        ("[1, 2] != [2, 1]", True),
        ("dyn(1) == dyn(1u) && dyn(1) == dyn(1.0)", True),
        ("dyn(true) == dyn(1)", False),
        ("dyn('1') == dyn(1)", False),
        ("x.nil == null", True),
        ("duration('1h') + duration('30m')", Duration(5400 * 10**9)),
        ("timestamp('2020-01-01T00:00:00Z') + duration('1s') > timestamp('2020-01-01T00:00:00Z')", True),
        ("timestamp('2020-01-01T01:00:00+01:00') == timestamp('2020-01-01T00:00:00Z')", True),
        ("timestamp('2020-01-02T00:00:00Z') - timestamp('2020-01-01T00:00:00Z') == duration('24h')", True),
    ],
)
def test_operators(expression: str, expected: Any) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions"""
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("-(-9223372036854775808)", "integer overflow"),
        ("-9223372036854775808 / -1", "integer overflow"),
        ("x.big * 2", "integer overflow"),
        ("1u - 2u", "unsigned integer overflow"),
        ("x.nope", "no such key: nope"),
        ("{'a': 1}['b']", "no such key: b"),
        ("[1][3]", "index out of bounds: 3"),
        ("[1][-1]", "index out of bounds: -1"),
        ("x.name.nope", "no such key: nope"),
        ("x.a + x.name", "no such overload"),
        ("x.a < x.name", "no such overload"),
        ("x.a.startsWith('a')", "no such overload"),
        ("size(x.a)", "no such overload"),
        ("x.a && true", "no such overload"),
        ("x.name in x.a", "no such overload"),
        ("x.a.all(i, true)", "no such overload"),
        ("{'a': 1, 'a': 2}", "Failed with repeated key a"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp overflow"),
        ("int('x')", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("uint(-1)", "unsigned integer overflow"),
        ("int(1e99)", "integer overflow"),
        ("timestamp(x.name)", 'parsing time "n" as "2006-01-02T15:04:05Z07:00": cannot parse'),
        ("optional.none().value()", "optional.none() dereference"),
    ],
)
def test_errors_of_evaluation(expression: str, text: str) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#runtime-errors (the words are cel-go's)"""
    with pytest.raises(EvaluationError) as caught:
        value(expression)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 / 0 == 1 || true", True),
        ("true || 1 / 0 == 1", True),
        ("1 / 0 == 1 && false", False),
        ("false && 1 / 0 == 1", False),
        ("x.nope == 1 || x.a == 1 || x.other == 2", True),
        ("[1, 2, 0].exists(i, 2 / i == 1)", True),
        ("[0, 2].all(i, 2 / i == 3)", False),
    ],
)
def test_logic_absorbs_errors_where_another_term_decides(expression: str, expected: bool) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#logical-operators"""
    assert value(expression) is expected


@pytest.mark.parametrize(
    "expression", ["1 / 0 == 1 || false", "1 / 0 == 1 && true", "[0, 1].all(i, 1 / i == 1)", "[1, 0].exists_one(i, 1 / i == 1)"]
)
def test_logic_tells_errors_where_nothing_decides(expression: str) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#logical-operators"""
    with pytest.raises(EvaluationError, match="division by zero"):
        value(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("has(x.a) && !has(x.nope) && has(x.nil)", True),
        ("has(x.name.nope)", False),
        ("items.all(i, i.v > 0)", True),
        ("[].all(i, false) && ![].exists(i, true)", True),
        ("items.exists(i, i.k == 'b')", True),
        ("items.exists_one(i, i.v > 1)", True),
        ("items.map(i, i.v * 2)", [2, 4]),
        ("items.map(i, i.v > 1, i.k)", ["b"]),
        ("items.filter(i, i.v > 1).size()", 1),
        ("{'a': 1, 'b': 2}.map(k, k + 'x')", ["ax", "bx"]),
        ("x.all(k, size(k) > 0)", True),
        ("[[1, 2], [3]].map(i, i.map(j, j * 2))", [[2, 4], [6]]),
        ("[1, 2].map(i, [3, 4].map(j, i * j))", [[3, 4], [6, 8]]),
        ("[1, 2].map(i, [3].all(i, i == 3))", [True, True]),
        ("[5, 6].all(i, v, v == i + 5)", True),
        ("{'a': 1}.exists(k, v, k == 'a' && v == 1)", True),
        ("[1, 2].existsOne(i, v, v == 2)", True),
        ("[5, 6].transformList(i, v, i + v)", [5, 7]),
        ("{'a': 1, 'b': 2}.transformList(k, v, v > 1, k)", ["b"]),
        ("{'a': 1, 'b': 2}.transformMap(k, v, v * 10)", {"a": 10, "b": 20}),
        ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v)", {"b": 2}),
        ("{'a': 'x'}.transformMapEntry(k, v, {v: k})", {"x": "a"}),
        ("cel.bind(y, x.a + 1, y * y)", 4),
        ("cel.bind(a, 1, cel.bind(a, a + 1, a)) + 1", 3),
    ],
)
def test_macros(expression: str, expected: Any) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#macros"""
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x.?a", Optional(1)),
        ("x.?nope", NONE),
        ("x.?b.c[?1]", Optional(2)),
        ("x.?nope.c.d", NONE),
        ("x[?'a'].orValue(5) + x[?'z'].orValue(5)", 6),
        ("x.?nope.or(x.?a).value()", 1),
        ("x.?nope.hasValue()", False),
        ("has(x.?b.c)", True),
        ("[?x.?a, ?x.?nope, 3]", [1, 3]),
        ("{?'a': x.?a, ?'b': x.?nope}", {"a": 1}),
        ("x.?a.optMap(v, v + 1).value()", 2),
        ("x.?nope.optMap(v, v / 0)", NONE),
        ("x.?b.optFlatMap(v, v.?c)", Optional([1, 2, 3])),
        ("optional.ofNonZeroValue('')", NONE),
        ("optional.ofNonZeroValue(2)", Optional(2)),
        ("optional.unwrap([x.?a, x.?nope])", [1]),
    ],
)
def test_optional_values(expression: str, expected: Any) -> None:
    """Rule: https://github.com/google/cel-spec/wiki/proposal-246"""
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("int('-7') + int(2.9) + int(3u) + int(timestamp('1970-01-01T00:00:05Z'))", 3),
        ("uint('7')", Uint(7)),
        ("double('1.5') + double(1)", 2.5),
        ("string(1) + string(1.5) + string(true) + string(2u) + string(b'x')", "11.5true2x"),
        ("string(1.0) + ' ' + string(1e30) + ' ' + string(1e-7)", "1 1e+30 1e-07"),
        ("string(timestamp('2020-01-02T03:04:05.120Z'))", "2020-01-02T03:04:05.12Z"),
        ("string(duration('1h1m1.5s'))", "3661.5s"),
        ("bytes('é')", b"\xc3\xa9"),
        ("bool('true') && !bool('0')", True),
        ("timestamp(5)", Timestamp(5 * 10**9)),
        ("type(1) == int && type('a') == string && type([]) == list && type(null) == null_type && type(int) == type", True),
        ("type(x.a) != type(x.f)", True),
        ("type(timestamp(0)) == google.protobuf.Timestamp", True),
    ],
)
def test_conversions(expression: str, expected: Any) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions"""
    assert value(expression) == expected


def test_undeclared_keys_of_the_language_may_be_quoted() -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#field-selection"""
    assert value("x.`in`") == 1
    with pytest.raises(CompileError):
        value("x.in")


def test_result_types_are_known_before_evaluation() -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking"""
    for expression, shown in (
        ("[1].map(i, string(i))", "list(string)"),
        ("{'a': [1u]}", "map(string, list(uint))"),
        ("x.a", "dyn"),
    ):
        assert str(compile(expression, {"x": DYN}).result) == shown
    assert compile("null", {}).result == NULL
    assert compile("optional.of(1)", {}).result == optional_of(compile("1", {}).result)
    assert compile("int", {}).result == type_of(compile("1", {}).result)
    assert compile("x.a > 1 && y.b", {"x": DYN, "y": DYN, "z": DYN}).used == {"x", "y"}
