"""Deletion: what a DELETE does to an object — remove it now, mark it and wait, or nothing, since it waits already. Pure.

    asked ──► grace > 0, or something holds it ──► Mark: deletionTimestamp, grace period, finalizers for the propagation policy
         └──► else ─────────────────────────────► Remove
    asked again while it waits ──► the grace period may only become shorter; with nothing to change: Wait

apiserver pkg/registry/rest/delete.go, pkg/registry/generic/registry/store.go (Delete) · KEP-2200's finalizers
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import conflict
from kube.api.views import timestamp

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"


@dataclass(frozen=True)
class Remove:
    """The object goes now."""


@dataclass(frozen=True)
class Mark:
    """The object is stored again as `tree`, and waits."""

    tree: Tree


@dataclass(frozen=True)
class Wait:
    """The object waits already, and this request changes nothing."""


Decision = Remove | Mark | Wait


def decide(resource: Resource, tree: Tree, options: Tree, now: datetime) -> Decision:
    """What DeleteOptions do to the object `tree`, which may be changed."""
    metadata = tree["metadata"]
    before = list(metadata.get("finalizers") or ())
    finalizers = propagation_finalizers(before, options, resource.deletes_dependents)
    asked = options.get("gracePeriodSeconds")
    if asked is not None and asked < 0:
        asked = 1  # upstream: negative values are treated as one second
    if metadata.get("deletionTimestamp"):
        return _again(resource, tree, asked, finalizers)
    grace = resource.grace_seconds(tree, asked)  # type: ignore[arg-type]  # kube.api is read without strict optionals
    metadata["finalizers"] = finalizers
    if not finalizers:
        del metadata["finalizers"]
    if grace <= 0 and not finalizers and not resource.held(tree):
        return Remove()
    _mark(resource, tree, now + timedelta(seconds=grace), grace)
    return Mark(tree)


def may_go(resource: Resource, tree: Tree) -> bool:
    """Whether an object that waits for its deletion has nothing left to wait for: its last holder let go."""
    metadata = tree["metadata"]
    waiting = bool(metadata.get("deletionTimestamp"))
    return waiting and not metadata.get("deletionGracePeriodSeconds") and not metadata.get("finalizers") and not resource.held(tree)


def propagation_finalizers(finalizers: list[str], options: Tree, usual: str = "Background") -> list[str]:
    """The finalizers after the propagation policy is heard: an explicit one overrides what the object carries, and that the kind's
    `usual` one (Resource.deletes_dependents)."""
    orphans, policy = options.get("orphanDependents"), options.get("propagationPolicy")
    orphan, foreground = ORPHAN in finalizers, FOREGROUND in finalizers
    if not usual:
        orphan, foreground = False, False
    elif orphans is not None:
        orphan, foreground = bool(orphans), False
    elif policy:
        orphan, foreground = policy == "Orphan", policy == "Foreground"
    elif not (orphan or foreground):
        orphan = usual == "Orphan"
    wanted = [name for name, set_ in ((ORPHAN, orphan), (FOREGROUND, foreground)) if set_]
    if {ORPHAN, FOREGROUND} & set(finalizers) == set(wanted):
        return finalizers
    return [name for name in finalizers if name not in (ORPHAN, FOREGROUND)] + wanted


def check_preconditions(resource: Resource, tree: Tree, options: Tree) -> None:
    """Raises Conflict, which here names the kind, where the object is not the one that the client means."""
    metadata, wanted = tree["metadata"], options.get("preconditions") or {}
    for what, title, perhaps in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        actual = metadata.get(what, "")
        if wanted.get(what) and wanted[what] != actual:
            why = f"the {title} in the precondition ({wanted[what]}) does not match the {title} in record ({actual})"
            raise conflict(resource.kind, resource.group, metadata["name"], f"{why}. The object might have been {perhaps}")


def _again(resource: Resource, tree: Tree, asked: int | None, finalizers: list[str]) -> Decision:
    metadata = tree["metadata"]
    current = metadata.get("deletionGracePeriodSeconds")
    changed = finalizers != list(metadata.get("finalizers") or ())
    metadata["finalizers"] = finalizers
    if not finalizers:
        del metadata["finalizers"]
    shorter = asked is not None and current is not None and asked < current
    if shorter and asked is not None:
        ends = datetime.fromisoformat(metadata["deletionTimestamp"]) + timedelta(seconds=asked - current)
        metadata["deletionTimestamp"] = timestamp(ends)
        metadata["deletionGracePeriodSeconds"] = asked
    if may_go(resource, tree):
        return Remove()
    return Mark(tree) if shorter or changed else Wait()


def _mark(resource: Resource, tree: Tree, when: datetime, grace: int) -> None:
    metadata = tree["metadata"]
    metadata["deletionTimestamp"] = timestamp(when)
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation"):
        metadata["generation"] += 1  # its controller must look again
    resource.mark_deleted(tree)


Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)
