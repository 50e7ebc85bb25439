"""kubectl edit: change objects in an editor.

What was changed is sent as a patch, so that other people's changes meanwhile are kept.
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_edit/
"""

from dataclasses import replace
from typing import Annotated

import orjson
import typer

from kube.api.meta import Tree
from kubectl import options
from kubectl.changes import CHANGE_CAUSE, LAST_APPLIED, Changes, annotated, applied_annotation
from kubectl.editing import Form, until_taken
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.printers.tree import without_managed_fields
from kubectl.selection import REQUIRED, Item, Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

SAME = ("apiVersion", "kind")
OutputPatch = Annotated[bool, typer.Option("--output-patch", help="Output the patch if the resource is edited.")]


@app.command(epilog="kubectl edit (RESOURCE/NAME | -f FILENAME)")
def edit(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    validate: options.Validate = "strict",
    field_manager: options.FieldManager = "kubectl-edit",
    record: options.Record = False,
    save_config: options.SaveConfig = False,
    show_managed_fields: options.ShowManagedFields = False,
    output_patch: OutputPatch = False,
    windows_line_endings: options.WindowsLines = False,
    subresource: Annotated[
        str, typer.Option("--subresource", help="If specified, edit will operate on the subresource of the requested object.")
    ] = "",
) -> None:
    """Edit a resource from the default editor.

    The edit command allows you to directly edit any API resource you can retrieve via the command-line tools. It will open the
    editor defined by your KUBE_EDITOR, or EDITOR environment variables, or fall back to 'vi' for Linux.

    Examples:
      # Edit the service named 'registry'
      kubectl edit svc/registry

      # Use an alternative editor
      KUBE_EDITOR="nano" kubectl edit svc/registry
    """
    session: Session = context.obj
    if not (session.args or filename or kustomize):
        raise CommandError(REQUIRED)
    Printer(output).check("json,kyaml,yaml")
    changes = Changes.of(session, Printer(), manager=field_manager, validate=validate)
    found = session.items(Query(session.args, filename, recursive, kustomize))
    items = [replace(item, tree=item.tree if show_managed_fields else without_managed_fields(item.tree)) for item in found]
    if not items:
        raise CommandError("edit cancelled, no objects found")

    def send(item: Item, tree: Tree) -> None:
        tree = annotated(tree, CHANGE_CAUSE, session.spoken) if record else tree
        tree = annotated(tree, LAST_APPLIED, applied_annotation(tree)) if save_config else tree
        _send(changes, item, tree, subresource, told=output_patch)

    until_taken(session, items, Form(output, windows=windows_line_endings), send)


def _send(changes: Changes, item: Item, tree: Tree, subresource: str, *, told: bool) -> None:
    """What was changed, as a patch. Raises CommandError where it would be another object."""
    from kube.api.definitions import of
    from kube.api.patch import merge, strategic

    known = of(item.resource) is not None
    patch = strategic.diff(item.tree, tree, item.resource) if known else merge.diff(item.tree, tree)
    if not patch:
        return changes.said(item, tree, "skipped")
    if any(name in patch for name in SAME) or "name" in (patch.get("metadata") or {}):
        raise CommandError("At least one of apiVersion, kind and name was changed")
    if told:
        changes.session.say(f"Patch: {orjson.dumps(patch).decode()}")
    type = "application/strategic-merge-patch+json" if known else "application/merge-patch+json"
    return changes.said(item, changes.patch(item, patch, type, subresource), "edited")
