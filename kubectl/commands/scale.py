"""kubectl scale: set the number of replicas, through the scale subresource.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_scale/
"""

import time
from typing import Annotated

import typer

from kube.api.duration import parse_go
from kube.api.status import NotFound
from kubectl import options
from kubectl.changes import Changes
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.selection import Item, Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

LOOK_SECONDS = 1.0  # between two looks with --timeout

Replicas = Annotated[int, typer.Option("--replicas", help="The new desired number of replicas. Required.")]
CurrentReplicas = Annotated[
    int,
    typer.Option(
        "--current-replicas",
        help="Precondition for current size. Requires that the current size of the resource match this value in order to "
        "scale. -1 (default) for no condition.",
    ),
]
ResourceVersion = Annotated[
    str,
    typer.Option(
        "--resource-version",
        help="Precondition for resource version. Requires that the current resource version match this value in order to scale.",
    ),
]
Timeout = Annotated[
    str,
    typer.Option(
        "--timeout",
        metavar=options.DURATION,
        help="The length of time to wait before giving up on a scale operation, zero means don't wait. Any other values "
        "should contain a corresponding time unit (e.g. 1s, 2m, 3h).",
    ),
]


@app.command(
    epilog="kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)"
)
def scale(
    context: typer.Context,
    replicas: Replicas,
    current_replicas: CurrentReplicas = -1,
    resource_version: ResourceVersion = "",
    timeout: Timeout = "0s",
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    all: options.All = False,
    output: options.Output = "",
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    record: options.Record = False,
) -> None:
    """Set a new size for a deployment, replica set, replication controller, or stateful set.

    If --current-replicas or --resource-version is specified, it is validated before the scale is attempted, and it is
    guaranteed that the precondition holds true when the scale is sent to the server.

    Examples:
      # Scale a replica set named 'foo' to 3
      kubectl scale --replicas=3 rs/foo

      # If the deployment named mysql's current size is 2, scale mysql to 3
      kubectl scale --current-replicas=2 --replicas=3 deployment/mysql
    """
    session: Session = context.obj
    if replicas < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    changes = Changes.of(session, Printer(output, template, managed_fields=show_managed_fields), dry_run_flag=dry_run)
    query = Query(session.args, filename, recursive, kustomize, selector, all=all, every=False)
    _check(session, query, resource_version)

    def one(item: Item) -> None:
        if "scale" not in item.resource.subresources:
            raise NotFound("the server could not find the requested resource")
        tree = item.tree
        if changes.mode != "client":
            tree = _resize(session, item, changes, replicas, (current_replicas, resource_version))
        if parse_go(timeout) and changes.mode == "none":
            _wait(session, item, replicas, time.monotonic() + parse_go(timeout))
        if output and changes.mode == "none":
            tree = session.server.request("GET", item.path).tree()
        changes.said(item, {**item.tree, "spec": {**item.tree["spec"], "replicas": replicas}} if output else tree, "scaled")

    if not session.visit(query, one):
        raise CommandError("no objects passed to scale")


def _check(session: Session, query: Query, version: str) -> None:
    if version and len(session.items(query)) > 1:
        raise CommandError("cannot use --resource-version with multiple resources")


def _resize(session: Session, item: Item, changes: Changes, replicas: int, conditions: tuple[int, str]) -> dict[str, object]:
    """PUT the scale where conditions must hold (its version guards them); else a patch."""
    path = item.resource.path(item.key.namespace, item.key.name, "scale")
    size, version = conditions
    if size < 0 and not version:
        return changes.patch(item, {"spec": {"replicas": replicas}}, "application/merge-patch+json", "scale")
    now = session.server.request("GET", path).tree()
    have = now["spec"].get("replicas", 0)
    if size >= 0 and have != size:
        raise CommandError(f"Expected replicas to be {size}, was {have}")
    if version and now["metadata"]["resourceVersion"] != version:
        raise CommandError(f"Expected resource version to be {version}, was {now['metadata']['resourceVersion']}")
    now["spec"]["replicas"] = replicas
    return session.server.request("PUT", path, params=changes.params, body=now).tree()


def _wait(session: Session, item: Item, replicas: int, deadline: float) -> None:
    while True:
        status = session.server.request("GET", item.path).tree().get("status") or {}
        if status.get("replicas", 0) == replicas:
            return
        if time.monotonic() > deadline:
            raise CommandError(f'timed out waiting for "{item.key.name}" to be synced')
        time.sleep(LOOK_SECONDS)
