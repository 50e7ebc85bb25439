"""kubectl edit: change an object in an editor.

$KUBE_EDITOR, then $EDITOR, then vi. What was changed is sent as a patch, so that other people's changes meanwhile are kept.
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_edit/
"""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from kube.api.meta import Tree
from kube.api.status import ApiError
from kubectl import options
from kubectl.changes import Changes
from kubectl.errors import CommandError, message
from kubectl.manifests import parse
from kubectl.printers import Printer
from kubectl.printers.tree import as_json, as_yaml, without_managed_fields
from kubectl.selection import REQUIRED, Item, Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

HEADER = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""


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
    if output not in ("", "yaml", "json"):
        raise CommandError(f"The flag 'output' must be one of yaml|json, got {output}")
    changes = Changes.of(session, Printer(), manager=field_manager, validate=validate)
    items = session.items(Query(session.args, filename, recursive, kustomize))
    changed = [item for item in items if _edit(session, changes, item, as_json if output == "json" else as_yaml, subresource)]
    if not changed:
        session.tell("Edit cancelled, no changes made.")


def _edit(session: Session, changes: Changes, item: Item, write: object, subresource: str) -> bool:
    """Edit until the server takes it or the user gives up. Whether anything was changed."""
    shown = without_managed_fields(item.tree)
    text = as_json(shown) if write is as_json else as_yaml(shown)
    problem = ""
    edited = HEADER + text
    while True:
        before = edited
        edited = _in_editor(edited, ".json" if write is as_json else ".yaml")
        meant = _without_comments(edited)
        if not meant.strip():
            session.tell("Edit cancelled, saved file was empty.")
            return False
        if meant == _without_comments(HEADER + text) or (problem and edited == before):
            if problem:
                raise CommandError("Edit cancelled, no valid changes were saved." if edited == before else problem)
            return False
        try:
            _send(changes, item, shown, _object(meant), subresource)
            return True
        except (ApiError, CommandError) as error:
            problem = message(error)
            told = "\n".join(f"# {line}" for line in problem.splitlines())
            edited = f"{HEADER}{told}\n#\n{meant}"


def _object(text: str) -> Tree:
    manifests = list(parse(text.encode(), "edited-file"))
    if len(manifests) != 1:
        raise CommandError("the edited file must hold one object")
    return manifests[0].tree


def _send(changes: Changes, item: Item, old: Tree, new: Tree, subresource: str) -> None:
    from kube.api.definitions import of
    from kube.api.patch import merge, strategic

    if new["metadata"].get("name") != item.key.name:
        raise CommandError("At least one of apiVersion, kind and name was changed")
    if of(item.resource) is None:
        patch, kind = merge.diff(old, new), "application/merge-patch+json"
    else:
        patch, kind = strategic.diff(old, new, item.resource), "application/strategic-merge-patch+json"
    if not patch:
        changes.session.say(f"{item} skipped")
        return
    changes.said(item, changes.patch(item, patch, kind, subresource), "edited")


def _in_editor(text: str, ending: str) -> str:
    """The text as the user's editor leaves it."""
    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi"
    with tempfile.NamedTemporaryFile("w", prefix="kubectl-edit-", suffix=ending, delete=False) as file:
        file.write(text)
    path = Path(file.name)
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)
        if done.returncode:
            raise CommandError(f"there was a problem with the editor {editor!r}".replace("'", '"'))
        return path.read_text()
    except FileNotFoundError:
        raise CommandError(f'unable to launch the editor "{editor}"') from None
    finally:
        path.unlink()


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
