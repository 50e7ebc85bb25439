"""describe of any kind without a describer of its own: all of its fields, their names in words.

kubernetes/kubectl pkg/describe/describe.go genericDescriber
"""

import re
from typing import Any

from kube.api.meta import Tree
from kubectl.describe.around import Around
from kubectl.describe.words import annotations, events, labels
from kubectl.printers.gotext import text as go_text

SKIPPED = {"metadata": {"managedFields", "name", "namespace", "labels", "annotations"}}
ACRONYMS = ("API", "URL", "UID", "OSB", "GUID")
PARTS = re.compile(r"URLs|[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+")


def describe(tree: Tree, around: Around) -> str:
    metadata = tree["metadata"]
    text = f"Name:\t{metadata['name']}\nNamespace:\t{metadata.get('namespace', '')}\n"
    text += labels("Labels", metadata.get("labels")) + annotations(metadata.get("annotations"))
    return text + _fields(tree, 0, "") + events(around.events, around.now)


def _fields(tree: Tree, level: int, path: str) -> str:
    space = "  " * level
    text = ""
    shown = {words(name): name for name in tree if name not in SKIPPED.get(path, ())}
    for title in sorted(shown):
        value = tree[shown[title]]
        inner = shown[title] if not path else f"{path}.{shown[title]}"
        if isinstance(value, dict):
            text += f"{space}{title}:\n{_fields(value, level + 1, inner)}"
        elif isinstance(value, list):
            text += f"{space}{title}:\n{_items(value, level + 1, inner)}"
        else:
            text += f"{space}{title}:\t{go_text(value)}\n"
    return text


def _items(found: list[Any], level: int, path: str) -> str:
    text = ""
    for value in found:
        if isinstance(value, dict):
            text += _fields(value, level, path)
        elif isinstance(value, list):
            text += _items(value, level, path)
        else:
            text += f"{'  ' * level}{go_text(value)}\n"
    return text


def words(name: str) -> str:
    """`creationTimestamp` → `Creation Timestamp`, `podIP` → `Pod IP`, `podIPs` → `Pod I Ps` (smartLabelFor)."""
    if re.search(r"[^A-Za-z0-9]", name):
        return name
    return " ".join(part if part == "URLs" else _titled(part) for part in PARTS.findall(name))


def _titled(part: str) -> str:
    return part.upper() if part.upper() in ACRONYMS else part[0].upper() + part[1:]
