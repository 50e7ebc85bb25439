"""Expressions: the rules in CEL that a schema holds (x-kubernetes-validations), compiled once and asked of every write.

A rule stands at a node of the schema and is about `self`, the value there. One that names `oldSelf` is a transition rule: it runs
only where there was a value before — on updates, at places that can be told to be the same ones — unless it says
`optionalOldSelf`. Other rules are not run again for what is as it was (ratcheting). All rules of one write share a budget.

`compiled_rule` is also how a definition's rules are checked when it is created (definition.py).
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
KEP-2876, KEP-4008 · apiextensions-apiserver pkg/apiserver/schema/cel/validation.go
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from apiserver import cel
from apiserver.cel.program import BUDGET
from kube.api.apiextensions.structural import Schema
from kube.api.apiextensions.values import ABSENT, NOWHERE, item_key, same_value
from kube.api.meta import Tree
from kube.api.status import OMIT, FieldError, duplicate, forbidden, invalid, required

OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_FIELD = str.maketrans("", "", "'")


@dataclass(frozen=True)
class Rule:
    """One rule that was compiled."""

    told: Tree
    program: cel.Program
    message: cel.Program | None  # messageExpression

    @property
    def is_transition(self) -> bool:
        return self.program.uses("oldSelf")

    @property
    def sees_none(self) -> bool:
        """Whether it runs, too, where there was nothing before."""
        return bool(self.told.get("optionalOldSelf"))


@dataclass(frozen=True)
class _Node:
    """The rules at and below a node; nodes without any are left out."""

    schema: Schema
    rules: tuple[Rule, ...]
    properties: dict[str, "_Node"]
    additional: "_Node | None"
    items: "_Node | None"


class _BudgetSpent(Exception):
    """Nothing more is evaluated for this write."""


class Rules:
    """All rules of a schema. False where there are none."""

    def __init__(self, schema: Schema) -> None:
        self._root = _compiled(schema, root=True)

    def __bool__(self) -> bool:
        return self._root is not None

    def errors(self, new: Tree, old: Tree | None) -> list[FieldError]:
        """What the rules say against an object."""
        found: list[FieldError] = []
        if self._root is not None:
            try:
                _Check(cel.Budget(BUDGET), found).node(self._root, new, ABSENT if old is None else old, "", False)
            except _BudgetSpent:
                return found
        return found


def variables_of(told: Tree, kind: cel.Declared) -> dict[str, cel.Declared]:
    """The names that a rule may use."""
    return {"self": kind, "oldSelf": cel.optional_of(kind) if told.get("optionalOldSelf") else kind}


def compiled_rule(told: Tree, kind: cel.Declared) -> Rule:
    """Raises CompileError, of the rule or of its messageExpression."""
    variables = variables_of(told, kind)
    program = cel.compile(told["rule"], variables, returns=(cel.BOOL,))
    text = told.get("messageExpression")
    return Rule(told, program, cel.compile(text, variables, returns=(cel.STRING,)) if text else None)


def declared(schema: Schema, *, root: bool = False) -> cel.Declared:
    return cel.schema.declared(schema.raw, root=root) or cel.DYN


def _compiled(schema: Schema, *, root: bool = False) -> _Node | None:
    if not schema.below.rules:
        return None
    kind = declared(schema, root=root)
    rules = []
    for told in schema.rules:
        try:
            rules.append(compiled_rule(told, kind))
        except cel.CompileError:
            continue  # accepted by another release; there is nobody to tell now
    below = {name: _compiled(one) for name, one in schema.properties.items()}
    return _Node(
        schema,
        tuple(rules),
        {name: one for name, one in below.items() if one is not None},
        _compiled(schema.additional) if schema.additional is not None else None,
        _compiled(schema.items) if schema.items is not None else None,
    )


class _Check:
    """One write."""

    def __init__(self, budget: cel.Budget, found: list[FieldError]) -> None:
        self._budget = budget
        self._found = found

    def node(self, node: _Node, value: Any, old: Any, path: str, unchanged: bool) -> None:
        """`unchanged`: what encloses the value is as it was."""
        if value is None:
            return
        unchanged = unchanged or (old is not ABSENT and same_value(old, value))
        for rule in node.rules:
            if not (unchanged and not rule.is_transition):
                self._run(rule, node.schema, value, old, path)
        for one, inner, before, at in _inside(node, value, old, path):
            self.node(one, inner, before, at, unchanged)

    def _run(self, rule: Rule, schema: Schema, value: Any, old: Any, path: str) -> None:
        was = ABSENT if old is None else old
        if rule.is_transition and was is ABSENT and not rule.sees_none:
            return
        activation = {"self": value, "oldSelf": was}
        if rule.sees_none:
            activation["oldSelf"] = cel.NONE if was is ABSENT else cel.Optional(was)
        elif was is ABSENT:
            del activation["oldSelf"]
        try:
            right = rule.program.evaluate(activation, self._budget)
        except cel.CostExceeded as error:
            self._stop(rule, path, value, str(error))
        except cel.EvaluationError as error:
            self._found.append(invalid(path or NOWHERE, _shown(value), _why(str(error), rule)))
            return
        if right is not True:
            self._found.append(_refusal(rule, path, value, self._message(rule, activation)))

    def _stop(self, rule: Rule, path: str, value: Any, error: str) -> None:
        text = OUT_OF_BUDGET
        if self._budget.left > 0:
            text = f"'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {_name(rule)}"
        self._found.append(invalid(path or NOWHERE, _shown(value), text))
        raise _BudgetSpent

    def _message(self, rule: Rule, activation: dict[str, Any]) -> str:
        """The message expression's, where it has a good one; else the message; else the rule itself."""
        if rule.message is not None:
            try:
                text = rule.message.evaluate(activation, self._budget)
            except cel.EvaluationError:
                text = ""
            if isinstance(text, str) and text.strip() and "\n" not in text:
                return text.strip()
        return (rule.told.get("message") or "").strip() or f"failed rule: {rule.told['rule'].strip()}"


def _inside(node: _Node, value: Any, old: Any, path: str) -> Iterator[tuple[_Node, Any, Any, str]]:
    """The values inside a value that have rules at or below them, with what they were."""
    if isinstance(value, dict):
        before = old if isinstance(old, dict) else {}
        for name, inner in value.items():
            one = node.properties.get(name) or (node.additional if name not in node.schema.properties else None)
            if one is not None:
                yield one, inner, before.get(name, ABSENT), f"{path}.{name}" if path else name
    elif isinstance(value, list) and node.items is not None:
        earlier = _earlier(node.schema, old)
        for index, item in enumerate(value):
            yield node.items, item, earlier(item), f"{path}[{index}]"


def _earlier(schema: Schema, old: Any) -> Callable[[Any], Any]:
    if schema.list_type != "map" or not isinstance(old, list):
        return lambda item: ABSENT
    keyed = {item_key(schema, item): item for item in old if isinstance(item, dict)}
    return lambda item: keyed.get(item_key(schema, item), ABSENT) if isinstance(item, dict) else ABSENT


def _refusal(rule: Rule, path: str, value: Any, message: str) -> FieldError:
    field = (rule.told.get("fieldPath") or "").translate(_FIELD).lstrip(".")
    joint = "" if field.startswith("[") or not path else "."
    at = f"{path}{joint}{field}" if field else path
    match rule.told.get("reason"):
        case "FieldValueForbidden":
            return forbidden(at or NOWHERE, message)
        case "FieldValueRequired":
            return required(at or NOWHERE, message)
        case "FieldValueDuplicate":
            return duplicate(at or NOWHERE, _shown(value))
    return invalid(at or NOWHERE, _shown(value), message)


def _why(error: str, rule: Rule) -> str:
    if error.startswith("no such overload"):
        words = "call arguments did not match a supported operator, function or macro signature for rule"
        return f"'{error}': {words}: {_name(rule)}"
    return f"{error} evaluating rule: {_name(rule)}"


def _name(rule: Rule) -> str:
    return (rule.told.get("message") or "").strip() or str(rule.told["rule"]).strip()


def _shown(value: Any) -> Any:
    """Objects and lists are left out of messages."""
    return OMIT if isinstance(value, dict | list) else value
