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
    have: Tree = tree_of(old) or {}
    changed = {field: value for field, value in new.items() if have.get(field) != value}
    gone = {field: None for field in have if field not in new}
    return changed | gone
