"""Defaults: filling in what a client left out.

Where Go has a plain value and no pointer, empty text and zero are left out, too: `protocol: ""` becomes TCP, `periodSeconds: 0`
becomes 10. Where it has a pointer, they are values: there `tree.setdefault` is right.
"""

from typing import Any

from kube.api.meta import Tree


def fill(tree: Tree, **values: Any) -> None:
    """Set each field that is absent, empty or zero."""
    for name, value in values.items():
        if not tree.get(name):
            tree[name] = value
