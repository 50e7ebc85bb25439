"""Label selectors: texts (`app=web,tier notin (a, b),!x`) and LabelSelector objects, as one thing.

`!=` and `notin` match objects without the key. A comma is AND. The empty selector selects everything, no selector nothing.
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kube.api import names
from kube.api.status import go_quoted
from kube.api.views import tree_of

Labels = Mapping[str, str]

_TOKEN = re.compile(r"\s*(==|!=|=|!|\(|\)|,|<|>|[^\s=!(),<>]+)")
_OPERATORS = {
    "=": "Equals",
    "==": "Equals",
    "!=": "NotEquals",
    "in": "In",
    "notin": "NotIn",
    ">": "Gt",
    "<": "Lt",
}
_SIGNS = frozenset(("=", "==", "!=", "!", "(", ")", ",", "<", ">"))


@dataclass(frozen=True)
class Requirement:
    key: str
    operator: str  # Equals NotEquals In NotIn Exists DoesNotExist Gt Lt
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "In" | "Equals":
                return value is not None and value in self.values
            case "NotIn" | "NotEquals":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
        try:
            have, bound = int(value or ""), int(self.values[0])
        except ValueError:
            return False
        return have > bound if self.operator == "Gt" else have < bound

    def __str__(self) -> str:
        match self.operator:
            case "Exists":
                return self.key
            case "DoesNotExist":
                return f"!{self.key}"
            case "Gt" | "Lt":
                return f"{self.key}{'>' if self.operator == 'Gt' else '<'}{self.values[0]}"
            case "Equals" | "NotEquals":
                return f"{self.key}{'=' if self.operator == 'Equals' else '!='}{self.values[0]}"
        word = "in" if self.operator == "In" else "notin"
        return f"{self.key} {word} ({','.join(sorted(self.values))})"


@dataclass(frozen=True)
class Selector:
    """Requirements that must all hold; `nothing` overrides them."""

    requirements: tuple[Requirement, ...] = ()
    none: bool = False

    def matches(self, labels: Labels | None) -> bool:
        if self.none:
            return False
        have = labels or {}
        return all(requirement.matches(have) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        """Selects everything."""
        return not self.none and not self.requirements

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


def everything() -> Selector:
    return Selector()


def nothing() -> Selector:
    return Selector(none=True)


def from_map(labels: Labels | None) -> Selector:
    """Equality with every label of a map; the selectors of Services and ReplicationControllers. No map selects nothing."""
    if not labels:
        return nothing()
    return Selector(tuple(Requirement(key, "Equals", (value,)) for key, value in sorted(labels.items())))


def from_label_selector(selector: Any) -> Selector:
    """From a metav1.LabelSelector, view or tree. None selects nothing, an empty one everything."""
    if selector is None:
        return nothing()
    tree = selector if isinstance(selector, Mapping) else tree_of(selector)
    found = [Requirement(key, "Equals", (value,)) for key, value in sorted((tree.get("matchLabels") or {}).items())]
    for one in tree.get("matchExpressions") or ():
        found.append(Requirement(one["key"], one["operator"], tuple(one.get("values") or ())))
    return Selector(tuple(found))


def parse(text: str) -> Selector:
    """From text, as `-l` and labelSelector= take it. Raises ValueError with what was found where, in upstream's words."""
    tokens = _Tokens(text)
    found: list[Requirement] = []
    while tokens.peek():
        if tokens.peek() in _SIGNS and tokens.peek() != "!":
            raise ValueError(f"found '{tokens.peek()}', expected: !, identifier, or 'end of string'")
        try:
            found.append(_requirement(tokens))
        except ValueError as error:
            raise ValueError(f"unable to parse requirement: {error}") from None
        word = tokens.take()
        if word not in ("", ","):
            raise ValueError(f"found '{word}', expected: ',' or 'end of string'")
        if word and tokens.peek() != "!" and tokens.peek() in ("", *_SIGNS):
            raise ValueError(f"found '{tokens.peek()}', expected: identifier after ','")
    return Selector(tuple(found))


class _Tokens:
    """The words of a selector, with one word of look-ahead; the empty one is its end."""

    def __init__(self, text: str) -> None:
        self._words: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            assert found is not None, "any character is a sign or part of a word"
            self._words.append(found[1])
            at = found.end()

    def peek(self) -> str:
        return self._words[0] if self._words else ""

    def take(self) -> str:
        return self._words.pop(0) if self._words else ""


def _requirement(tokens: _Tokens) -> Requirement:
    word = tokens.take()
    absent = word == "!"
    key = _identifier(tokens.take() if absent else word)
    if complaints := names.qualified(key):
        raise ValueError(f"<nil>: Invalid value: {go_quoted(key)}: {'; '.join(complaints)}")
    if absent:
        return Requirement(key, "DoesNotExist")
    if tokens.peek() in ("", ","):
        return Requirement(key, "Exists")
    sign = tokens.take()
    operator = _OPERATORS.get(sign)
    if operator is None:
        raise ValueError(f"found '{sign}', expected: in, notin, =, ==, !=, gt, lt")
    values = _values(tokens) if sign in ("in", "notin") else (_value(tokens),)
    _check_values(key, operator, values)
    return Requirement(key, operator, values)


def _value(tokens: _Tokens) -> str:
    return "" if tokens.peek() in ("", ",") else _identifier(tokens.take())


def _identifier(word: str) -> str:
    if not word or word in _SIGNS:
        raise ValueError(f"found '{word}', expected: identifier")
    return word


def _values(tokens: _Tokens) -> tuple[str, ...]:
    """Of `(a, b)`; between two commas stands an empty one."""
    if (word := tokens.take()) != "(":
        raise ValueError(f"found '{word}' expected: '('")
    if tokens.peek() in _SIGNS - {",", ")"} or not tokens.peek():
        raise ValueError(f"found '{tokens.peek()}', expected: ',', ')' or identifier")
    found: list[str] = []
    before = ","
    while (word := tokens.take()) != ")":
        if word != "," and (not word or word in _SIGNS):
            raise ValueError(f"found '{word}', expected: ',', or identifier")
        if word == "," and before == ",":
            found.append("")
        elif word != ",":
            found.append(word)
            if tokens.peek() not in (",", ")"):
                raise ValueError(f"found '{tokens.peek()}', expected: ',' or ')'")
        before = word
    return tuple(sorted({*found, *([""] if before == "," else ())}))


def _check_values(key: str, operator: str, values: tuple[str, ...]) -> None:
    wrong = []
    for place, value in enumerate(values):
        if operator in ("Gt", "Lt") and not re.fullmatch(r"[-+]?[0-9]+", value):
            text = "for 'Gt', 'Lt' operators, the value must be an integer"
            wrong.append(f"values[{place}]: Invalid value: {go_quoted(value)}: {text}")
        if complaints := names.label_value(value):
            wrong.append(f"values[{place}][{key}]: Invalid value: {go_quoted(value)}: {'; '.join(complaints)}")
    if wrong:
        raise ValueError(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")
