"""What the compiler says of expressions that are wrong, in cel-go's words and form."""

import pytest

from apiserver.cel import BOOL, DYN, INT, STRING, CompileError, WrongResult, compile, list_of, map_of, optional_of
from apiserver.cel.types import Field, object_of

SPEC = object_of("T.spec", {"a": Field(INT, "a"), "x__dash__y": Field(STRING, "x-y"), "list": Field(list_of(STRING), "list")})
VARIABLES = {"self": object_of("T", {"spec": Field(SPEC, "spec")}), "d": DYN, "m": map_of(STRING, INT), "o": optional_of(INT)}


def complaint(expression: str) -> str:
    with pytest.raises(CompileError) as caught:
        compile(expression, VARIABLES)
    return str(caught.value)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("self.nope", "1:5: undefined field 'nope'"),
        ("self.spec.a.b", "1:12: type 'int' does not support field selection"),
        ("nope", "1:1: undeclared reference to 'nope' (in container '')"),
        ("nope.b", "1:1: undeclared reference to 'nope' (in container '')"),
        ("nope(1)", "1:5: undeclared reference to 'nope' (in container '')"),
        ("self.spec.a == 'x'", "1:13: found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.spec.list + [1]", "1:16: found no matching overload for '_+_' applied to '(list(string), list(int))'"),
        ("'a'.startsWith(1)", "1:15: found no matching overload for 'startsWith' applied to 'string.(int)'"),
        ("size(1, 2)", "1:5: found no matching overload for 'size' applied to '(int, int)'"),
        ("m[1]", "1:2: found no matching overload for '_[_]' applied to '(map(string, int), int)'"),
        ("true && 1", "1:6: found no matching overload for '_&&_' applied to '(bool, int)'"),
        ("!1", "1:1: found no matching overload for '!_' applied to '(int)'"),
        ("1 ? 2 : 3", "1:3: found no matching overload for '_?_:_' applied to '(int, int, int)'"),
        ("true ? 2 : 'a'", "1:6: found no matching overload for '_?_:_' applied to '(bool, int, string)'"),
        ("[1, 'a']", "1:5: expected type 'int' but found 'string'"),
        ("{'a': 1, 'b': 'c'}", "1:15: expected type 'int' but found 'string'"),
        (
            "self.spec.a.all(x, true)",
            "1:10: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        ("[1].all(x, x)", "1:8: found no matching overload for '_&&_' applied to '(bool, int)'"),
        ("has(m)", "1:5: invalid argument to has() macro"),
        ("[1].all(1, true)", "1:9: argument must be a simple name"),
        ("o.orValue('a')", "1:10: found no matching overload for 'orValue' applied to 'optional_type(int).(string)'"),
        ("duration('1 hour')", "1:10: invalid duration argument"),
        ("timestamp('soon')", "1:11: invalid timestamp argument"),
        ("'a'.matches('(')", "1:13: invalid matches argument"),
        ("Unknown{a: 1}", "1:8: undeclared reference to 'Unknown' (in container '')"),
        ("1 +", "1:4: Syntax error: mismatched input '<EOF>' expecting {'['"),
        ("1 2", "1:3: Syntax error: extraneous input '2' expecting <EOF>"),
        ("(1", "1:3: Syntax error: mismatched input '<EOF>' expecting ')'"),
        ("self.", "1:6: Syntax error: no viable alternative at input '.<EOF>'"),
        ("'a", "1:1: Syntax error: token recognition error at: ''a'"),
        ("a # b", "1:3: Syntax error: token recognition error at: '# b'"),
        ("for", "1:1: reserved identifier: for"),
        ("9223372036854775808", "1:1: invalid int literal"),
        ("99999999999999999999u", "1:1: invalid uint literal"),
        ("'\\q'", "1:1: invalid string literal: unable to unescape string"),
    ],
)
def test_mistakes_are_told_with_their_place(expression: str, text: str) -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking (the words are cel-go's)"""
    assert complaint(expression).startswith(f"ERROR: <input>:{text}")


def test_place_is_marked_below_the_line() -> None:
    """Rule: cel-go common/error.go"""
    text = "undefined field 'x'"
    assert complaint("true &&\n  self.x") == f"ERROR: <input>:2:7: {text}\n |   self.x\n | ......^"


def test_every_mistake_is_told_once_in_order() -> None:
    """Rule: cel-go common/error.go"""
    found = complaint("self.b + 1 == self.a || nope")
    assert [line for line in found.split("\n") if line.startswith("ERROR")] == [
        "ERROR: <input>:1:5: undefined field 'b'",
        "ERROR: <input>:1:19: undefined field 'a'",
        "ERROR: <input>:1:25: undeclared reference to 'nope' (in container '')",
    ]


def test_dyn_is_checked_when_evaluated() -> None:
    """Rule: https://github.com/google/cel-spec/blob/master/doc/langdef.md#gradual-type-checking"""
    compile("d.a.b.c == 1 && d.startsWith('a') && d > 'a' && d[0] in d", VARIABLES)


def test_another_result_than_asked_for_is_an_error() -> None:
    """Rule: apiserver pkg/admission/plugin/cel/compile.go"""
    for expression, returns, text in (
        ("self.spec.a", (BOOL,), "must evaluate to bool"),
        ("d.a", (BOOL,), "must evaluate to bool"),
        ("1", (STRING, BOOL), "must evaluate to one of [string bool]"),
    ):
        with pytest.raises(WrongResult) as caught:
            compile(expression, VARIABLES, returns=returns)
        assert str(caught.value) == text
