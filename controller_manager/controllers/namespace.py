"""Namespace controller: empties a namespace that is being deleted, then lets it go.

Pods go first, since they may need what else is there (KEP-5080, OrderedNamespaceDeletion). What is still there afterwards, and
what holds it, stands in the namespace's conditions.
https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ · pkg/controller/namespace/deletion
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controller_manager.conditions import Conditions, condition, trees, with_condition
from controller_manager.controller import Controller, Watch
from controller_manager.status_patch import status_patch
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.status import ApiError, MethodNotAllowed, NotFound
from kube.api.types import Namespace, Pod
from kube.client.discovery import Discovered, discover
from kube.client.rest import Unreachable

FINALIZER = "kubernetes"
LOOK_AGAIN_SECONDS = 8.0  # upstream: half of 15 s, the time that a finalizer is thought to take, and one more
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
PODS = ("", "pods")


@dataclass
class Remains:
    """What a turn of deleting left behind."""

    counts: Counter[str] = field(default_factory=Counter)  # objects by resource
    finalizers: Counter[str] = field(default_factory=Counter)  # objects by finalizer
    discovery_failure: str = ""
    failures: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        return not self.counts and not self.failures and not self.discovery_failure


class NamespaceController(Controller[Key]):
    name = "namespace-controller"
    reconciles = Namespace
    reads = (Pod,)

    @property
    def workers(self) -> int:
        return self.config.concurrent_namespace_syncs

    def extra(self) -> tuple[Watch, ...]:
        """A pod that goes may be the last thing that a namespace waits for."""
        return (Watch(Pod, self._waiting_for),)

    async def reconcile(self, key: Key) -> float | None:
        namespace = self.cache(Namespace).get(key)
        if namespace is None or namespace.metadata.deletionTimestamp is None:
            return None
        if FINALIZER not in (namespace.spec.finalizers or ()):
            return None
        remains = await self._empty(key.name)
        conditions = told(trees(namespace.status.conditions), remains, self.clock.now())
        patch = status_patch(namespace.status, {"phase": "Terminating", "conditions": conditions})
        await self.write_status(namespace, patch)
        if not remains.nothing:
            return LOOK_AGAIN_SECONDS
        left = [one for one in namespace.spec.finalizers if one != FINALIZER]
        await self._finalize(namespace, left)
        return None

    async def _empty(self, namespace: str) -> Remains:
        """Delete what can be deleted, the pods before the rest."""
        remains = Remains()
        try:
            found = await discover(self.client)
        except (ApiError, Unreachable) as error:
            remains.discovery_failure = str(error)
            return remains
        remains.discovery_failure = discovery_failure(found)
        for row in first_pods(deletable(found.resources)):
            await self._delete_all(row, namespace, remains)
            if (row.group, row.plural) == PODS and remains.counts:
                break  # the rest waits for them
        return remains

    async def _delete_all(self, row: Resource, namespace: str, remains: Remains) -> None:
        """One resource; what is there afterwards is counted."""
        try:
            left = await self._items(row, namespace)
            if not left:
                return
            await self._delete(row, namespace, left)
            left = await self._items(row, namespace)
        except (NotFound, MethodNotAllowed):
            return  # the resource is no more
        except (ApiError, Unreachable) as error:
            remains.failures.append(f"failed to delete all {row.qualified}: {error}")
            return
        if left:
            remains.counts[f"{row.plural}.{row.group}"] += len(left)
        for one in left:
            remains.finalizers.update(one["metadata"].get("finalizers") or ())

    async def _delete(self, row: Resource, namespace: str, items: Sequence[Tree]) -> None:
        if "deletecollection" in row.verbs:
            options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
            await self.client.request("DELETE", row.path(namespace), body=options)
            return
        for one in items:
            try:
                await self.client.delete(row, Key(namespace, one["metadata"]["name"]), propagation="Background")
            except NotFound:
                continue

    async def _items(self, row: Resource, namespace: str) -> list[Tree]:
        return list((await self.client.list_tree(row, namespace, accept=METADATA)).get("items") or ())

    async def _finalize(self, namespace: Namespace, left: list[str]) -> None:
        """The finalize subresource takes the last word of spec.finalizers, and the object with it."""
        name = namespace.metadata.name
        try:
            tree = await self.client.get_tree(Namespace, "", name)
            tree["spec"] = {**(tree.get("spec") or {}), "finalizers": left}
            await self.client.update(Namespace, tree, subresource="finalize")
        except NotFound:
            return

    def _waiting_for(self, pod: Pod) -> list[Key]:
        key = Key("", pod.metadata.namespace)
        namespace = self.cache(Namespace).get(key)
        return [key] if namespace is not None and namespace.metadata.deletionTimestamp is not None else []


def discovery_failure(found: Discovered) -> str:
    """What may be there unseen: upstream deletes all that it knows of, and keeps the namespace until it knows the rest."""
    return f"Discovery failed for some groups, {len(found.stale)} failing: {found.failure}" if found.stale else ""


def deletable(rows: Iterable[Resource]) -> list[Resource]:
    """Namespaced resources that can be listed and deleted, each in one version."""
    found: dict[tuple[str, str], Resource] = {}
    for row in rows:
        if row.namespaced and "delete" in row.verbs and "list" in row.verbs:
            found.setdefault((row.group, row.plural), row)
    return list(found.values())


def first_pods(rows: Iterable[Resource]) -> list[Resource]:
    return sorted(rows, key=lambda row: (row.group, row.plural) != PODS)


def told(conditions: Conditions, remains: Remains, now: datetime) -> Conditions:
    """The conditions for what remains; upstream's words."""
    failed = "; ".join(sorted(remains.failures))
    counts = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(remains.counts.items()))
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(remains.finalizers.items()))
    found = (
        (
            "NamespaceDeletionDiscoveryFailure",
            remains.discovery_failure,
            ("DiscoveryFailed", remains.discovery_failure),
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "",
            ("GroupVersionParsingFailed", ""),
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        (
            "NamespaceDeletionContentFailure",
            failed,
            ("ContentDeletionFailed", f"Failed to delete all resource types, {len(remains.failures)} remaining: {failed}"),
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        (
            "NamespaceContentRemaining",
            counts,
            ("SomeResourcesRemain", f"Some resources are remaining: {counts}"),
            ("ContentRemoved", "All content successfully removed"),
        ),
        (
            "NamespaceFinalizersRemaining",
            held,
            ("SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {held}"),
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    )
    for type, trouble, bad, good in found:
        reason, message = bad if trouble else good
        new = condition(type, "True" if trouble else "False", reason, message, now)
        current = next((one for one in conditions if one["type"] == type), None)
        if current is not None and current["status"] == new["status"] and current["message"] != message:
            conditions = [{**one, "message": message, "reason": reason} if one is current else one for one in conditions]
        else:
            conditions = with_condition(conditions, new)
    return conditions
