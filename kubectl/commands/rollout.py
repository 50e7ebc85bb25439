"""kubectl rollout: status, history, undo, restart, pause, resume.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_rollout/
"""

import time
from collections.abc import Callable
from typing import Annotated

import typer

from kube.api.duration import parse_go
from kube.api.meta import Tree
from kubectl import options
from kubectl.changes import LAST_APPLIED, Changes
from kubectl.describe.pod import template_text
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.rollout import REVISION, Revision, earlier, history, progress, revisions, template_of
from kubectl.selection import Item, Query, listed
from kubectl.session import Session
from kubectl.watching import watch

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Manage the rollout of one or many resources.\n\nValid resource types include:\n\n*  deployments\n\n*  daemonsets\n\n"
    "*  statefulsets",
)
STRATEGIC, JSON_PATCH = "application/strategic-merge-patch+json", "application/json-patch+json"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
FOREVER_SECONDS = 10 * 365 * 86400.0
KEPT_IN = {"Deployment": "replicasets.apps", "DaemonSet": "controllerrevisions.apps", "StatefulSet": "controllerrevisions.apps"}
BESIDE_APPLY = (
    "Warning: resource {} was previously managed with 'kubectl apply'. Rolling back will not update the "
    f"{LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using "
    "'kubectl apply' with your previous configuration file instead."
)
WATCH_SECONDS = 300  # of one watch; then the object is read again


def _query(session: Session, filename: list[str], recursive: bool, kustomize: str, selector: str) -> Query:
    if not (session.args or filename or kustomize):
        raise CommandError("required resource not specified")
    return Query(session.args, filename, recursive, kustomize, selector, every=True)


def _visit(session: Session, query: Query, action: Callable[[Item], None]) -> None:
    if not session.visit(query, action):
        session.tell(f"No resources found in {session.namespace} namespace.")


@app.command(short_help="Show the status of the rollout", epilog="kubectl rollout status (TYPE NAME | TYPE/NAME) [flags]")
def status(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    revision: Annotated[
        int, typer.Option("--revision", help="Pin to a specific revision for showing its status. Defaults to 0 (last revision).")
    ] = 0,
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout",
            metavar=options.DURATION,
            help="The length of time to wait before ending watch, zero means never. Any other values should contain a "
            "corresponding time unit (e.g. 1s, 2m, 3h).",
        ),
    ] = "0s",
    watching: Annotated[bool, typer.Option("--watch", "-w", help="Watch the status of the rollout until it's done.")] = True,
) -> None:
    """Show the status of the rollout.

    By default 'rollout status' will watch the status of the latest rollout until it's done. If you don't want to wait for the
    rollout to finish then you can use --watch=false.

    Examples:
      # Watch the rollout status of a deployment
      kubectl rollout status deployment/nginx
    """
    session: Session = context.obj
    deadline = time.monotonic() + (parse_go(timeout) or FOREVER_SECONDS)
    query = _query(session, filename, recursive, kustomize, selector)
    _visit(session, query, lambda item: _follow(session, item, revision, deadline if watching else 0.0))


def _follow(session: Session, item: Item, revision: int, deadline: float) -> None:
    """Tell every step until the roll-out is done. A deadline of 0: tell where it is, once."""
    tree = item.tree
    while True:
        now = progress(tree, revision)
        print(now.text, flush=True)
        if now.done or not deadline:
            return
        params: dict[str, str | int | None] = {
            "fieldSelector": f"metadata.name={item.key.name}",
            "resourceVersion": tree["metadata"]["resourceVersion"],
            "timeoutSeconds": max(1, min(WATCH_SECONDS, int(deadline - time.monotonic()))),
        }
        for event in watch(session.server, item.resource.path(item.key.namespace), params):
            if event.type == "DELETED":
                raise CommandError("object has been deleted")
            now = progress(event.object, revision)
            print(now.text, flush=True)
            if now.done:
                return
        if time.monotonic() >= deadline:
            raise CommandError("timed out waiting for the condition")
        tree = session.server.request("GET", item.path).tree()


@app.command("history", short_help="View rollout history", epilog="kubectl rollout history (TYPE NAME | TYPE/NAME) [flags]")
def history_of(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    output: options.Output = "",
    template: options.Template = "",
    revision: Annotated[
        int,
        typer.Option("--revision", help="See the details, including podTemplate of the revision specified"),
    ] = 0,
) -> None:
    """View previous rollout revisions and configurations.

    Examples:
      # View the rollout history of a deployment
      kubectl rollout history deployment/abc

      # View the details of daemonset revision 3
      kubectl rollout history daemonset/abc --revision=3
    """
    session: Session = context.obj
    printer = Printer(output, template).check()

    if revision < 0:
        raise CommandError(f"revision must be a positive integer: {revision}")

    def one(item: Item) -> None:
        found = kept(session, item)
        chosen = [one for one in found if not revision or one.number == revision]
        if revision and not chosen:
            raise CommandError("unable to find the specified revision")
        if output:
            for one in chosen:
                printer.show(_as_it_was(item, one))
        elif revision:
            print(f"{item} with revision #{revision}\n{template_text(chosen[0].template, chosen[0].cause)}")
        else:
            print(f"{item} \n{history(found)}")

    session.visit(_query(session, filename, recursive, kustomize, selector), one)


def _as_it_was(item: Item, revision: Revision) -> Tree:
    """A ReplicaSet is itself the revision; of another workload only the template was kept."""
    if revision.tree["kind"] == "ReplicaSet":
        return {"apiVersion": item.resource.api_version, **revision.tree}
    return {**item.tree, "spec": {**item.tree["spec"], "template": revision.template}}


def kept(session: Session, item: Item) -> list[Revision]:
    """The revisions that the server still has. Raises CommandError for a kind that keeps none."""
    kind = item.tree["kind"]
    if kind not in KEPT_IN:
        raise CommandError(f'error retrieving history for "{kind}", no visitor method exists for {{{item.resource.group} {kind}}}')
    resource = session.discovery.find(KEPT_IN[kind])
    labels = (item.tree["spec"].get("selector") or {}).get("matchLabels") or {}
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    from dataclasses import replace

    inside = replace(session, flags={**session.flags, "namespace": item.key.namespace})
    inside.__dict__["server"] = session.server
    return revisions(item.tree, listed(inside, resource, Query(selector=selector)))


@app.command(short_help="Undo a previous rollout", epilog="kubectl rollout undo (TYPE NAME | TYPE/NAME) [flags]")
def undo(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    to_revision: Annotated[
        int, typer.Option("--to-revision", help="The revision to rollback to. Default to 0 (last revision).")
    ] = 0,
) -> None:
    """Roll back to a previous rollout.

    Examples:
      # Roll back to the previous deployment
      kubectl rollout undo deployment/abc

      # Roll back to daemonset revision 3
      kubectl rollout undo daemonset/abc --to-revision=3
    """
    session: Session = context.obj
    changes = Changes.of(session, Printer(output, template), dry_run_flag=dry_run)

    def one(item: Item) -> None:
        if LAST_APPLIED in (item.tree["metadata"].get("annotations") or {}):
            session.tell(BESIDE_APPLY.format(f"{item.resource.plural}/{item.key.name}"))
        if item.tree["kind"] not in KEPT_IN:
            kind, group = item.tree["kind"], item.resource.group
            raise CommandError(f'error retrieving rollbacker for "{kind}", no visitor method exists for {{{group} {kind}}}')
        if item.tree["spec"].get("paused"):
            raise CommandError(
                "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
            )
        chosen = earlier(item.tree, kept(session, item), to_revision)
        if _same(template_of(chosen), item.tree["spec"]["template"]):
            return session.say(f"{item} skipped rollback (current template already matches revision {chosen.number})")
        if changes.mode == "client":
            to = "" if item.tree["kind"] == "Deployment" else "will roll back to "
            return changes.said(item, item.tree, to + template_text(chosen.template, chosen.cause))
        return changes.said(item, _rolled_back(changes, item, chosen), "rolled back")

    _visit(session, _query(session, filename, recursive, kustomize, selector), one)


def _rolled_back(changes: Changes, item: Item, chosen: Revision) -> Tree:
    if item.tree["kind"] != "Deployment":
        return changes.patch(item, chosen.tree["data"], STRATEGIC)
    # the annotations of the revision come back with it, so that its change-cause is told again
    kept_back = {name: text for name, text in (chosen.tree["metadata"].get("annotations") or {}).items() if name not in NOT_COPIED}
    own = item.tree["metadata"].get("annotations") or {}
    annotations = {**{name: text for name, text in own.items() if name in NOT_COPIED}, **kept_back}
    patch: list[Tree] = [
        {"op": "replace", "path": "/spec/template", "value": template_of(chosen)},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]
    return changes.patch(item, patch, JSON_PATCH)


# Annotations that belong to one object and are not copied between a Deployment and its ReplicaSets.
NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)


def _same(one: Tree, other: Tree) -> bool:
    return one == {**other, "metadata": other.get("metadata") or {}}


def _paused(item: Item, wanted: bool) -> Tree:
    if item.tree["kind"] != "Deployment":
        raise CommandError(f'{item.resource.qualified} "{item.key.name}" {"pausing" if wanted else "resuming"} is not supported')
    if bool(item.tree["spec"].get("paused")) == wanted:
        raise CommandError(f'{item.resource.qualified} "{item.key.name}" is {"already" if wanted else "not"} paused')
    return {"spec": {"paused": wanted or None}}


def _restarted(session: Session) -> Callable[[Item], Tree]:
    def patch(item: Item) -> Tree:
        if item.tree["kind"] not in ("Deployment", "DaemonSet", "StatefulSet"):
            raise CommandError(f'{item.resource.qualified} "{item.key.name}" restarting is not supported')
        if item.tree["spec"].get("paused"):
            raise CommandError(
                f'{item.resource.qualified} "{item.key.name}" can\'t restart paused deployment (run rollout resume first)'
            )
        now = session.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        if ((item.tree["spec"]["template"].get("metadata") or {}).get("annotations") or {}).get(RESTARTED) == now:
            raise CommandError(
                f"failed to create patch for {item.key.name}: if restart has already been triggered within the past second, please "
                "wait before attempting to trigger another"
            )
        return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: now}}}}}

    return patch


def _patch_all(session: Session, query: Query, changes: Changes, made: Callable[[Item], Tree], verb: str) -> None:
    def one(item: Item) -> None:
        patch = made(item)
        changes.said(item, item.tree if changes.mode == "client" else changes.patch(item, patch, STRATEGIC), verb)

    _visit(session, query, one)


@app.command(short_help="Restart a resource", epilog="kubectl rollout restart RESOURCE")
def restart(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    output: options.Output = "",
    template: options.Template = "",
    field_manager: options.FieldManager = "kubectl-rollout",
) -> None:
    """Restart a resource. Resource rollout will be restarted.

    Examples:
      # Restart a deployment
      kubectl rollout restart deployment/nginx
    """
    session: Session = context.obj
    changes = Changes.of(session, Printer(output, template), manager=field_manager)
    query = _query(session, filename, recursive, kustomize, selector)
    _patch_all(session, query, changes, _restarted(session), "restarted")


@app.command(short_help="Mark the provided resource as paused", epilog="kubectl rollout pause RESOURCE")
def pause(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    output: options.Output = "",
    template: options.Template = "",
    field_manager: options.FieldManager = "kubectl-rollout",
) -> None:
    """Mark the provided resource as paused. Paused resources will not be reconciled by a controller. Use "kubectl rollout
    resume" to resume a paused resource. Currently only deployments support being paused.

    Examples:
      # Mark the nginx deployment as paused
      kubectl rollout pause deployment/nginx
    """
    session: Session = context.obj
    changes = Changes.of(session, Printer(output, template), manager=field_manager)
    query = _query(session, filename, recursive, kustomize, selector)
    _patch_all(session, query, changes, lambda item: _paused(item, True), "paused")


@app.command(short_help="Resume a paused resource", epilog="kubectl rollout resume RESOURCE")
def resume(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    output: options.Output = "",
    template: options.Template = "",
    field_manager: options.FieldManager = "kubectl-rollout",
) -> None:
    """Resume a paused resource. Paused resources will not be reconciled by a controller. By resuming a resource, we allow it
    to be reconciled again. Currently only deployments support being resumed.

    Examples:
      # Resume an already paused deployment
      kubectl rollout resume deployment/nginx
    """
    session: Session = context.obj
    changes = Changes.of(session, Printer(output, template), manager=field_manager)
    query = _query(session, filename, recursive, kustomize, selector)
    _patch_all(session, query, changes, lambda item: _paused(item, False), "resumed")
