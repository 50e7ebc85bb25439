"""kubectl drain: no new pods for a node, and its pods evicted, so that it can be taken away.

Pods of DaemonSets and mirror pods stay; disruption budgets are kept: a refused eviction is tried again. --disable-eviction deletes
the pods instead, whatever the budgets say.
https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
"""

import time
from dataclasses import dataclass
from typing import Annotated

import typer

from kube.api.duration import parse_go
from kube.api.labels import Selector, parse
from kube.api.meta import Tree
from kubectl import options
from kubectl.eviction import Evictions, overdue
from kubectl.flags import UsageError
from kubectl.nodes import cordon_all, nodes
from kubectl.pods import POD
from kubectl.selection import Item, Query, listed
from kubectl.session import Session, dry_run, suffix

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

FOREVER_SECONDS = 10 * 365 * 86400.0
MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True)
class Rules:
    """Which pods may go."""

    ignore_daemonsets: bool
    delete_emptydir_data: bool
    force: bool
    skip_seconds: int  # a pod that has been going for longer is left alone; 0: none


PodSelector = Annotated[str, typer.Option("--pod-selector", help="Label selector to filter pods on the node")]
IgnoreDaemonsets = Annotated[bool, typer.Option("--ignore-daemonsets", help="Ignore DaemonSet-managed pods.")]
DisableEviction = Annotated[
    bool,
    typer.Option(
        "--disable-eviction",
        help="Force drain to use delete, even if eviction is supported. This will bypass checking PodDisruptionBudgets, use with "
        "caution.",
    ),
]
SkipWait = Annotated[
    int,
    typer.Option(
        "--skip-wait-for-delete-timeout",
        help="If pod DeletionTimestamp older than N seconds, skip waiting for the pod.  Seconds must be greater than 0 to skip.",
    ),
]
DeleteEmptydirData = Annotated[
    bool,
    typer.Option(
        "--delete-emptydir-data",
        help="Continue even if there are pods using emptyDir (local data that will be deleted when the node is drained).",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Continue even if there are pods that do not declare a controller.")]
GracePeriod = Annotated[
    int,
    typer.Option(
        "--grace-period",
        help="Period of time in seconds given to each pod to terminate gracefully. If negative, the default value specified "
        "in the pod will be used.",
    ),
]
Timeout = Annotated[
    str,
    typer.Option("--timeout", metavar=options.DURATION, help="The length of time to wait before giving up, zero means infinite"),
]


@app.command(epilog="kubectl drain NODE")
def drain(
    context: typer.Context,
    selector: options.Selector = "",
    pod_selector: PodSelector = "",
    ignore_daemonsets: IgnoreDaemonsets = False,
    delete_emptydir_data: DeleteEmptydirData = False,
    force: Force = False,
    grace_period: GracePeriod = -1,
    timeout: Timeout = "0s",
    disable_eviction: DisableEviction = False,
    skip_wait: SkipWait = 0,
    dry_run_flag: options.DryRun = "none",
) -> None:
    """Drain node in preparation for maintenance.

    The given node will be marked unschedulable to prevent new pods from arriving. 'drain' evicts the pods if the API server
    supports disruptions.

    Examples:
      # Drain node "foo", even if there are pods not managed by a controller on it
      kubectl drain foo --force
    """
    session: Session = context.obj
    if not session.args and not selector:
        raise UsageError("USAGE: drain NODE [flags]")
    mode = dry_run(dry_run_flag)
    found = nodes(session, selector)
    cordon_all(session, found, True, dry_run_flag)
    deadline = time.monotonic() + (parse_go(timeout) or FOREVER_SECONDS)
    rules = Rules(ignore_daemonsets, delete_emptydir_data, force, skip_wait)
    errors: dict[str, list[str]] = {}
    for node in found:
        evictions = Evictions(session, grace_period, mode, deadline, timeout, skip_wait)
        failed = _drained(session, node, parse(pod_selector), rules, evictions, disable_eviction)
        if failed:
            errors[node.key.name] = failed
            session.tell(f'error: unable to drain node "{node.key.name}" due to error: {_together(failed)}, continuing command...')
        else:
            session.say(f"{node} drained{suffix(mode)}")
    if errors:
        session.tell("\n".join(("There are pending nodes to be drained:", *(f" {name}" for name in sorted(errors)))))
        told = [one for failed in errors.values() for one in failed]
        session.tell(f"error: {told[0]}" if disable_eviction and len(told) == 1 else "\n".join(told))
        raise typer.Exit(1)


def _drained(session: Session, node: Item, wanted: Selector, rules: Rules, evictions: Evictions, delete: bool) -> list[str]:
    """What went wrong; empty: the node's pods are gone."""
    query = Query(field_selector=f"spec.nodeName={node.key.name}", all_namespaces=True)
    pods = [pod for pod in listed(session, POD, query) if wanted.matches(pod["metadata"].get("labels"))]
    going, problems = _decided(session, pods, rules)
    if problems:
        return problems
    (evictions.delete if delete else evictions.run)(going)
    if evictions.errors:
        session.tell(f'There are pending pods in node "{node.key.name}" when an error occurred: {_together(evictions.errors)}')
        session.tell("\n".join(f"pod/{name}" for name in evictions.pending))
    return evictions.errors


def _together(errors: list[str]) -> str:
    return errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"


def _decided(session: Session, pods: list[Tree], rules: Rules) -> tuple[list[Tree], list[str]]:
    """The pods to evict, and why some must not go."""
    problems: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    going = []
    for pod in (one for one in pods if not overdue(one, rules.skip_seconds)):
        why, fatal = _obstacle(pod, rules)
        named = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        if why:
            (problems if fatal else notes).setdefault(why, []).append(named)
        if not why or (not fatal and not why.startswith("ignoring")):
            going.append(pod)
    going = [pod for pod in going if MIRROR not in (pod["metadata"].get("annotations") or {})]
    if problems:
        return [], [f"cannot delete {why}: {', '.join(names)}" for why, names in problems.items()]
    if notes:
        session.tell("Warning: " + "; ".join(f"{why}: {', '.join(names)}" for why, names in notes.items()))
    return going, []


def _obstacle(pod: Tree, rules: Rules) -> tuple[str, bool]:
    """Why a pod is special (empty: it is not), and whether that forbids to evict it."""
    metadata = pod["metadata"]
    if MIRROR in (metadata.get("annotations") or {}):
        return "", False
    owner = next((one for one in metadata.get("ownerReferences") or () if one.get("controller")), None)
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if owner and owner["kind"] == "DaemonSet":
        if rules.ignore_daemonsets:
            return "ignoring DaemonSet-managed Pods", False
        return "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", True
    if ended:
        return "", False
    if any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ()) and not rules.delete_emptydir_data:
        return "Pods with local storage (use --delete-emptydir-data to override)", True
    if owner is None:
        told = "deleting Pods that declare no controller"
        return (told, False) if rules.force else ("Pods that declare no controller (use --force to override)", True)
    return "", False
