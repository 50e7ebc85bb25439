"""Custom columns: `-o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image`.

https://kubernetes.io/docs/reference/kubectl/#custom-columns
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from kubectl.errors import CommandError
from kubectl.printers import gotext
from kubectl.printers.jsonpath import JsonPathError, find


class Column(NamedTuple):
    header: str
    path: str


def parse(spec: str) -> list[Column]:
    """Raises CommandError with upstream's words."""
    if not spec:
        raise CommandError("custom-columns format specified but no custom columns given")
    columns = []
    for part in spec.split(","):
        header, colon, path = part.partition(":")
        if not colon:
            raise CommandError(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        columns.append(Column(header, path))
    return columns


def parse_file(text: str) -> list[Column]:
    """custom-columns-file: a line of headers, a line of paths."""
    lines = text.splitlines()
    if len(lines) < 2:
        missing = "spec" if lines else "header"
        raise CommandError(
            f"invalid template, missing {missing} line. Expected format is one line of "
            "space separated headers, one line of space separated column specs."
        )
    headers, paths = lines[0].split(), lines[1].split()
    if len(headers) != len(paths):
        raise CommandError(f"number of headers ({len(headers)}) and field specifications ({len(paths)}) don't match")
    return [Column(header, path) for header, path in zip(headers, paths, strict=True)]


def row(columns: Sequence[Column], tree: Any) -> list[str]:
    """One object's cells; what is not there is `<none>`."""
    return [_cell(column, tree) for column in columns]


def _cell(column: Column, tree: Any) -> str:
    try:
        values = find(column.path, tree)
    except JsonPathError as error:
        raise CommandError(f"expected path in custom columns: {error}") from error
    return ",".join("<none>" if value is None else gotext.text(value) for value in values) or "<none>"
