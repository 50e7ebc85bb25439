"""Plugins: an executable `kubectl-<words>` on PATH answers for a command that kubectl itself does not have.

The longest name wins: `kubectl foo bar` looks for kubectl-foo-bar, then kubectl-foo; dashes within a word become underscores.
https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
"""

import os
import shutil
from collections.abc import Iterable, Sequence

NEAR = 2  # edits that still suggest a command


def try_plugin(words: Sequence[str]) -> None:
    """Become the plugin (the process is replaced), or return where there is none."""
    named: list[str] = []
    for word in words:
        if word.startswith("-"):
            break
        named.append(word.replace("-", "_"))
    for count in range(len(named), 0, -1):
        path = shutil.which("kubectl-" + "-".join(named[:count]))
        if path is not None:
            os.execv(path, [path, *words[count:]])


def suggestions(name: str, known: Iterable[str]) -> list[str]:
    """Commands that may have been meant: few edits away, or begun alike."""
    return [one for one in known if _distance(name.lower(), one) <= NEAR or one.startswith(name.lower())]


def _distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row = row, [i]
        for j, right in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (left != right)))
    return row[-1]
