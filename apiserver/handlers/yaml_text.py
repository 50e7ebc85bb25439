"""YAML text: a body in YAML as the JSON tree that it stands for, in time and memory bounded by its length.

    keys        are text, whatever they look like: `1: a` and `true: a` are the fields "1" and "true"
    scalars     null, booleans, numbers and text; what looks like a date is text; a binary is the text that it encodes
    aliases     stand for a copy of what they name; where the copies outgrow the text, it is refused ("billion laughs")
    depth       as deep as JSON may be, see MAX_DEPTH
    duplicates  are told by their line, in go-yaml's words; the last one counts

The events of libyaml are read one by one: no recursion, no objects of the document's choosing.
https://yaml.org/spec/1.1/ · sigs.k8s.io/yaml (YAMLToJSON)
"""

import base64
import binascii
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kube.api.late import late

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")

MAX_DEPTH = 200  # orjson writes 254 levels; managedFields and lists of objects add some
COPIES = 10  # nodes that aliases may add for each byte of the text

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
BOOLEANS = {
    text: value
    for value, words in ((True, ("true", "yes", "on")), (False, ("false", "no", "off")))
    for word in words
    for text in (word, word.capitalize(), word.upper())
}
INTEGER = re.compile(r"[-+]?(0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|0[0-7_]+|[1-9][0-9_]*|0)$")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
LONGEST_INTEGER = 400  # digits; a float ends at 309
TAG = "tag:yaml.org,2002:"
KNOWN_TAGS = frozenset(f"{TAG}{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "binary", "timestamp"))
MERGE = "<<"


class Unreadable(ValueError):
    """The text is no YAML; its words are go-yaml's: `yaml: line 2: did not find expected node content`."""


def parse(data: bytes) -> tuple[Any, list[str]]:
    """The tree of the first document, and what is to be said of keys that came twice. Raises Unreadable."""
    try:
        return _Builder(len(data)).built(data)
    except yaml.MarkedYAMLError as error:
        raise Unreadable(f"yaml: {_place(error)}{error.problem or 'unknown problem parsing YAML content'}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise Unreadable(f"yaml: {error}") from None


def _place(error: "yaml.MarkedYAMLError") -> str:
    """The line as go-yaml counts: a parser's error is told one line too early, and none in the first line."""
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark is not None and mark.line]
    line = marks[0] + isinstance(error, yaml.scanner.ScannerError) if marks else 0
    return f"line {line}: " if line else ""


@dataclass
class _Open:
    """A collection whose end has not come; of a mapping, the key whose value is next."""

    value: Any
    anchor: str | None
    size: int = 1
    depth: int = 1
    key: str | None = None
    line: int = 0  # of that key
    merged: list[Any] = field(default_factory=list)


class _Builder:
    """One document, from its yaml.events."""

    def __init__(self, length: int) -> None:
        self._budget = COPIES * length + 1000
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}  # value, size, depth
        self._duplicates: list[str] = []
        self._root: Any = None

    def built(self, data: bytes) -> tuple[Any, list[str]]:
        documents = 0
        for event in yaml.parse(data, Loader=yaml.CSafeLoader):
            match event:
                case yaml.events.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        break
                case yaml.events.ScalarEvent():
                    self._scalar(event)
                case yaml.events.AliasEvent():
                    self._alias(event.anchor or "")
                case yaml.events.MappingStartEvent():
                    self._begin({}, event)
                case yaml.events.SequenceStartEvent():
                    self._begin([], event)
                case yaml.events.MappingEndEvent() | yaml.events.SequenceEndEvent():
                    self._end()
        return self._root, self._duplicates

    def _scalar(self, event: Any) -> None:
        if self._expects_key():
            self._open[-1].key, self._open[-1].line = _key(event), event.start_mark.line + 1
            return
        value = _scalar(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 0)
        self._place(value, 1, 0)

    def _alias(self, name: str) -> None:
        if name not in self._anchors:
            raise ValueError(f"unknown anchor '{name}' referenced")
        value, size, depth = self._anchors[name]
        self._budget -= size
        if self._budget < 0:
            raise ValueError("document contains excessive aliasing")
        self._check_depth(depth)
        if self._expects_key():
            self._open[-1].key = str(value)
        else:
            self._place(_copied(value), size, depth)

    def _begin(self, value: Any, event: Any) -> None:
        if self._expects_key():
            raise ValueError(f"invalid map key: {value!r}")
        if event.tag is not None and event.tag not in KNOWN_TAGS:
            raise ValueError(f"unknown tag {event.tag}")
        self._check_depth(1)
        self._open.append(_Open(value, event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        for source in done.merged:
            done.value = {**source, **done.value}
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.size, done.depth)
        self._place(done.value, done.size, done.depth)

    def _check_depth(self, more: int) -> None:
        if len(self._open) + more > MAX_DEPTH:
            raise ValueError("exceeded max depth")

    def _place(self, value: Any, size: int, depth: int) -> None:
        """Put a finished value where it belongs."""
        if not self._open:
            self._root = value
            return
        parent = self._open[-1]
        parent.size += size
        parent.depth = max(parent.depth, depth + 1)
        if parent.key is None:
            parent.value.append(value)
            return
        if parent.key == MERGE and isinstance(value, dict | list):
            parent.merged += [one for one in ([value] if isinstance(value, dict) else value) if isinstance(one, dict)]
        else:
            if parent.key in parent.value:
                self._duplicates.append(f'line {parent.line}: key "{parent.key}" already set in map')
            parent.value[parent.key] = value
        parent.key = None

    def _expects_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None


def _key(event: Any) -> str:
    text = str(event.value)
    if not event.implicit[0]:
        return text
    value = _plain(text)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _scalar(event: Any) -> Any:
    text = str(event.value)
    if event.tag is not None:
        if event.tag not in KNOWN_TAGS and event.tag != "!":
            raise ValueError(f"unknown tag {event.tag}")
        if event.tag == f"{TAG}binary":
            return _decoded(text)
        return _plain(text) if event.tag not in (f"{TAG}str", f"{TAG}timestamp", "!") else text
    return _plain(text) if event.implicit[0] else text


def _plain(text: str) -> Any:
    """What a scalar without quotes means."""
    if text in NULLS:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    if INTEGER.match(text) and len(text) <= LONGEST_INTEGER:
        return _integer(text.replace("_", ""))
    if FLOAT.match(text):
        value = float(text)
        if math.isinf(value):
            raise ValueError(f"json: unsupported value: {text}")
        return value
    if text.lstrip("+-").lower() in (".inf", ".nan"):
        raise ValueError(f"json: unsupported value: {text}")
    return text


def _integer(text: str) -> int | float:
    """Beyond 64 bits a float, as JSON's numbers are."""
    sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-")
    octal = len(digits) > 1 and digits[0] == "0" and digits.isdigit()
    value = sign * int(digits, 8 if octal else 0)
    return value if -(2**63) <= value < 2**64 else float(value)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("!!binary value contains invalid base64 data") from None


def _copied(value: Any) -> Any:
    """A copy of what an alias names; no deeper than MAX_DEPTH."""
    if isinstance(value, dict):
        return {name: _copied(one) for name, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value
