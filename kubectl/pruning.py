"""Pruning: delete what was applied once and is in the files no more (`kubectl apply --prune`).

Only objects that carry apply's annotation are taken, of the kinds of an allowlist, in the namespaces that the files are about.
https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-to-delete-objects
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import NotFound
from kubectl.changes import LAST_APPLIED
from kubectl.deleting import Ending, wait_gone
from kubectl.discovery import Discovery
from kubectl.errors import CommandError
from kubectl.selection import Item, Query, listed
from kubectl.session import Session, suffix, warn

ALLOWED = (
    "core/v1/ConfigMap", "core/v1/Endpoints", "core/v1/PersistentVolumeClaim", "core/v1/Pod", "core/v1/ReplicationController",
    "core/v1/Secret", "core/v1/Service", "batch/v1/Job", "batch/v1/CronJob", "networking.k8s.io/v1/Ingress", "apps/v1/DaemonSet",
    "apps/v1/Deployment", "apps/v1/ReplicaSet", "apps/v1/StatefulSet",
)  # fmt: skip
ALLOWED_OF_CLUSTER = ("core/v1/Namespace", "core/v1/PersistentVolume")
OF_CLUSTER_TOO = (
    "Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a "
    "future release. To preserve the current behaviour, list the resources you want to target explicitly in the "
    "--prune-allowlist flag."
)


@dataclass(frozen=True)
class Pruner:
    session: Session
    selector: str
    mode: str  # --dry-run
    ending: Ending
    allowlist: Sequence[str] = ()

    def prune(self, applied: Iterable[Item]) -> None:
        """After all of the files was applied. Raises CommandError."""
        gone = []
        for item in self.stale(applied):
            self._delete(item)
            gone.append(item)
        deadline = time.monotonic() + self.ending.seconds
        for item in gone if self.ending.wait and self.mode == "none" else ():
            wait_gone(self.session, item, item.tree["metadata"].get("uid", ""), deadline)

    def stale(self, applied: Iterable[Item]) -> Iterator[Item]:
        """What was applied once, and is not among what was applied now."""
        kept = {(item.resource.group, item.resource.kind, item.key) for item in applied}
        namespaces = sorted({key.namespace for _, _, key in kept if key.namespace})
        for item in self._candidates(namespaces):
            if (item.resource.group, item.resource.kind, item.key) not in kept and was_applied(item.tree):
                yield item

    def _candidates(self, namespaces: Sequence[str]) -> Iterator[Item]:
        if not self.allowlist:
            warn(OF_CLUSTER_TOO, "prune.go:71")
        allowed = self.allowlist or (*ALLOWED, *ALLOWED_OF_CLUSTER)
        for resource in [found for text in allowed if (found := _resource(self.session.discovery, text)) is not None]:
            for namespace in namespaces if resource.namespaced else [""]:
                query = Query(selector=self.selector)
                for tree in listed(self.session, resource, query, namespace=namespace):
                    yield Item(resource, Key(namespace, tree["metadata"]["name"]), tree)

    def _delete(self, item: Item) -> None:
        if self.mode != "client":
            try:
                self.session.server.request("DELETE", item.path, body=self.ending.options(self.mode))
            except NotFound:
                return  # gone already, with its owner perhaps
        self.session.say(f"{item} pruned{suffix(self.mode)}")


def checked(selector: str, every: bool, allowlist: Sequence[str]) -> None:
    """Raises CommandError for flags that would delete what nobody meant."""
    if every and selector:
        raise CommandError("cannot set --all and --selector at the same time")
    if not (every or selector):
        raise CommandError(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If "
            "you did not mean to prune all resources, specify a label selector"
        )
    for text in allowlist:
        if text.count("/") != 2:
            raise CommandError(f"invalid GroupVersionKind format: {text}, please follow <group/version/kind>")


def was_applied(tree: Tree) -> bool:
    return LAST_APPLIED in (tree["metadata"].get("annotations") or {})


def _resource(discovery: Discovery, text: str) -> Resource | None:
    group, version, kind = text.split("/")
    return discovery.kind(version if group == "core" else f"{group}/{version}", kind)
