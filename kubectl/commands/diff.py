"""kubectl diff: what `apply` would change, by the diff program. Exit code 1: there are differences.

The server works out the result (a dry run), so that its defaults make no noise. $KUBECTL_EXTERNAL_DIFF names another program.
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_diff/
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory as Folder
from typing import Annotated, Any

import typer

from kube.api.go_yaml import as_yaml
from kube.api.meta import Tree
from kube.api.status import Conflict, NotFound
from kubectl import options
from kubectl.changes import Changes, in_namespace, with_annotations
from kubectl.commands.apply import three_way
from kubectl.deleting import NOTHING_ENDS
from kubectl.errors import CommandError, report
from kubectl.manifests import load, with_labels
from kubectl.migration import DEFAULT
from kubectl.printers import Printer
from kubectl.printers.tree import without_managed_fields
from kubectl.pruning import Pruner
from kubectl.selection import Item, located
from kubectl.session import Session, warn

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

MASK = "***"
PLAIN = re.compile("[a-zA-Z0-9-=]+")
TROUBLE = 2  # the exit code where no answer was found

ServerSideFlag = Annotated[bool, typer.Option("--server-side", help="If true, apply runs in the server instead of the client.")]
Concurrency = Annotated[
    int, typer.Option("--concurrency", help="Number of objects to process in parallel when diffing against the live version.")
]
Prune = Annotated[
    bool,
    typer.Option("--prune", help="Include resources that would be deleted by pruning. Can be used with -l and default shows all"),
]


@app.command(epilog="kubectl diff -f FILENAME")
def diff(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    field_manager: options.FieldManager = "kubectl-client-side-apply",
    server_side: ServerSideFlag = False,
    force_conflicts: options.ForceConflicts = False,
    prune: Prune = False,
    prune_allowlist: options.PruneAllowlist = [],  # noqa: B006
    show_managed_fields: options.ShowManagedFields = False,
    concurrency: Concurrency = 1,
) -> None:
    """Diff configurations specified by file name or stdin between the current online configuration, and the configuration as
    it would be if applied.

    Exit status: 0 No differences were found. 1 Differences were found. >1 Kubectl or diff failed with an error.

    Examples:
      # Diff resources included in pod.json
      kubectl diff -f pod.json
    """
    session: Session = context.obj
    try:
        code = _diff(session, context.params)
    except session.expected_errors as error:
        session.tell(report(error, session)[0])
        code = TROUBLE
    raise typer.Exit(code)


def _diff(session: Session, flags: dict[str, Any]) -> int:
    """The diff program's exit code. Raises CommandError, ApiError."""
    if session.args:
        raise CommandError(f"Unexpected args: [{' '.join(session.args)}]\nSee 'kubectl diff -h' for help and examples")
    if not (flags["filename"] or flags["kustomize"]):
        raise CommandError("must specify one of -f and -k")
    if flags["force_conflicts"] and not flags["server_side"]:
        raise CommandError("--force-conflicts only works with --server-side")
    manager = DEFAULT if flags["server_side"] and flags["field_manager"] == "kubectl-client-side-apply" else flags["field_manager"]
    changes = Changes.of(session, Printer(), manager=manager, dry_run_flag="server")
    manifests = load(flags["filename"], recursive=flags["recursive"], kustomize=flags["kustomize"])
    with Folder(prefix="LIVE-") as live, Folder(prefix="MERGED-") as merged:
        items = [in_namespace(located(session, one)) for one in with_labels(manifests, flags["selector"])]
        sides = [(item, *_both(changes, item, flags)) for item in items]
        if flags["prune"]:
            pruner = Pruner(session, flags["selector"], changes.mode, NOTHING_ENDS, flags["prune_allowlist"])
            sides += [(item, item.tree, {}) for item in pruner.stale(items)]
        for item, before, after in sides:
            if not flags["show_managed_fields"]:
                before, after = without_managed_fields(before), without_managed_fields(after)
            _write(Path(live), item, _masked(before, after, "before"))
            if after:
                _write(Path(merged), item, _masked(after, before, "after"))
        return _run([*_program(), live, merged])


def _run(command: list[str]) -> int:
    """0 or 1. Raises CommandError for any other exit code, which is trouble."""
    sys.stdout.flush()
    try:
        code = subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        raise CommandError(f'failed to run "{command[0]}": executable file not found in $PATH') from None
    if code > 1:
        raise CommandError(f'failed to run "{command[0]}": exit status {code}')
    return code


def _program() -> list[str]:
    """Of $KUBECTL_EXTERNAL_DIFF's words only plain ones are taken as arguments."""
    words = os.environ.get("KUBECTL_EXTERNAL_DIFF", "").split()
    return [*words[:1], *(word for word in words[1:] if PLAIN.fullmatch(word))] or ["diff", "-u", "-N"]


def _both(changes: Changes, item: Item, flags: dict[str, Any]) -> tuple[Tree, Tree]:
    """The object as it is (empty: it is not there), and as it would be."""
    if not item.key.name:
        raise CommandError("resource name may not be empty")
    try:
        live = changes.session.server.request("GET", item.path).tree()
    except NotFound:
        live = {}
    if flags["server_side"]:
        return live, _applied_there(changes, item, force=flags["force_conflicts"])
    if not live:
        return live, changes.create(item)
    patch, kind = three_way(item, with_annotations(item.tree), live)
    return live, changes.patch(item, patch, kind) if patch else live


def _applied_there(changes: Changes, item: Item, *, force: bool) -> Tree:
    try:
        return changes.apply(item, force=force)
    except Conflict:
        kind = f"{item.resource.group}/{item.resource.version}, Kind={item.resource.kind}"
        warn(f"Object ({kind}: {item.key.name}) keeps changing, diffing without lock", "diff.go:723")
        raise


def _write(folder: Path, item: Item, tree: Tree) -> None:
    """One file an object, named by what it is; one that is not there is empty."""
    row = item.resource
    name = ".".join(part for part in (row.group, row.version, row.kind, item.key.namespace, item.key.name) if part)
    (folder / name).write_text(as_yaml(tree) if tree else "")


def _masked(tree: Tree, other: Tree, side: str) -> Tree:
    """A Secret without its values; one that differs still shows that it does."""
    if tree.get("kind") != "Secret" or not tree.get("data"):
        return tree
    theirs = other.get("data") or {}
    data = {name: MASK if theirs.get(name, value) == value else f"{MASK} ({side})" for name, value in tree["data"].items()}
    return {**tree, "data": data}
