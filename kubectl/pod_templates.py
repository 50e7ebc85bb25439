"""Pod templates: how `set` finds the pod spec in an object of any kind, changes it, and sends what is other than before.

kubernetes/kubectl pkg/polymorphichelpers/updatepodspec.go, pkg/cmd/set
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

from kube.api.meta import Tree
from kube.api.patch import merge, strategic
from kube.api.status import ApiError
from kubectl.changes import CHANGE_CAUSE, Changes
from kubectl.errors import CommandError
from kubectl.selection import REQUIRED, Item, Query
from kubectl.session import Session

STRATEGIC, MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"
Change = Callable[[Item, Tree], None]  # changes a copy of the object in place


@dataclass(frozen=True)
class Setting:
    """One `set` of any kind. `verb`: what is said of an object that changed; `failed`: before the server's words if it refuses."""

    session: Session
    query: Query
    changes: Changes
    verb: str
    failed: str = ""
    record: bool = False
    always: bool = False  # whether also an object that is as it should be is sent, and spoken of

    def run(self, change: Change) -> None:
        """Change each object and send the difference; nothing is said of those that are as they should be."""
        if not (self.query.args or self.query.by_file):
            raise CommandError(REQUIRED)
        self.session.each(self.session.items(self.query), lambda item: self._one(item, change))

    def _one(self, item: Item, change: Change) -> None:
        tree = deepcopy(item.tree)
        change(item, tree)
        if tree == item.tree and not self.always:
            return None
        if self.record:
            tree["metadata"].setdefault("annotations", {})[CHANGE_CAUSE] = self.session.spoken
        if self.changes.mode == "client":
            return self.changes.said(item, with_zeros(tree) if self.query.local else tree, self.verb)
        built_in = item.resource.group != "" or item.resource.version == "v1"
        patch = strategic.diff(item.tree, tree, item.resource) if built_in else merge.diff(item.tree, tree)
        try:
            return self.changes.said(item, self.changes.patch(item, patch, STRATEGIC if built_in else MERGE), self.verb)
        except ApiError as error:
            raise CommandError(f"{self.failed} {error.message}") if self.failed else error from error


def pod_spec(item: Item, tree: Tree) -> Tree:
    """The pod spec within an object. Raises CommandError where there is none."""
    found = _pod_spec(tree)
    if found is None:
        row = item.resource
        raise CommandError(
            f"{row.plural}/{item.key.name} the object is not a pod or does not have a pod template: *{row.version}.{row.kind}"
        )
    return found


def _pod_spec(tree: Tree) -> Tree | None:
    paths: tuple[tuple[str, ...], ...] = (("spec", "jobTemplate", "spec", "template", "spec"), ("spec", "template", "spec"))
    for path in (("spec",),) if tree["kind"] == "Pod" else paths:
        found: Tree | None = tree
        for name in path:
            found = (found or {}).get(name)
        if found is not None:
            return found
    return None


def with_zeros(tree: Tree) -> Tree:
    """An object from a file as upstream's types print it: some fields are there though nobody gave them."""
    tree = deepcopy(tree)
    if tree["kind"] == "Deployment":
        tree["spec"].setdefault("strategy", {})
    if tree["kind"] in ("StatefulSet", "DaemonSet"):
        tree["spec"].setdefault("updateStrategy", {})
    if tree["kind"] in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ReplicationController"):
        spec = _pod_spec(tree) or {}
        for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
            container.setdefault("resources", {})
        tree.setdefault("status", {})
    if tree["kind"] == "Service":
        tree.setdefault("status", {"loadBalancer": {}})
    return tree


def divided(args: list[str]) -> tuple[list[str], list[str]]:
    """Resources, then NAME=VALUE, NAME- or - words."""
    changes = [arg for arg in args if "=" in arg or arg.endswith("-")]
    return [arg for arg in args if arg not in changes], changes


def unsent(changes: Changes, local: bool) -> Changes:
    """--local: as a dry run, but nothing is said of that."""
    return replace(changes, mode="client", quiet=True) if local else changes
