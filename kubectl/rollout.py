"""Roll-outs: how far one is, and its history. Pure: objects in, words out.

kubernetes/kubectl pkg/polymorphichelpers rollout_status.go, history.go, rollback.go
"""

from collections.abc import Iterable
from typing import NamedTuple

from kube.api.meta import Tree
from kubectl.changes import CHANGE_CAUSE
from kubectl.errors import CommandError

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"


class Progress(NamedTuple):
    text: str
    done: bool


def progress(tree: Tree, revision: int = 0) -> Progress:
    """How far the roll-out of a Deployment, DaemonSet or StatefulSet is. Raises CommandError where it cannot end."""
    if tree["kind"] == "Deployment":
        return _deployment(tree, revision)
    if tree["kind"] == "DaemonSet":
        return _daemon_set(tree)
    if tree["kind"] == "StatefulSet":
        return _stateful_set(tree)
    raise CommandError(f"no status viewer has been implemented for {tree['kind']}")


def _observed(tree: Tree) -> bool:
    return int(tree["metadata"].get("generation", 0)) <= int((tree.get("status") or {}).get("observedGeneration", 0))


def _deployment(tree: Tree, revision: int) -> Progress:
    name, status = tree["metadata"]["name"], tree.get("status") or {}
    if revision:
        running = int((tree["metadata"].get("annotations") or {}).get(REVISION, 0))
        if running != revision:
            raise CommandError(f"desired revision ({revision}) is different from the running revision ({running})")
    if not _observed(tree):
        return Progress("Waiting for deployment spec update to be observed...", False)
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    if conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded":
        raise CommandError(f'deployment "{name}" exceeded its progress deadline')
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    wanted, updated = tree["spec"].get("replicas", 1), status.get("updatedReplicas", 0)
    total, available = status.get("replicas", 0), status.get("availableReplicas", 0)
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new replicas have been updated...", False)
    if total > updated:
        return Progress(f"{waiting} {total - updated} old replicas are pending termination...", False)
    if available < updated:
        return Progress(f"{waiting} {available} of {updated} updated replicas are available...", False)
    return Progress(f'deployment "{name}" successfully rolled out', True)


def _daemon_set(tree: Tree) -> Progress:
    name, status = tree["metadata"]["name"], tree.get("status") or {}
    if (tree["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if not _observed(tree):
        return Progress("Waiting for daemon set spec update to be observed...", False)
    wanted, updated = status.get("desiredNumberScheduled", 0), status.get("updatedNumberScheduled", 0)
    available = status.get("numberAvailable", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new pods have been updated...", False)
    if available < wanted:
        return Progress(f"{waiting} {available} of {wanted} updated pods are available...", False)
    return Progress(f'daemon set "{name}" successfully rolled out', True)


def _stateful_set(tree: Tree) -> Progress:
    spec, status = tree["spec"], tree.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if not status.get("observedGeneration") or not _observed(tree):
        return Progress("Waiting for statefulset spec update to be observed...", False)
    wanted, ready, updated = spec.get("replicas", 1), status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    if ready < wanted:
        return Progress(f"Waiting for {wanted - ready} pods to be ready...", False)
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    if partition is not None:
        if updated < wanted - partition:
            out_of = f"{updated} out of {wanted - partition}"
            return Progress(f"Waiting for partitioned roll out to finish: {out_of} new pods have been updated...", False)
        return Progress(f"partitioned roll out complete: {updated} new pods have been updated...", True)
    revision = status.get("updateRevision", "")
    if revision != status.get("currentRevision"):
        return Progress(f"waiting for statefulset rolling update to complete {updated} pods at revision {revision}...", False)
    current = status.get("currentReplicas", 0)
    return Progress(f"statefulset rolling update complete {current} pods at revision {status.get('currentRevision')}...", True)


# --- history -------------------------------------------------------------------------------------------------------------


class Revision(NamedTuple):
    number: int
    tree: Tree  # the ReplicaSet or ControllerRevision that keeps it

    @property
    def cause(self) -> str:
        return (self.tree["metadata"].get("annotations") or {}).get(CHANGE_CAUSE) or "<none>"

    @property
    def template(self) -> Tree:
        """As it is kept: a ReplicaSet's has the hash of its pods among the labels."""
        kept: Tree = self.tree["data"] if self.tree["kind"] == "ControllerRevision" else self.tree
        return {name: value for name, value in kept["spec"]["template"].items() if name != "$patch"}


def revisions(owner: Tree, kept: Iterable[Tree]) -> list[Revision]:
    """The revisions of a workload, the oldest first, from the objects that it controls."""
    uid = owner["metadata"].get("uid")
    found = []
    for tree in kept:
        owners = tree["metadata"].get("ownerReferences") or ()
        if any(one.get("controller") and one["uid"] == uid for one in owners):
            number = int(tree.get("revision") or (tree["metadata"].get("annotations") or {}).get(REVISION) or 0)
            if number:
                found.append(Revision(number, tree))
    return sorted(found, key=lambda one: one.number)


def history(found: list[Revision]) -> str:
    """The table of `rollout history`."""
    from kubectl.printers.tabwriter import align

    if not found:
        return "No rollout history found."
    rows = "".join(f"{one.number}\t{one.cause}\n" for one in found)
    return align(f"REVISION\tCHANGE-CAUSE\n{rows}", padding=2)


def earlier(owner: Tree, found: list[Revision], to: int) -> Revision:
    """The revision to go back to: the one asked for, else the last but one. Raises CommandError."""
    if to:
        chosen = next((one for one in found if one.number == to), None)
        if chosen is None:
            raise CommandError(f"unable to find specified revision {to} in history")
        return chosen
    if len(found) < 2:
        raise CommandError(f'no rollout history found for {owner["kind"].lower()} "{owner["metadata"]["name"]}"')
    return found[-2]


def template_of(revision: Revision) -> Tree:
    """The pod template that a revision keeps, without the hash label."""
    kept = revision.template
    metadata = dict(kept.get("metadata") or {})
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if name != HASH}
    return {**kept, "metadata": {**metadata, "labels": labels} if labels else {k: v for k, v in metadata.items() if k != "labels"}}
