"""kubectl diff: what `apply` would change, by the diff program. Exit code 1: there are differences.

The server works out the result (a dry run), so that its defaults make no noise. $KUBECTL_EXTERNAL_DIFF names another program.
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_diff/
"""

import os
import shlex
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import typer

from kube.api.go_yaml import as_yaml
from kube.api.meta import Tree
from kube.api.status import NotFound
from kubectl import options
from kubectl.changes import LAST_APPLIED, Changes, annotated, applied_annotation, in_namespace
from kubectl.commands.apply import three_way
from kubectl.errors import CommandError
from kubectl.manifests import load
from kubectl.printers import Printer
from kubectl.printers.tree import without_managed_fields
from kubectl.selection import Item, located
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

MASK = "***"


@app.command(epilog="kubectl diff -f FILENAME")
def diff(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    field_manager: options.FieldManager = "kubectl-client-side-apply",
) -> None:
    """Diff configurations specified by file name or stdin between the current online configuration, and the configuration as
    it would be if applied.

    Exit status: 0 No differences were found. 1 Differences were found. >1 Kubectl or diff failed with an error.

    Examples:
      # Diff resources included in pod.json
      kubectl diff -f pod.json
    """
    session: Session = context.obj
    if not (filename or kustomize):
        raise CommandError("must specify one of -f and -k")
    changes = Changes.of(session, Printer(), manager=field_manager, dry_run_flag="server")
    with tempfile.TemporaryDirectory(prefix="kubectl-diff-") as folder:
        live, merged = Path(folder, "LIVE"), Path(folder, "MERGED")
        live.mkdir()
        merged.mkdir()
        for manifest in load(filename, recursive=recursive, kustomize=kustomize):
            item = in_namespace(located(session, manifest))
            before, after = _both(changes, item)
            _write(live, item, _masked(before, after, "before"))
            _write(merged, item, _masked(after, before, "after"))
        code = subprocess.run([*_program(), str(live), str(merged)], check=False).returncode
    if code:
        raise typer.Exit(code)


def _program() -> list[str]:
    return shlex.split(os.environ.get("KUBECTL_EXTERNAL_DIFF", "")) or ["diff", "-u", "-N"]


def _both(changes: Changes, item: Item) -> tuple[Tree, Tree]:
    """The object as it is (empty: it is not there), and as it would be."""
    applied = annotated(item.tree, LAST_APPLIED, applied_annotation(item.tree))
    try:
        live = changes.session.server.request("GET", item.path).tree()
    except NotFound:
        return {}, changes.create(replace(item, tree=applied))
    patch, kind = three_way(item, applied, live)
    return live, changes.patch(item, patch, kind) if patch else live


def _write(folder: Path, item: Item, tree: Tree) -> None:
    """One file an object, named by what it is; one that is not there has none."""
    if not tree:
        return
    row = item.resource
    name = ".".join(part for part in (row.group, row.version, row.kind, item.key.namespace, item.key.name) if part)
    (folder / name).write_text(as_yaml(without_managed_fields(_unannotated(tree))))


def _unannotated(tree: Tree) -> Tree:
    """Without what apply remembers: it says twice what differs."""
    metadata = dict(tree.get("metadata") or {})
    notes = {name: text for name, text in (metadata.get("annotations") or {}).items() if name != LAST_APPLIED}
    return {**tree, "metadata": {**metadata, "annotations": notes}} if "annotations" in metadata else tree


def _masked(tree: Tree, other: Tree, side: str) -> Tree:
    """A Secret without its values; one that differs still shows that it does."""
    if tree.get("kind") != "Secret" or not tree.get("data"):
        return tree
    theirs = other.get("data") or {}
    data = {name: MASK if theirs.get(name, value) == value else f"{MASK} ({side})" for name, value in tree["data"].items()}
    return {**tree, "data": data}
