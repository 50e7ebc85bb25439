"""Status patch: what must be sent so that an object's status becomes another one; nothing, where it is that already. Pure.

Fields that upstream leaves out when they are zero or empty are left out here, too.
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#spec-and-status
"""

from collections.abc import Iterable
from typing import Any

from kube.api.meta import Tree
from kube.api.views import tree_of


def without_empty(status: Tree, always: Iterable[str] = ()) -> Tree:
    """Without zeros, empty lists and None; the fields of `always` have no omitempty."""
    kept = set(always)
    return {field: value for field, value in status.items() if value or field in kept}


def status_patch(old: Any, new: Tree) -> Tree:
    """A merge patch from a view's status to the new one; empty where they are equal."""
    return _difference(tree_of(old) or {}, new)


def _difference(have: Tree, wanted: Tree) -> Tree:
    """An object within is patched field by field, for a merge patch leaves alone what it does not name."""
    patch: Tree = {field: None for field in have if field not in wanted}
    for field, value in wanted.items():
        before = have.get(field)
        if before == value:
            continue
        patch[field] = _difference(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return patch
