"""JSONPath, Kubernetes' dialect: a template whose `{...}` are paths, ranges and quoted text.

    {.items[*].metadata.name}   {range .items[*]}{.metadata.name}{"\\n"}{end}   {.items[?(@.kind=="Pod")].spec['a','b']}   {..image}

A dot within a name is written `\\.`. There is no && or ||, as upstream has none.
https://kubernetes.io/docs/reference/kubectl/jsonpath/
"""

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kubectl.printers import gotext

MISSING = object()


class JsonPathError(ValueError):
    """A template that cannot be read or, without allow_missing, a path that leads nowhere."""


# --- the parts of a template ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Field:
    name: str


@dataclass(frozen=True)
class Slice:
    """`[1]`, `[0:2]`, `[-1:]`, `[::2]`; `single` for a plain index."""

    start: int | None
    stop: int | None
    step: int | None
    single: bool = False


@dataclass(frozen=True)
class Wildcard:
    pass


@dataclass(frozen=True)
class Recursive:
    pass


@dataclass(frozen=True)
class Union:
    paths: tuple["Path", ...]


@dataclass(frozen=True)
class Filter:
    left: "Path | Text"
    compare: str  # "" for mere existence
    right: "Path | Text | None" = None


@dataclass(frozen=True)
class Path:
    steps: tuple[Any, ...]
    literal: Any = MISSING  # a number or a boolean stands for itself
    from_root: bool = False


@dataclass(frozen=True)
class Range:
    over: Path
    body: tuple[Any, ...]


Template = tuple[Any, ...]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


# --- evaluation ----------------------------------------------------------------------------------------------------------


def render(template: str, data: Any, *, allow_missing: bool = True) -> str:
    """The template's text for one object."""
    return "".join(_render(parse(template), data, data, allow_missing))


def find(path: str, data: Any, *, allow_missing: bool = True) -> list[Any]:
    """All values that a single path leads to; braces and the leading dot may be left out."""
    template = parse(relaxed(path))
    return [value for node in template if isinstance(node, Path) for value in walk(node, data, data, allow_missing)]


def relaxed(path: str) -> str:
    """`metadata.name`, `.metadata.name`, `{.metadata.name}`: all the same (custom columns, --sort-by)."""
    if not path:
        return path
    if re.fullmatch(r"\{.*\}", path, re.DOTALL):
        path = path[1:-1]
    return "{" + (path if path[:1] in (".", "[", "$", "@") else f".{path}") + "}"


def _render(nodes: Template, data: Any, root: Any, allow_missing: bool) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Text):
            yield node.value
        elif isinstance(node, Range):
            for value in walk(node.over, data, root, allow_missing):
                yield from _render(node.body, value, root, allow_missing)
        else:
            yield " ".join(shown(value) for value in walk(node, data, root, allow_missing))


def shown(value: Any) -> str:
    """Text as it is; maps and lists as JSON."""
    if isinstance(value, dict | list):
        return escape_html(json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True))
    return "" if value is None else gotext.text(value)


def escape_html(text: str) -> str:
    """As Go's encoder writes JSON."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def walk(path: Path, data: Any, root: Any, allow_missing: bool) -> list[Any]:
    """The values at the end of a path, in order."""
    if path.literal is not MISSING:
        return [path.literal]
    values = [root if path.from_root else data]
    for step in path.steps:
        values = [found for value in values for found in _step(step, value, root, allow_missing)]
    return values


def _step(step: Any, value: Any, root: Any, allow_missing: bool) -> Iterable[Any]:
    match step:
        case Field(name):
            if isinstance(value, dict) and name in value:
                return [value[name]]
            if allow_missing or isinstance(value, list):
                return []
            raise JsonPathError(f"{name} is not found")
        case Wildcard():
            return _children(value)
        case Recursive():
            return list(_descendants(value))
        case Slice():
            return _slice(step, value, allow_missing)
        case Union(paths):
            return [found for path in paths for found in walk(path, value, root, allow_missing)]
        case Filter():
            return [child for child in _children(value) if _passes(step, child, root)]
    raise AssertionError(f"a step of no known kind: {step}")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return list(value) if isinstance(value, list) else []


def _descendants(value: Any) -> Iterator[Any]:
    yield value
    for child in _children(value):
        if isinstance(child, dict | list):
            yield from _descendants(child)


def _slice(step: Slice, value: Any, allow_missing: bool) -> list[Any]:
    if not isinstance(value, list):
        if allow_missing or value is None:
            return []
        raise JsonPathError(f"{gotext.text(value)} is not array or slice")
    if not step.single and step.step == 0:
        raise JsonPathError("step must be >= 0")
    if not step.single:
        return value[step.start : step.stop : step.step]
    index = step.start or 0
    if -len(value) <= index < len(value):
        return [value[index]]
    if allow_missing and not value:
        return []
    raise JsonPathError(f"array index out of bounds: index {index}, length {len(value)}")


def _passes(step: Filter, value: Any, root: Any) -> bool:
    left = _operand(step.left, value, root)
    if not step.compare:
        return bool(left)
    right = _operand(step.right, value, root)
    if not left or not right:
        return False
    try:
        return COMPARE[step.compare](left[0], right[0])
    except TypeError:
        return False


def _operand(node: "Path | Text | None", value: Any, root: Any) -> list[Any]:
    if isinstance(node, Text):
        return [node.value]
    return walk(node, value, root, True) if node is not None else []


# --- parsing -------------------------------------------------------------------------------------------------------------


def parse(template: str) -> Template:
    """Raises JsonPathError with upstream's words."""
    return _nodes(_tokens(template), nested=False)


def _tokens(template: str) -> Iterator[Any]:
    """Text, "end", ("range", Path) or Path, in order."""
    at = 0
    while at < len(template):
        opened = template.find("{", at)
        if opened < 0:
            yield Text(template[at:])
            return
        if opened > at:
            yield Text(template[at:opened])
        reader = Reader(template, opened + 1)
        yield from reader.action()
        at = reader.at


def _nodes(tokens: Iterator[Any], *, nested: bool) -> Template:
    """The nodes up to `end`; a range that is never ended goes on to the end of the template, as upstream's does."""
    nodes: list[Any] = []
    for token in tokens:
        if token == "end":
            if not nested:
                raise JsonPathError("not in range, nothing to end")
            return tuple(nodes)
        if isinstance(token, tuple):
            nodes.append(Range(token[1], _nodes(tokens, nested=True)))
        else:
            nodes.append(token)
    return tuple(nodes)


class Reader:
    """What stands between one pair of braces."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at

    def action(self) -> Iterator[Any]:
        """The tokens up to the closing brace."""
        ranging = False
        while True:
            rest = self.text[self.at :]
            if not rest:
                raise JsonPathError("unclosed action")
            word = re.match(r"[A-Za-z]+", rest)
            if rest[0] == "}":
                self.at += 1
                return
            if rest[0].isspace():
                self.at += 1
            elif word and word.group() in ("range", "end"):
                self.at += word.end()
                ranging = word.group() == "range"
                if not ranging:
                    yield "end"
            elif rest[0] in "\"'":
                yield Text(self.quoted())
            else:
                path = self.path("} \t\n")
                yield ("range", path) if ranging else path
                ranging = False

    def quoted(self) -> str:
        mark = self.text[self.at]
        found = re.compile(rf"{mark}((?:[^{mark}\\]|\\.)*){mark}", re.DOTALL).match(self.text, self.at)
        if found is None:
            raise JsonPathError("unterminated quoted string")
        self.at = found.end()
        return _unescape(found.group(1))

    def path(self, ends: str) -> Path:
        """Steps up to one of `ends`, or a literal."""
        literal = re.compile(r"(-?\d+(\.\d+)?|true|false)(?=[\s})\],]|$)").match(self.text, self.at)
        if literal is not None:
            self.at = literal.end()
            word = literal.group(1)
            return Path((), json.loads(word))
        steps: list[Any] = []
        from_root = False
        while self.at < len(self.text) and self.text[self.at] not in ends:
            char = self.text[self.at]
            if char in "$@":
                from_root = from_root or char == "$"
                self.at += 1
            elif self.text.startswith("..", self.at):
                steps.append(Recursive())
                self.at += 2
                self._name(steps)
            elif char == ".":
                self.at += 1
                self._name(steps)
            elif char == "[":
                steps.append(self._bracket())
            elif not steps and (char.isalnum() or char == "_"):
                raise JsonPathError(f"unrecognized identifier {re.split(r'[^A-Za-z0-9_]', self.text[self.at :])[0]}")
            else:
                raise JsonPathError(f"unrecognized character in action: U+{ord(char):04X} '{char}'")
        return Path(tuple(steps), from_root=from_root)

    def _name(self, steps: list[Any]) -> None:
        found = re.compile(r"(?:\\.|[^\s.\[\](){}<>=!,'\"|@$&*])+|\*").match(self.text, self.at)
        if found is None:
            return  # "." alone, or ".[": the object itself
        self.at = found.end()
        name = found.group()
        steps.append(Wildcard() if name == "*" else Field(re.sub(r"\\(.)", r"\1", name)))

    def _bracket(self) -> Any:
        self.at += 1
        if self.text.startswith("?(", self.at):
            return self._filter()
        closing = self._closing()
        inside = self.text[self.at : closing].strip()
        self.at = closing + 1
        if inside == "*":
            return Wildcard()
        if re.fullmatch(r"-?\d+", inside):
            return Slice(int(inside), None, None, single=True)
        if re.fullmatch(r"-?\d*:-?\d*(:-?\d*)?", inside):
            bounds = [int(part) if part else None for part in inside.split(":")]
            start, stop, step = [*bounds, None][:3]
            return Slice(start, stop, step)
        return Union(tuple(_member(part) for part in re.findall(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^,\s]+", inside)))

    def _closing(self) -> int:
        found = re.compile(r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\]'\"])*\]").match(self.text, self.at)
        if found is None:
            raise JsonPathError("unterminated array")
        return found.end() - 1

    def _filter(self) -> Filter:
        self.at += 2
        left = self._side()
        compare = re.compile(r"\s*(==|!=|<=|>=|<|>)\s*").match(self.text, self.at)
        if compare is None:
            self._end_of_filter()
            return Filter(left, "")
        self.at = compare.end()
        right = self._side()
        self._end_of_filter()
        return Filter(left, compare.group(1), right)

    def _side(self) -> "Path | Text":
        self.at += len(self.text[self.at :]) - len(self.text[self.at :].lstrip())
        if self.text[self.at : self.at + 1] in ("'", '"'):
            return Text(self.quoted())
        return self.path(" )=!<>")

    def _end_of_filter(self) -> None:
        found = re.compile(r"\s*\)\s*\]").match(self.text, self.at)
        if found is None:
            raise JsonPathError("unterminated filter")
        self.at = found.end()


def _member(text: str) -> Path:
    """One part of a union: 'name', .path or an index."""
    if text[0] in "'\"":
        return Path((Field(_unescape(text[1:-1])),))
    if re.fullmatch(r"-?\d+", text):
        return Path((Slice(int(text), None, None, single=True),))
    return Reader(text, 0).path("")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t", "r": "\r"}.get(found.group(1), found.group(1)), text)
