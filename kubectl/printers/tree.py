"""Whole objects: JSON and names, byte for byte as upstream writes them (YAML: kube/api/go_yaml.py).

Objects that kubectl made itself print as JSON in the order of their fields; those that came from a file or the server, by name.
"""

import json
from typing import Any

from kube.api.meta import Tree
from kubectl.printers.jsonpath import escape_html


def as_json(tree: Any, *, sort_keys: bool = True) -> str:
    return escape_html(json.dumps(tree, indent=4, ensure_ascii=False, sort_keys=sort_keys)) + "\n"


def name_of(tree: Tree) -> str:
    """`pod/x`, `deployment.apps/x`."""
    group = tree.get("apiVersion", "").rpartition("/")[0]
    kind = tree.get("kind", "").lower()
    return f"{kind}{'.' if group else ''}{group}/{tree.get('metadata', {}).get('name') or '<unknown>'}"


def without_managed_fields(tree: Tree) -> Tree:
    """The object without metadata.managedFields, also within a List."""
    if isinstance(tree.get("items"), list):
        return {**tree, "items": [without_managed_fields(item) for item in tree["items"]]}
    if "managedFields" not in (tree.get("metadata") or {}):
        return tree
    return {**tree, "metadata": {name: value for name, value in tree["metadata"].items() if name != "managedFields"}}
