"""Label selectors: texts (`app=web,tier notin (a, b),!x`) and LabelSelector objects, as one thing.

`!=` and `notin` match objects without the key. A comma is AND. The empty selector selects everything, no selector nothing.
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kube.api import names
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
    "gt": "Gt",
    "lt": "Lt",
}


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
    """From text, as `-l` and labelSelector= take it. Raises ValueError with what was found where."""
    tokens = _Tokens(text)
    found = []
    while tokens.peek():
        try:
            found.append(_requirement(tokens))
        except ValueError as error:
            raise ValueError(f"unable to parse requirement: {error}") from None
        if tokens.peek():
            tokens.expect(",", "',' or 'end of string'")
            if not tokens.peek():
                raise ValueError("found '', expected: identifier after ','")
    return Selector(tuple(found))


class _Tokens:
    """The words of a selector, with one word of look-ahead."""

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

    def expect(self, word: str, shown: str = "") -> None:
        found = self.take()
        if found != word:
            wanted = shown or f"'{word}'"
            raise ValueError(f"found '{found}', expected: {wanted}")


def _requirement(tokens: _Tokens) -> Requirement:
    word = tokens.take()
    if word == "!":
        return Requirement(_key(tokens.take()), "DoesNotExist")
    key = _key(word)
    if tokens.peek() in ("", ","):
        return Requirement(key, "Exists")
    sign = tokens.take()
    operator = _OPERATORS.get(sign)
    if operator is None:
        raise ValueError(f"found '{sign}', expected: in, notin, =, ==, !=, gt, lt")
    if sign in ("in", "notin"):
        return Requirement(key, operator, _values(tokens, key))
    value = "" if tokens.peek() in ("", ",") else _value(tokens.take(), key)
    if operator in ("Gt", "Lt") and not re.fullmatch(r"-?[0-9]+", value):
        raise ValueError(f"values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer")
    return Requirement(key, operator, (value,))


def _values(tokens: _Tokens, key: str) -> tuple[str, ...]:
    tokens.expect("(")
    found: list[str] = []
    while True:
        found.append("" if tokens.peek() in (",", ")") else _value(tokens.take(), key))
        word = tokens.take()
        if word == ")":
            return tuple(sorted(set(found)))
        if word != ",":
            raise ValueError(f"found '{word}', expected: ',' or ')'")


def _key(word: str) -> str:
    complaints = names.qualified(word)
    if complaints:
        raise ValueError(f'<nil>: Invalid value: "{word}": {"; ".join(complaints)}')
    return word


def _value(word: str, key: str) -> str:
    complaints = names.label_value(word)
    if complaints:
        raise ValueError(f'values[0][{key}]: Invalid value: "{word}": {"; ".join(complaints)}')
    return word
