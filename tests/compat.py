"""The tables of docs/compat.md that are made, not written: which kind has what, and which test shows which conformance behaviour.

A test that covers a behaviour of the official suite names it, on a line of its docstring:

    Conformance: [sig-api-machinery] Watchers should observe ... [Conformance]

`python -m tests.compat` writes the tables anew; a unit test holds the page against the table of kinds and the docstrings.
https://github.com/kubernetes/kubernetes/blob/master/test/conformance/testdata/conformance.yaml
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from kube.api.resource import VERBS, Resource
from kube.api.resources import RESOURCES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "compat.md"
LINE = re.compile(r"^\W*Conformance: (\[sig-[\w-]+\] .*\[Conformance\])\s*$", re.MULTILINE)
PLAIN = Resource(group="", version="", kind="", plural="")  # a row without hooks of its own
OF_STATUS = ("status", "scale")


def page(text: str) -> str:
    """The page with its tables written anew, each between its marks."""
    for name, table in (("kinds", kinds()), ("conformance", behaviours())):
        begin, end = f"<!-- {name}: begin, written by python -m tests.compat -->", f"<!-- {name}: end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"
    return text


def kinds() -> str:
    """A row a kind and version: its verbs, its subresources, and which of the hooks are its own."""
    heads = ("kind", "version", "verbs", *OF_STATUS, "other subresources", "defaults", "rules", "warnings", "columns", "selectors")
    return "\n".join(["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|", *(_kind(row) for row in RESOURCES)])


def _kind(row: Resource) -> str:
    missing = [verb for verb in VERBS if verb not in row.verbs]
    verbs = "all" if not missing else f"all but {', '.join(missing)}" if len(missing) < len(row.verbs) else ", ".join(row.verbs)
    own = (
        row.set_defaults is not PLAIN.set_defaults,
        row.validate is not PLAIN.validate,
        row.warnings is not PLAIN.warnings or bool(row.deprecation),
        row.columns is not None,
    )
    cells = (
        row.kind, row.api_version, verbs, *(_mark(name in row.subresources) for name in OF_STATUS),
        ", ".join(name for name in row.subresources if name not in OF_STATUS), *map(_mark, own),
        ", ".join(f"`{path}`" for path in sorted(row.field_selectors)),
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _mark(there: bool) -> str:
    return "yes" if there else ""


def shown() -> dict[str, list[str]]:
    """Behaviour -> the tests that show it, as `file::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, docstring in _docstrings(ast.parse(path.read_text())):
            for behaviour in LINE.findall(docstring):
                found.setdefault(behaviour, []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def behaviours() -> str:
    """A row a behaviour, by special interest group and name."""
    rows = [f"| {behaviour.removesuffix(' [Conformance]')} | {_cell(tests)} |" for behaviour, tests in sorted(shown().items())]
    return "\n".join(["| behaviour | shown by |", "| --- | --- |", *rows])


def _cell(tests: list[str]) -> str:
    return ", ".join(f"`{test.removeprefix('tests/')}`" for test in tests)


def _docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, ast.get_docstring(node) or ""


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
