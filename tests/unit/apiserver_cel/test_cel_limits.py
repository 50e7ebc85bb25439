"""Limits: no expression takes long, nests deep or grows without end; what it costs is told before and counted while."""

import time

import pytest

from apiserver.cel import DYN, Budget, CompileError, CostExceeded, EvaluationError, compile, schema

RULE = "https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints"
LIST = {"d": list(range(1000))}
LONGEST_SECONDS = 3.0  # of anything here, on a busy machine; the limits themselves are deterministic

DOUBLED = "cel.bind(a0, {start}, " + "".join(f"cel.bind(a{i + 1}, {{twice{i}}}, " for i in range(25)) + "size(a25)" + ")" * 26


def doubled(start: str, twice: str) -> str:
    """A value that is put together with itself again and again."""
    return DOUBLED.format(start=start, **{f"twice{i}": twice.format(a=f"a{i}") for i in range(25)})


@pytest.mark.parametrize(
    "expression",
    [
        "d.all(a, d.all(b, d.all(c, a + b + c >= 0)))",
        "d.map(a, d.map(b, d)).size() > 0",
        "d.exists(a, d.exists(b, d.exists(c, false)))",
        "lists.range(1000000).map(a, a).size() > 0",
        doubled("'aaaaaaaaaa'", "{a} + {a}"),
        doubled("[1, 2, 3, 4, 5, 6, 7, 8, 9]", "{a} + {a}"),
        doubled("'aaaaaaaaaa'", "'%s%s'.format([{a}, {a}])"),
        doubled("'aaaaaaaaaa'", "[{a}, {a}].join()"),
        doubled("'aaaaaaaaaa'", "{a}.replace('a', 'aa')"),
        "cel.bind(a, d.map(i, 1), cel.bind(b, a.map(i, a), cel.bind(c, b.map(i, b), c == c.map(i, i))))",
        "cel.bind(a, d.map(i, 1), cel.bind(b, a.map(i, a), cel.bind(c, b.map(i, b), b in c)))",
        "sets.equivalent(d + d + d, d + d)",
        "d.map(i, d).distinct().size() == 1",
    ],
)
def test_what_costs_too_much_is_stopped_soon(expression: str) -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints"""
    program = compile(expression, {"d": DYN})
    began = time.monotonic()
    with pytest.raises(CostExceeded, match="actual cost limit exceeded"):
        program.evaluate(LIST)
    assert time.monotonic() - began < LONGEST_SECONDS


def test_stopping_is_absorbed_by_nothing() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints"""
    with pytest.raises(CostExceeded):
        compile("d.all(a, d.all(b, d.all(c, true))) || true", {"d": DYN}).evaluate(LIST)


def test_expressions_of_one_request_share_a_budget() -> None:
    """Rule: https://kubernetes.io/docs/reference/using-api/cel/#resource-constraints"""
    program = compile("d.all(a, a >= 0)", {"d": DYN})
    budget = Budget()
    program.evaluate(LIST, budget)
    used = Budget().left - budget.left
    assert 3000 < used < 10_000
    budget = Budget(used + used // 2)
    program.evaluate(LIST, budget)
    with pytest.raises(CostExceeded):
        program.evaluate(LIST, budget)


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 500 + "1" + ")" * 500,
        "[" * 500 + "]" * 500,
        "1" + " + 1" * 5000,
        "d" + ".a" * 5000,
        "true ? 1 : " * 500 + "1",
        "a" * 200_000,
    ],
)
def test_nesting_and_length_are_bounded(expression: str) -> None:
    """Rule: cel-go parser/options.go (MaxRecursionDepth, ExpressionSizeCodePointLimit)"""
    with pytest.raises(CompileError, match="limit"):
        compile(expression, {"d": DYN})


def test_as_deep_as_allowed_compiles_and_evaluates() -> None:
    """Rule: cel-go parser/options.go"""
    assert compile("(" * 55 + "1" + ")" * 55, {}).evaluate({}) == 1
    assert compile("1" + " + 1" * 90, {}).evaluate({}) == 91
    assert compile("!" * 5000 + "true", {}).evaluate({}) is True
    assert compile("true" + " && true" * 5000, {}).evaluate({}) is True


def test_values_nested_without_end_are_an_error_not_a_crash() -> None:
    """# what if an object were nested deeper than anything can follow? Rule: our own; upstream refuses such bodies before."""
    deep: list[object] = []
    other: list[object] = []
    for _ in range(5000):
        deep, other = [deep], [other]
    with pytest.raises(EvaluationError):
        compile("a == b", {"a": DYN, "b": DYN}).evaluate({"a": deep, "b": other})


SIZED = {
    "type": "object",
    "properties": {
        "short": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 5}},
        "long": {"type": "array", "items": {"type": "string"}},
        "text": {"type": "string"},
    },
}


def test_cost_is_estimated_from_the_schemas_sizes() -> None:
    """Rule: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#resource-use-by-validation-functions"""
    kind = schema.declared(SIZED)
    assert kind is not None
    most = {text: compile(text, {"self": kind}).estimated_cost.most for text in (
        "self.short.all(s, s == 'abc')", "self.long.all(s, s == 'abc')", "self.long.all(a, self.long.all(b, a == b))",
        "self.text.contains('x')", "size(self.text) < 5",
    )}  # fmt: skip
    short, long, squared, contains, size = most.values()
    assert size < 5 < short < 200 < contains < long < 10_000_000 < squared


def test_estimate_is_no_less_than_what_an_evaluation_costs() -> None:
    """Rule: cel-go checker/cost.go"""
    kind = schema.declared(SIZED)
    assert kind is not None
    tree = {"short": ["abcde"] * 10, "long": [], "text": "x" * 100}
    for expression in (
        "self.short.all(s, s == 'abcde')", "self.short.exists(s, s.startsWith('zz'))", "self.short.map(s, s + 'x').size() == 10",
        "self.text.contains('yy') || self.text.matches('^x+$')", "self.short.filter(s, s != 'q').all(s, size(s) == 5)",
        "'abcde' in self.short && self.short == self.short", "self.short.size() > 2 ? self.text != '' : false",
    ):  # fmt: skip
        program = compile(expression, {"self": kind})
        budget = Budget()
        program.evaluate({"self": tree}, budget)
        assert Budget().left - budget.left <= program.estimated_cost.most, expression
