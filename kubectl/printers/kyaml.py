"""KYAML: YAML in flow style that nobody can misread: every string in double quotes, braces around everything, a comma after each.

Objects and lists within a list share their brackets' line (`[{`); a string of several lines is written line by line.
https://kep.k8s.io/5295
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from kube.api.go_yaml import AMBIGUOUS

BARE_KEY = re.compile(r"\w([-./\w]*\w)?")
TRUTHS = ("y", "yes", "n", "no", "on", "off", "true", "false", "null")
ESCAPES = {"\u00a0": "\\_", "\u200b": "\\u200b", "\u2028": "\\L", "\u2029": "\\P", "\u0085": "\\N", "\ufeff": "\\ufeff"}
STEP = "  "


def as_kyaml(tree: Any, *, sort_keys: bool = True) -> str:
    return f"---\n{_value(tree, '', sort_keys)}\n"


def _value(value: Any, space: str, ordered: bool) -> str:
    if isinstance(value, dict):
        return _mapping(value, space, ordered)
    if isinstance(value, list):
        return _list(value, space, ordered)
    if isinstance(value, str):
        return _text(value, space)
    return json.dumps(value)


def _mapping(tree: dict[str, Any], space: str, ordered: bool) -> str:
    if not tree:
        return "{}"
    names = sorted(tree) if ordered else list(tree)
    rows = [f"{space}{STEP}{_key(name)}: {_value(tree[name], space + STEP, ordered)},\n" for name in names]
    return "{\n" + "".join(rows) + space + "}"


def _list(items: Sequence[Any], space: str, ordered: bool) -> str:
    if not items:
        return "[]"
    if all(isinstance(item, dict | list) for item in items):
        return "[" + ", ".join(_value(item, space, ordered) for item in items) + "]"
    rows = [f"{space}{STEP}{_value(item, space + STEP, ordered)},\n" for item in items]
    return "[\n" + "".join(rows) + space + "]"


def _key(name: str) -> str:
    plain = BARE_KEY.fullmatch(name) and not AMBIGUOUS.fullmatch(name) and name.lower() not in TRUTHS
    return name if plain else _quoted(name)


def _text(text: str, space: str) -> str:
    """One line in quotes; several: each on a line of its own, its first column marked where it begins with a space."""
    if "\n" not in text:
        return _quoted(text)
    *lines, last = text.split("\n")
    rows = [f"{space}{STEP}{_margin(line)}{_quoted(line)[1:-1]}\\n\\\n" for line in lines]
    if last:
        rows.append(f"{space}{STEP}{_margin(last)}{_quoted(last)[1:-1]}\\\n")
    return '"\\\n' + "".join(rows) + f'{space}{STEP}"'


def _margin(line: str) -> str:
    return "\\" if line.startswith((" ", "\t")) else " "


def _quoted(text: str) -> str:
    quoted = "\t".join(json.dumps(part, ensure_ascii=False)[1:-1] for part in text.split("\t"))
    return '"' + "".join(ESCAPES.get(letter, letter) for letter in quoted) + '"'
