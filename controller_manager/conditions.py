"""Conditions: a status's list of observations, each with a type of its own. Pure; conditions here are trees.

`lastTransitionTime` moves only when the status of a condition does.
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kube.api.meta import Tree
from kube.api.views import timestamp, tree_of

Conditions = list[Tree]


def trees(conditions: Iterable[Any] | None) -> Conditions:
    """The conditions of a view."""
    return [tree_of(one) for one in conditions or ()]


def find(conditions: Conditions, type: str) -> Tree | None:
    return next((one for one in conditions if one["type"] == type), None)


def holds(conditions: Conditions, type: str) -> bool:
    found = find(conditions, type)
    return found is not None and found["status"] == "True"


def condition(type: str, status: str, reason: str, message: str, now: datetime) -> Tree:
    return {"type": type, "status": status, "lastTransitionTime": timestamp(now), "reason": reason, "message": message}


def with_condition(conditions: Conditions, new: Tree) -> Conditions:
    """With `new`, unless one of its type says the same already (status and reason)."""
    current = find(conditions, new["type"])
    if current is not None and current["status"] == new["status"] and current.get("reason") == new.get("reason"):
        return conditions
    if current is not None and current["status"] == new["status"]:
        new = {**new, "lastTransitionTime": current.get("lastTransitionTime", new["lastTransitionTime"])}
    return [*without(conditions, new["type"]), new]


def without(conditions: Conditions, type: str) -> Conditions:
    return [one for one in conditions if one["type"] != type]
