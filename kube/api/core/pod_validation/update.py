"""What may change in a pod that is there: images, a shorter deadline, more tolerations, fewer scheduling gates.

kubernetes pkg/apis/core/validation/validation.go (ValidatePodUpdate) · KEP-3521 and KEP-3838 (pods with scheduling gates)
"""

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

import orjson

from kube.api import quantity
from kube.api.core.label_keys import REQUIRED
from kube.api.core.pod_validation.annotations import changed_annotation_errors
from kube.api.meta import Tree
from kube.api.status import FieldError, forbidden, invalid
from kube.api.types import Pod
from kube.api.views import tree_of

IMMUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
LONGEST_DEADLINE = 2**31 - 1


def update_errors(new: Pod, old: Pod) -> Iterator[FieldError]:
    yield from changed_annotation_errors(new.metadata.annotations, old.metadata.annotations, "metadata.annotations")
    for field in ("containers", "initContainers"):
        if len(getattr(new.spec, field) or ()) != len(getattr(old.spec, field) or ()):
            yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    deadlines = list(_deadline(new, old))
    yield from deadlines
    if deadlines and new.spec.activeDeadlineSeconds is not None:
        return
    before = [_lasting(one) for one in old.spec.tolerations or ()]
    after = [_lasting(one) for one in new.spec.tolerations or ()]
    if any(one not in after for one in before):
        yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
    yield from _gates(new, old)
    wanted, kept = _fixed(new, old), _fixed(old, old)
    if old.spec.schedulingGates:
        yield from _gated(wanted, kept)
    if wanted != kept:
        yield forbidden("spec", f"{IMMUTABLE}\n{difference(kept, wanted)}")


def difference(old: Any, new: Any) -> str:
    """Two trees as a unified diff of their JSON."""
    lines = unified_diff(_printed(old).splitlines(), _printed(new).splitlines(), lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("--- ", "+++ "))) + "\n"


def _printed(tree: Any) -> str:
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS, default=str).decode().replace("  ", " ")


def _deadline(new: Pod, old: Pod) -> Iterator[FieldError]:
    now, before, path = new.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds, "spec.activeDeadlineSeconds"
    if now is None:
        if before is not None:
            yield invalid(path, None, "must not update from a positive integer to nil value")
    elif not 0 <= now <= LONGEST_DEADLINE:
        yield invalid(path, now, f"must be between 0 and {LONGEST_DEADLINE}, inclusive")
    elif before is not None and before < now:
        yield invalid(path, now, "must be less than or equal to previous value")


def _lasting(toleration: Any) -> Tree:
    return {name: value for name, value in tree_of(toleration).items() if name != "tolerationSeconds"}


def _gates(new: Pod, old: Pod) -> Iterator[FieldError]:
    known = {gate.name for gate in old.spec.schedulingGates or ()}
    for index, gate in enumerate(new.spec.schedulingGates or ()):
        if gate.name not in known:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.name}'"
            yield forbidden(f"spec.schedulingGates[{index}].name", text)


def _fixed(pod: Pod, old: Pod) -> Tree:
    """The spec without what may change."""
    spec: Tree = tree_of(pod.spec)
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        spec.pop(field, None)
    seconds = old.spec.terminationGracePeriodSeconds
    if seconds is not None and seconds < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        spec["terminationGracePeriodSeconds"] = seconds
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            container.pop("image", None)
            for amounts in (container.get("resources") or {}).values():
                if isinstance(amounts, dict):  # "1" and "1000m" are the same
                    amounts.update({name: quantity.canonical(one) for name, one in amounts.items()})
    return _without_empty(spec)


def _without_empty(tree: Tree) -> Tree:
    """Absent, empty and null are one thing, but for what is meant by being there at all (`emptyDir: {}`)."""
    for name in [name for name, value in tree.items() if value in (None, [], {}, "")]:
        del tree[name]
    return tree


def _gated(wanted: Tree, kept: Tree) -> Iterator[FieldError]:
    """While a pod waits at its gates, its choice of nodes may become narrower. What may change is taken over into `wanted`."""
    selector, before = wanted.pop("nodeSelector", None) or {}, kept.pop("nodeSelector", None) or {}
    if any(selector.get(key) != value for key, value in before.items()):
        text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield invalid("spec.nodeSelector", selector, text)
    affinity, was = wanted.get("affinity") or {}, kept.get("affinity") or {}
    now, old = affinity.pop("nodeAffinity", None), was.pop("nodeAffinity", None)
    if now != old:
        yield from _narrowed(now or {}, old or {})
    for tree in (wanted, kept):
        if not tree.get("affinity"):
            tree.pop("affinity", None)


def _narrowed(new: Tree, old: Tree) -> Iterator[FieldError]:
    path = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
    before, after = ((one.get(REQUIRED) or {}).get("nodeSelectorTerms") or [] for one in (old, new))
    if before and len(before) != len(after):
        yield invalid(path, after, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")
        return
    for index, term in enumerate(before):
        if not _only_added(after[index], term):
            yield invalid(f"{path}[{index}]", after[index], "only additions are allowed (no mutations or deletions)")


def _only_added(new: Tree, old: Tree) -> bool:
    if not any(old.values()) and any(new.values()):
        return False
    return all((new.get(field) or [])[: len(given or ())] == (given or []) for field, given in old.items())
