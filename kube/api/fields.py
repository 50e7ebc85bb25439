"""Field selectors: `status.phase=Running,metadata.name!=x`. Only =, == and !=; a comma is AND.

https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_SIGN = re.compile("!=|==|=")
_ESCAPED = "\\,="


@dataclass(frozen=True)
class Term:
    field: str
    value: str
    equal: bool = True


@dataclass(frozen=True)
class FieldSelector:
    terms: tuple[Term, ...] = ()

    def matches(self, value_of: Callable[[str], str]) -> bool:
        """`value_of` gives the text of a field of the object."""
        return all((value_of(term.field) == term.value) == term.equal for term in self.terms)

    @property
    def empty(self) -> bool:
        return not self.terms

    def exactly(self, field: str) -> str | None:
        """The one value that this field must have, if the selector says so."""
        return next((term.value for term in self.terms if term.field == field and term.equal), None)

    def __str__(self) -> str:
        return ",".join(f"{term.field}{'=' if term.equal else '!='}{_escaped(term.value)}" for term in self.terms)


def parse(text: str) -> FieldSelector:
    """From text. Raises ValueError: `invalid selector: 'x'; can't understand 'y'`."""
    return FieldSelector(tuple(_term(part, text) for part in _split(text) if part))


def _term(part: str, whole: str) -> Term:
    sign = _SIGN.search(part)
    if sign is None:
        raise ValueError(f"invalid selector: '{whole}'; can't understand '{part}'")
    return Term(part[: sign.start()], _unescaped(part[sign.end() :]), sign[0] != "!=")


def _split(text: str) -> list[str]:
    """At commas that no backslash escapes."""
    parts, current, escaped = [], "", False
    for character in text:
        if character == "," and not escaped:
            parts.append(current)
            current = ""
        else:
            current += character
        escaped = character == "\\" and not escaped
    return [*parts, current]


def _unescaped(value: str) -> str:
    """Without the backslashes, which commas, equal signs and backslashes must have before them, and nothing else may."""
    out, escaped = "", False
    for character in value:
        if escaped and character not in _ESCAPED:
            raise ValueError(f"invalid field selector: invalid escape sequence: \\{character}")
        if character in ",=" and not escaped:
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(character)}")
        escaped = character == "\\" and not escaped
        out += "" if escaped else character
    if escaped:
        raise ValueError("invalid field selector: invalid escape sequence: \\")
    return out


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
