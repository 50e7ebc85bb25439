"""JSON merge patch: an object's fields override, null removes, everything else replaces (RFC 7386).

https://datatracker.ietf.org/doc/html/rfc7386 · apimachinery pkg/util/jsonmergepatch
"""

from typing import Any

from kube.api.meta import Tree


def apply(tree: Any, patch: Any) -> Any:
    """The patched tree."""
    if not isinstance(patch, dict):
        return patch
    result = dict(tree) if isinstance(tree, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply(result.get(name), value)
    return result


def diff(old: Tree, new: Tree) -> Tree:
    """The smallest patch that makes `new` of `old`. Null values in `new` cannot be told from absence."""
    patch: Tree = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old:
            patch[name] = value
        elif isinstance(value, dict) and isinstance(old[name], dict):
            inner = diff(old[name], value)
            if inner:
                patch[name] = inner
        elif value != old[name] or isinstance(value, bool) != isinstance(old[name], bool):
            patch[name] = value
    return patch


def three_way(original: Tree, modified: Tree, current: Tree) -> Tree:
    """`kubectl apply` for kinds without a schema: make `modified` true in `current`, and remove what `original` alone had."""
    patch: Tree = {name: None for name in original if name not in modified and name in current}
    for name, value in modified.items():
        have = current.get(name)
        if isinstance(value, dict) and isinstance(have, dict):
            before = original.get(name)
            inner = three_way(before if isinstance(before, dict) else {}, value, have)
            if inner:
                patch[name] = inner
        elif name not in current or value != have or isinstance(value, bool) != isinstance(have, bool):
            patch[name] = value
    return {name: value for name, value in patch.items() if value is not None or name in current}
