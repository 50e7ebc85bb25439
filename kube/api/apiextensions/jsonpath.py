"""JSONPath in definitions: where a printed column, a selectable field or a count of replicas is found in an object.

    .spec.replicas   .metadata.annotations.a\\.b   .spec['a.b']   .spec.ports[0].port   .spec.ports[*].port   .spec.ports[-1:]
    .status.conditions[?(@.type=="Ready")].status   ..image

Read once, when the definition is; a path that leads nowhere finds nothing.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#additional-printer-columns
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

Step = Callable[[Any], Iterator[Any]]

_TOKEN = re.compile(
    r"""(?P<deep>\.\.)(?P<deep_name>(?:[^.\[\]\\]|\\.)+)
      | \.(?P<name>(?:[^.\[\]\\]|\\.)+)
      | \[(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]
      | \[(?P<star>\*)\]
      | \[\?\((?P<filter>.+?)\)\]
      | \[(?P<index>-?\d*(?::-?\d*){0,2})\]
      | (?P<root>\.$)""",
    re.VERBOSE,
)
_FILTER = re.compile(r"""\s*@(?P<left>\S*?)\s*(?:(?P<compare>==|!=|<=|>=|<|>)\s*(?P<right>.+?))?\s*""")


class PathError(ValueError):
    """A text that is no path."""


class JsonPath:
    """A path that was read."""

    def __init__(self, text: str) -> None:
        """Raises PathError."""
        self._steps = list(_steps(text))

    def find(self, tree: Any) -> Iterator[Any]:
        """Every value that the path leads to."""
        return _walk(tree, self._steps)

    def first(self, tree: Any) -> Any:
        """The first of them; None where there is none."""
        return next(self.find(tree), None)


def _walk(value: Any, steps: list[Step]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    for inner in steps[0](value):
        yield from _walk(inner, steps[1:])


def _steps(text: str) -> Iterator[Step]:
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise PathError(f"unexpected text at {text[position:]!r}")
        position = found.end()
        yield from _step(found.groupdict())


def _step(parts: dict[str, str | None]) -> Iterator[Step]:
    if parts["deep"]:
        yield _everywhere
        yield _named(_plain(parts["deep_name"] or ""))
    elif parts["name"] == "*" or parts["star"]:
        yield _all
    elif parts["name"] is not None:
        yield _named(_plain(parts["name"]))
    elif parts["quoted"] is not None:
        yield _named(_plain(parts["quoted"][1:-1]))
    elif parts["filter"] is not None:
        yield _filtered(parts["filter"])
    elif parts["index"] is not None:
        yield _placed(parts["index"])


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _named(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _everywhere(value: Any) -> Iterator[Any]:
    yield value
    for inner in _all(value):
        yield from _everywhere(inner)


def _placed(text: str) -> Step:
    if ":" not in text and not text.lstrip("-"):
        raise PathError(f"invalid array index {text}")
    parts = [int(part) if part else None for part in text.split(":")]

    def step(value: Any) -> Iterator[Any]:
        if not isinstance(value, list):
            return
        if len(parts) > 1:
            yield from value[slice(*parts)]
        elif parts[0] is not None and -len(value) <= parts[0] < len(value):
            yield value[parts[0]]

    return step


def _filtered(text: str) -> Step:
    found = _FILTER.fullmatch(text)
    if found is None:
        raise PathError(f"invalid filter {text}")
    left, compare = JsonPath(found["left"] or ""), found["compare"]
    right = _literal(found["right"]) if compare else None

    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else ():
            seen = list(left.find(item))
            if seen and (not compare or _compares(seen[0], compare, right)):
                yield item

    return step


def _literal(text: str) -> Any:
    if text[0] in "'\"" and text[-1] == text[0]:
        return _plain(text[1:-1])
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise PathError(f"invalid value {text}") from None


def _compares(left: Any, compare: str, right: Any) -> bool:
    if compare in ("==", "!="):
        return bool((left == right) == (compare == "=="))
    comparable = isinstance(left, int | float) and isinstance(right, int | float)
    if not comparable and not (isinstance(left, str) and isinstance(right, str)):
        return False
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[compare])
