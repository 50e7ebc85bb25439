"""Lexer: an expression's text as tokens, literals read.

https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
"""

import re
from dataclasses import dataclass
from typing import Any

from apiserver.cel.errors import Issue
from apiserver.cel.values import INT_MAX, INT_MIN, UINT_MAX, Uint

_TOKEN = re.compile(
    r"""
    (?P<space>(?:[\t\n\f\r\ ]|//[^\n]*)+)
  | (?P<raw>(?:[rR][bB]?|[bB][rR])(?:\"{3}(?s:.*?)\"{3}|'{3}(?s:.*?)'{3}|"[^"\n\r]*"|'[^'\n\r]*'))
  | (?P<text>[bB]?(?:\"{3}(?s:(?:\\.|[^\\])*?)\"{3}|'{3}(?s:(?:\\.|[^\\])*?)'{3}|"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*'))
  | (?P<float>(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?))
  | (?P<number>(?:0x[0-9a-fA-F]+|[0-9]+)[uU]?)
  | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
  | (?P<quoted>`[a-zA-Z0-9_.\-/ ]+`)
  | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"`?])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))", re.DOTALL
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
END = "<EOF>"
MOST_DIGITS = 40  # more fit into no integer


class SyntaxProblem(Exception):
    """The text is no expression; compile turns it into a CompileError."""

    def __init__(self, at: int, text: str) -> None:
        self.issue = Issue(at, text)
        super().__init__(text)


@dataclass(slots=True)
class Token:
    kind: str  # literal, name, quoted, sign, end
    text: str
    at: int
    value: Any = None


def tokens(source: str) -> list[Token]:
    """All of them, with an end. Raises SyntaxProblem."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise SyntaxProblem(at, f"Syntax error: token recognition error at: '{source[at:].splitlines()[0] or source[at]}'")
        kind, text = match.lastgroup, match[0]
        if kind in ("name", "sign"):
            found.append(Token(kind, text, at))
        elif kind == "quoted":
            found.append(Token(kind, text, at, text[1:-1]))
        elif kind != "space":
            found.append(Token("literal", text, at, _literal(kind or "", text, at)))
        at = match.end()
    found.append(Token("end", END, at))
    return found


def _literal(kind: str, text: str, at: int) -> Any:
    if kind == "float":
        return float(text)
    if kind == "number":
        return _number(text, at)
    prefix = text[: min(text.index(quote) for quote in "'\"" if quote in text)].lower()
    width = 3 if text[len(prefix) :][:3] in ('"""', "'''") and len(text) >= len(prefix) + 6 else 1
    body = text[len(prefix) + width : -width]
    if "b" in prefix:
        return body.encode() if kind == "raw" else _unescaped_bytes(body, at)
    return body if kind == "raw" else _ESCAPE.sub(lambda match: _unescaped(match, at), body)


def _number(text: str, at: int) -> int:
    """Of any size: the parser knows the sign, and so the bounds."""
    digits = text.rstrip("uU")
    if len(digits) > MOST_DIGITS:
        raise SyntaxProblem(at, "invalid int literal")
    number = int(digits, 16) if digits.startswith("0x") else int(digits)
    return Uint(number) if text[-1] in "uU" else number


def in_bounds(number: int, at: int) -> int:
    if isinstance(number, Uint):
        if number > UINT_MAX:
            raise SyntaxProblem(at, "invalid uint literal")
    elif not INT_MIN <= number <= INT_MAX:
        raise SyntaxProblem(at, "invalid int literal")
    return number


def _unescaped(match: "re.Match[str]", at: int) -> str:
    simple, byte, short, long, octal, wrong = match.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    if wrong is not None:
        raise SyntaxProblem(at, "invalid string literal: unable to unescape string")
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise SyntaxProblem(at, "invalid string literal: invalid unicode code point")
    return chr(code)


def _unescaped_bytes(body: str, at: int) -> bytes:
    parts: list[bytes] = []
    end = 0
    for match in _ESCAPE.finditer(body):
        parts.append(body[end : match.start()].encode())
        is_byte = match[2] is not None or match[5] is not None
        text = _unescaped(match, at)
        parts.append(bytes([ord(text)]) if is_byte else text.encode())
        end = match.end()
    return b"".join([*parts, body[end:].encode()])
