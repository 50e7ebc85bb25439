"""Size limits as warnings: files over 400 lines, functions over 50. `python -m deploy.sizes` lists them and always exits 0.

A long file is a place to look, not an error: some tables are long for a reason, which their docstring gives.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 50
ROOMS = (
    "kube", "apiserver", "scheduler", "controller_manager", "kubelet", "kube_proxy", "kubectl", "addons", "deploy", "tests",
)  # fmt: skip


def warnings(path: Path) -> Iterator[str]:
    text = path.read_text()
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines (limit {FILE_LINES})"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines (limit {FUNCTION_LINES})"


def main() -> None:
    for room in ROOMS:
        for path in sorted(Path(room).rglob("*.py")):
            for warning in warnings(path):
                print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    main()
