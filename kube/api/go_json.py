"""Go's JSON: what of a text is no JSON, in the words of Go's decoder; and texts that it takes where stricter parsers do not.

    invalid character 'h' looking for beginning of value        unexpected end of JSON input        exceeded max depth

Bytes that are no UTF-8, and halves of surrogate pairs, stand for U+FFFD each: within strings Go takes them.
A long text is not gone over character by character: there the parser's own words must do. Pure.
https://pkg.go.dev/encoding/json · https://datatracker.ietf.org/doc/html/rfc8259
"""

import codecs
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

LONGEST_LOOKED_INTO = 64 * 1024  # bytes
MAX_DEPTH = 10_000  # Go's own
REPLACING = "skiff-go-replacement"  # the name of a way to treat encoding errors
SHORT_INTEGER = 18  # digits that surely fit 64 bits

_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')  # without its closing quote
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_SPACE = re.compile(r"[ \t\r\n]*")
_LITERALS = {"t": "true", "f": "false", "n": "null"}

VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, AFTER = range(6)  # what may come next
_SOUGHT = {
    VALUE: "looking for beginning of value",
    VALUE_OR_END: "looking for beginning of value",
    KEY: "looking for beginning of object key string",
    KEY_OR_END: "looking for beginning of object key string",
    COLON: "after object key",
}
_GO_TYPES = (
    (bool, "bool"), (str, "string"), (int, "int64"), (float, "float64"), (list, "[]interface {}"),
    (dict, "map[string]interface {}"),
)  # fmt: skip
_AFTER = {"{": "after object key:value pair", "[": "after array element", "": "after top-level value"}


class Malformed(ValueError):
    """The text is no JSON; its words are Go's."""


def loads(data: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """The value. Raises Malformed; beyond `max_depth` of our own as beyond Go's."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if len(data) > LONGEST_LOOKED_INTO:
            raise Malformed(str(error)) from None
    scan = _Scan(data.decode("latin-1"))
    scan.through()
    if scan.deepest > max_depth:
        raise Malformed("exceeded max depth")
    tree = json.loads(data.decode("utf-8", REPLACING), parse_int=_number, parse_float=_number)
    return orjson.loads(json.dumps(tree, ensure_ascii=False).encode("utf-8", REPLACING))


def shown(value: Any) -> str:
    """As Go's %v shows what it read of JSON."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{shown(value[name])}" for name in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(shown, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def type_of(value: Any) -> str:
    """What Go calls the type that it read a value of JSON into."""
    for kind, name in _GO_TYPES:
        if isinstance(value, kind):
            return name
    return "<nil>"


@dataclass
class _Scan:
    """One walk over a text, a character for each byte."""

    text: str
    at: int = 0
    deepest: int = 0
    open: list[str] = field(default_factory=list)
    state: int = VALUE

    def through(self) -> None:
        while True:
            self._skip_space()
            if self.at == len(self.text):
                if self.open or self.state != AFTER:
                    raise Malformed("unexpected end of JSON input")
                return
            self._step(self.text[self.at])

    def _step(self, character: str) -> None:
        closes = self.open and character == ("}" if self.open[-1] == "{" else "]")
        if closes and self.state in (AFTER, KEY_OR_END if character == "}" else VALUE_OR_END):
            self.open.pop()
            self._go_on(AFTER)
        elif self.state in (VALUE, VALUE_OR_END):
            self._value(character)
        elif self.state in (KEY, KEY_OR_END) and character == '"':
            self._string()
            self.state = COLON
        elif self.state == COLON and character == ":":
            self._go_on(VALUE)
        elif self.state == AFTER and self.open and character == ",":
            self._go_on(KEY if self.open[-1] == "{" else VALUE)
        else:
            raise self._wrong(_SOUGHT.get(self.state) or _AFTER[self.open[-1] if self.open else ""])

    def _value(self, character: str) -> None:
        if character in "{[":
            self.open.append(character)
            self.deepest = max(self.deepest, len(self.open))
            if self.deepest > MAX_DEPTH:
                raise Malformed("exceeded max depth")
            self._go_on(KEY_OR_END if character == "{" else VALUE_OR_END)
            return
        if character == '"':
            self._string()
        elif character in _LITERALS:
            self._literal(_LITERALS[character])
        elif character == "-" or character.isdecimal():
            self._number()
        else:
            raise self._wrong(_SOUGHT[VALUE])
        self.state = AFTER

    def _string(self) -> None:
        found = _STRING.match(self.text, self.at)
        assert found is not None, "begins with a quote"
        self.at = found.end()
        if self._here() == '"':
            self.at += 1
            return
        if self._here() != "\\":
            raise self._wrong("in string literal")
        self.at += 1
        if self._here() != "u":
            raise self._wrong("in string escape code")
        self.at += 1
        while self._here() in "0123456789abcdefABCDEF":
            self.at += 1
        raise self._wrong("in \\u hexadecimal character escape")

    def _literal(self, word: str) -> None:
        for expected in word:
            if self._here() != expected:
                raise self._wrong(f"in literal {word} (expecting {_quoted(expected)})")
            self.at += 1

    def _number(self) -> None:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            self.at += 1
            raise self._wrong("in numeric literal")
        self.at = found.end()
        following, number = self.text[self.at : self.at + 1], found.group()
        if following == "." and number.lstrip("-").isdecimal():
            self.at += 1
            raise self._wrong("after decimal point in numeric literal")
        if following in ("e", "E") and "e" not in number.lower():
            self.at += 2 if self.text[self.at + 1 : self.at + 2] in ("+", "-") else 1
            raise self._wrong("in exponent of numeric literal")

    def _go_on(self, state: int) -> None:
        self.at += 1
        self.state = state

    def _skip_space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        assert found is not None, "matches nothing, too"
        self.at = found.end()

    def _here(self) -> str:
        if self.at >= len(self.text):
            raise Malformed("unexpected end of JSON input")
        return self.text[self.at]

    def _wrong(self, where: str) -> Malformed:
        return Malformed(f"invalid character {_quoted(self._here())} {where}")


def _quoted(character: str) -> str:
    if character == "'":
        return r"'\''"
    if character == '"':
        return "'\"'"
    escaped = {"\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    if character in escaped:
        return f"'{escaped[character]}'"
    if character.isprintable():
        return f"'{character}'"
    return f"'\\x{ord(character):02x}'" if ord(character) < 0x80 else f"'\\u{ord(character):04x}'"


def _number(text: str) -> int | float:
    if len(text) <= SHORT_INTEGER and text.lstrip("-").isdecimal():
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise Malformed(f"json: cannot unmarshal number {text[:80]} into Go value of type float64")
    return number


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        return "\ufffd".encode() * (error.end - error.start), error.end
    assert isinstance(error, UnicodeDecodeError), "registered for these two"
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(REPLACING, _replaced)
