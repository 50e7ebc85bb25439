"""Decoding: YAML and JSON texts as upstream's client reads them, and its words for what it cannot read.

YAML is read as JSON sees it (sigs.k8s.io/yaml): `y`, `on` and their like are truths, `017` is octal, `12:30` and a date are text, a
whole float is an integer. A text that begins with a brace is JSON first. https://pkg.go.dev/sigs.k8s.io/yaml
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import orjson
import yaml

BOOL, INT, FLOAT, NULL = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null"))
TRUTH = re.compile("(?:true|True|TRUE|false|False|FALSE)$")
TRUTHS = ("y", "yes", "on", "true")
SIGNS = "-+0123456789"


class Loader(yaml.CSafeLoader):
    """YAML with upstream's idea of what a bare word is."""


Loader.yaml_implicit_resolvers = {
    "<": yaml.CSafeLoader.yaml_implicit_resolvers["<"],
    "": [(NULL, re.compile(""))],
}
for tag, pattern, first in (
    (BOOL, r"y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE", "yYnNtTfFoO"),
    (NULL, r"~|null|Null|NULL|", "~nN"),
    (INT, r"[-+]?(?:0o?[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+|0|[1-9][0-9_]*)", SIGNS),
    (
        FLOAT,
        r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        SIGNS + ".",
    ),
):
    Loader.add_implicit_resolver(tag, re.compile(f"(?:{pattern})$"), list(first))


class PlainLoader(Loader):
    """YAML as a kustomization's resources are read: only true and false are truths (go-yaml 3)."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, TRUTH if tag == BOOL else pattern) for tag, pattern in found]
    for first, found in Loader.yaml_implicit_resolvers.items()
}


def _bool(loader: Loader, node: yaml.ScalarNode) -> bool:
    return node.value.lower() in TRUTHS


def _int(loader: Loader, node: yaml.ScalarNode) -> int | float:
    text = node.value.replace("_", "").lower()
    digits = text.lstrip("+-")
    octal = len(digits) > 1 and digits.isdecimal() and digits.startswith("0")
    return int(f"{text[: -len(digits)]}0o{digits[1:]}", 8) if octal else int(text, 0)


def _float(loader: Loader, node: yaml.ScalarNode) -> int | float:
    value = float(node.value.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    return int(value) if value.is_integer() else value


for one in (Loader, PlainLoader):
    one.add_constructor(BOOL, _bool)
    one.add_constructor(INT, _int)
    one.add_constructor(FLOAT, _float)


class DecodeError(Exception):
    """The text cannot be read; the message is upstream's."""


def documents(content: bytes, loader: type[Loader] = Loader) -> Iterable[Any]:
    """The values in a text of one or several documents. Raises DecodeError."""
    json_told = ""
    if content.lstrip()[:1] == b"{" and b"\n---" not in content:
        try:
            return [orjson.loads(content)]
        except orjson.JSONDecodeError as error:
            several = _in_a_row(content)
            if several:
                return several
            json_told = "unexpected EOF" if "unexpected end of data" in str(error) else ""
    try:
        return list(yaml.load_all(content, Loader=loader))
    except yaml.YAMLError as error:
        raise DecodeError(json_told or f"error converting YAML to JSON: yaml: {told(error)}") from error


def _in_a_row(content: bytes) -> list[Any]:
    """JSON objects that follow each other; empty: the text is something else."""
    text, found, at = content.decode(errors="replace").strip(), [], 0
    decoder = json.JSONDecoder()
    try:
        while at < len(text):
            value, end = decoder.raw_decode(text, at)
            found.append(value)
            at = end + len(text[end:]) - len(text[end:].lstrip())
    except json.JSONDecodeError:
        return []
    return found


def told(error: yaml.YAMLError) -> str:
    """`line 4: did not find expected key`. A parser's line is the one before its mark, as upstream's library counts."""
    problem = getattr(error, "problem", None) or str(error)
    marks = [getattr(error, name, None) for name in ("context_mark", "problem_mark")]
    line = next((mark.line for mark in marks if mark is not None and mark.line), 0)
    if not line:
        return str(problem)
    return f"line {line + isinstance(error, yaml.scanner.ScannerError)}: {problem}"


def ordered(value: Any) -> Any:
    """With every object's names in order, as upstream's client sends what it read from a file."""
    if isinstance(value, dict):
        return {name: ordered(value[name]) for name in sorted(value, key=str)}
    return [ordered(item) for item in value] if isinstance(value, list) else value
