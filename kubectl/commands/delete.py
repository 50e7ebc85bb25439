"""kubectl delete: remove objects, and wait until they are gone.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_delete/
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from kube.api.duration import parse_go
from kube.api.meta import Tree
from kube.api.status import NotFound
from kubectl import options
from kubectl.changes import explained
from kubectl.deleting import WEEK_SECONDS, options_of, propagation, uid_of, wait_gone
from kubectl.errors import CommandError
from kubectl.selection import Item, Query, items, refs
from kubectl.session import Session, dry_run, suffix

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

FORCED = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource "
    "may continue to run on the cluster indefinitely."
)

All = Annotated[bool, typer.Option("--all", help="Delete all resources, in the namespace of the specified resource types.")]
IgnoreNotFound = Annotated[
    bool,
    typer.Option(
        "--ignore-not-found",
        help='Treat "resource not found" as a successful delete. Defaults to "true" when --all is specified.',
    ),
]
Now = Annotated[
    bool,
    typer.Option("--now", help="If true, resources are signaled for immediate shutdown (same as --grace-period=1)."),
]
Output = Annotated[str, typer.Option("--output", "-o", help='Output mode. Use "-o name" for shorter output (resource/name).')]
Raw = Annotated[
    str, typer.Option("--raw", help="Raw URI to DELETE to the server.  Uses the transport specified by the kubeconfig file.")
]
Interactive = Annotated[bool, typer.Option("--interactive", "-i", help="If true, delete resource only when user confirms.")]


@app.command(epilog="kubectl delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])")
def delete(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    field_selector: options.FieldSelector = "",
    all_namespaces: options.AllNamespaces = False,
    all: All = False,
    ignore_not_found: IgnoreNotFound = False,
    cascade: options.Cascade = "background",
    grace_period: options.GracePeriod = -1,
    now: Now = False,
    force: options.Force = False,
    wait: options.Wait = True,
    timeout: options.WaitTimeout = "0s",
    dry_run_flag: options.DryRun = "none",
    output: Output = "",
    raw: Raw = "",
    interactive: Interactive = False,
) -> None:
    """Delete resources by file names, stdin, resources and names, or by resources and label selector.

    JSON and YAML formats are accepted. Only one type of argument may be specified: file names, resources and names, or
    resources and label selector.

    Examples:
      # Delete a pod using the type and name specified in pod.json
      kubectl delete -f ./pod.json

      # Delete pods and services with label name=myLabel
      kubectl delete pods,services -l name=myLabel

      # Delete all pods
      kubectl delete pods --all
    """
    session: Session = context.obj
    if raw:
        print(session.server.request("DELETE", raw).body.decode(), end="")
        return
    if output not in ("", "name"):
        raise CommandError(f"unexpected -o output mode: {output}. We only support '-o name'")
    _delete(session, context.params)


def _delete(session: Session, flags: dict[str, Any]) -> None:
    selected = (flags["selector"], flags["field_selector"])
    query = Query(
        session.args, flags["filename"], flags["recursive"], flags["kustomize"], *selected, flags["all_namespaces"],
        all=flags["all"], every=False,
    )  # fmt: skip
    mode = dry_run(flags["dry_run_flag"])
    grace = graceful(session, flags["grace_period"], now=flags["now"], force=flags["force"])
    deletion = Deletion(
        session,
        options_of(propagation(flags["cascade"]), grace, mode),
        force=flags["force"] and grace == 0,
        short=flags["output"] == "name",
        mode=mode,
        ignore_not_found=flags["ignore_not_found"] or flags["all"],
    )
    wanted = deletion.wanted(query)
    if flags["interactive"] and wanted and not _confirmed(session, wanted):
        return session.say("deletion is cancelled")
    session.each(wanted, deletion.delete)
    named = session.args and not any(selected) and not flags["all"]
    if not deletion.found and not named and not flags["output"]:
        session.say("No resources found")
    if flags["wait"] and mode == "none":
        deletion.wait(parse_go(flags["timeout"]) or WEEK_SECONDS)
    return None


def _confirmed(session: Session, wanted: Sequence[Item]) -> bool:
    session.say(f"You are about to delete the following {len(wanted)} resource(s):")
    for item in wanted:
        session.say(f"{item}")
    print("Do you want to continue? (y/N): ", end="", flush=True)
    return sys.stdin.readline().strip().lower() == "y"


def graceful(session: Session, period: int, *, now: bool, force: bool) -> int:
    """The grace period to ask for; negative: the object's own. Raises CommandError for flags that contradict each other."""
    if now:
        if period != -1:
            raise CommandError("--now and --grace-period cannot be specified together")
        period = 1
    if period == 0 and not force:
        # 0 without --force means: as soon as it can be, but gracefully
        period = 1
    if force and period < 0:
        period = 0
    if force and period > 0:
        raise CommandError("--force and --grace-period greater than 0 cannot be specified together")
    if force:
        session.tell(FORCED)
    return period


@dataclass
class Deletion:
    """One `delete`: what was removed is remembered, to be waited for."""

    session: Session
    options: Tree
    force: bool = False
    short: bool = False
    mode: str = "none"
    ignore_not_found: bool = False

    def __post_init__(self) -> None:
        self.found = 0
        self._gone: list[tuple[Item, str]] = []

    def wanted(self, query: Query) -> "list[Item]":
        """The objects. Those that are named are not fetched first: deleting tells whether they are there."""
        if query.by_file:
            from kubectl.manifests import load
            from kubectl.selection import located

            return [
                located(self.session, manifest)
                for manifest in load(query.filenames, recursive=query.recursive, kustomize=query.kustomize)
            ]
        named = refs(self.session.discovery, query)
        if all(ref.name for ref in named):
            from kube.api.meta import Key

            if query.all_namespaces:
                raise CommandError("a resource cannot be retrieved by name across all namespaces")
            return [Item(ref.resource, Key(self.session.namespace if ref.resource.namespaced else "", ref.name)) for ref in named]
        return list(items(self.session, query))

    def delete(self, item: Item) -> None:
        self.found += 1
        try:
            tree = item.tree
            if self.mode != "client":
                tree = self.session.server.request("DELETE", item.path, body=self.options).tree()
        except NotFound as error:
            if not self.ignore_not_found:
                raise explained(error, "deleting", item) from error
            return
        self._gone.append((item, uid_of(tree)))
        self._say(item)

    def _say(self, item: Item) -> None:
        if self.short:
            return self.session.say(f"{item}")
        done = "force deleted" if self.force else "deleted"
        kind = item.resource.singular_name + (f".{item.resource.group}" if item.resource.group else "")
        where = f" from {item.key.namespace} namespace" if item.key.namespace else ""
        return self.session.say(f'{kind} "{item.key.name}" {done}{where}{suffix(self.mode)}')

    def wait(self, seconds: float) -> None:
        """Until each is gone, or another object has its name."""
        deadline = time.monotonic() + seconds
        for item, uid in self._gone:
            wait_gone(self.session, item, uid, deadline)
