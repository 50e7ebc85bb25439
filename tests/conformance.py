"""Which test shows which behaviour of the official conformance suite: read from the tests' docstrings into docs/compat.md.

A test that covers a behaviour names it, on a line of its docstring:

    Conformance: [sig-api-machinery] Watchers should observe ... [Conformance]

`python -m tests.conformance` writes the table anew; a unit test holds the page against the docstrings.
https://github.com/kubernetes/kubernetes/blob/master/test/conformance/testdata/conformance.yaml
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "compat.md"
BEGIN, END = "<!-- conformance: begin, written by python -m tests.conformance -->", "<!-- conformance: end -->"
LINE = re.compile(r"^\W*Conformance: (\[sig-[\w-]+\] .*\[Conformance\])\s*$", re.MULTILINE)


def shown() -> dict[str, list[str]]:
    """Behaviour -> the tests that show it, as `file::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, docstring in _docstrings(ast.parse(path.read_text())):
            for behaviour in LINE.findall(docstring):
                found.setdefault(behaviour, []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def table() -> str:
    """The rows of the page, by special interest group and name."""
    rows = [f"| {behaviour.removesuffix(' [Conformance]')} | {_cell(tests)} |" for behaviour, tests in sorted(shown().items())]
    return "\n".join(["| behaviour | shown by |", "| --- | --- |", *rows])


def page(text: str) -> str:
    """The page with its table written anew."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _cell(tests: list[str]) -> str:
    return ", ".join(f"`{test.removeprefix('tests/')}`" for test in tests)


def _docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, ast.get_docstring(node) or ""


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
