"""Editing: objects in the user's editor, round after round, until they are taken or the user gives up.

$KUBE_EDITOR, then $EDITOR, then vi. `edit`, `create --edit` and `apply edit-last-applied` differ in what is shown and what becomes
of it (`send`). What the server finds invalid opens the editor again, with the reasons above it; any other failure ends the command,
and what was typed is kept in a file. kubernetes/kubectl pkg/cmd/util/editor/editoptions.go
"""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from kube.api.go_yaml import as_yaml
from kube.api.meta import Key, Tree
from kube.api.status import ApiError, Invalid, NotFound
from kubectl.decoding import DecodeError, documents
from kubectl.errors import CommandError
from kubectl.manifests import parse
from kubectl.printers.tree import as_json
from kubectl.selection import Item
from kubectl.session import Session

OBJECT = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""
APPLIED = """# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
"""

Send = Callable[[Item, Tree], None]  # an object as it was, and as it was edited. May raise ApiError, CommandError


@dataclass(frozen=True)
class Form:
    """How objects look in the editor. Only YAML has room for a header."""

    output: str = ""  # -o: yaml or json
    header: str = OBJECT
    windows: bool = False  # lines end as on Windows

    @property
    def ending(self) -> str:
        return ".json" if self.output == "json" else ".yaml"

    def text(self, trees: Sequence[Tree]) -> str:
        """One object, or several as a List."""
        tree = trees[0] if len(trees) == 1 else {"apiVersion": "v1", "items": list(trees), "kind": "List", "metadata": {}}
        return as_json(tree) if self.output == "json" else as_yaml(tree)

    def above(self, reasons: Sequence[str]) -> str:
        return "" if self.output == "json" else self.header + "".join(f"{reason}#\n" for reason in reasons)


@dataclass
class Round:
    """What came of one save."""

    reasons: list[str] = field(default_factory=list)  # as comments; some: the editor opens again
    missing: int = 0
    failed: int = 0

    def note(self, error: ApiError, item: Item) -> str:
        """Keep the error for the next round; what is told of it at once."""
        named = f'{item.resource.plural} "{item.key.name}"'
        if isinstance(error, Invalid):
            causes = (error.details or {}).get("causes") or ()
            lines = "".join(f"# * {one.get('field', '')}: {one['message']}\n" for one in causes)
            self.reasons.append(f"# {named} was not valid{':' if lines else ''}\n{lines}")
            return f"error: {named} is invalid"
        if isinstance(error, NotFound):
            self.missing += 1
            return f"error: {named} could not be found on the server"
        self.failed += 1
        return f"error: {named} could not be patched: {error.message}"


def until_taken(session: Session, items: Sequence[Item], form: Form, send: Send, *, lasting: bool = False) -> None:
    """Edit the objects together. `lasting`: an error in sending ends the command instead of opening the editor again.

    Raises CommandError, ApiError; ends the command where the server did not take what was meant.
    """
    original = form.text([item.tree for item in items])
    body, done = original, Round()
    kept: Path | None = None
    while True:
        again = bool(done.reasons)
        try:
            file = _in_editor(form.above(done.reasons) + body, form)
        except CommandError:
            _told_kept(session, kept)
            raise
        edited = _without_comments(file.read_text())
        if again and edited == _without_comments(body):
            _told_kept(session, file)
            raise CommandError("Edit cancelled, no valid changes were saved.")
        if kept is not None:
            kept.unlink()
        kept = file
        if edited == _without_comments(original):
            file.unlink()
            return session.tell("Edit cancelled, no changes made.")
        body, done = edited, Round()
        try:
            _save(session, items, edited, send, done, lasting=lasting)
        except (CommandError, ApiError):
            _told_kept(session, file)
            raise
        if done.failed or done.missing:
            _end(session, done, file)
        if not done.reasons:
            return file.unlink()


def _save(session: Session, items: Sequence[Item], text: str, send: Send, done: Round, *, lasting: bool) -> None:
    """Each object on its way; errors that another round may mend are noted."""
    unreadable = _unreadable(text)
    if unreadable:
        cause = f'Invalid value: "The edited file failed validation": {unreadable}'
        session.tell(done.note(Invalid(unreadable, {"causes": [{"field": "<nil>", "message": cause}]}), items[0]))
        return
    for tree in _objects(text):
        item = _origin(items, tree)
        try:
            send(item, tree)
        except ApiError as error:
            if lasting:
                raise
            session.tell(done.note(error, item))


def _objects(text: str) -> list[Tree]:
    return [manifest.tree for manifest in parse(text.encode(), "edited-file")]


def _unreadable(text: str) -> str:
    """What a validator says of a text that is empty or no YAML."""
    if not text.strip():
        return "EOF"
    try:
        list(documents(text.encode()))
    except DecodeError as error:
        return str(error).removeprefix("error converting YAML to JSON: ")
    return ""


def _origin(items: Sequence[Item], tree: Tree) -> Item:
    """The object that this one was: the same UID, or the same kind and name; a lone one, whatever it is now."""
    if len(items) == 1:
        return items[0]
    metadata = tree.get("metadata") or {}
    for item in items:
        if metadata.get("uid") and metadata["uid"] == (item.tree.get("metadata") or {}).get("uid"):
            return item
    for item in items:
        if tree["kind"] == item.resource.kind and Key(metadata.get("namespace", ""), metadata.get("name", "")) == item.key:
            return item
    raise CommandError(f"no original object found for {metadata.get('name', '')}")


def _end(session: Session, done: Round, file: Path) -> None:
    if done.failed:
        session.tell(f"You can run `kubectl replace -f {file}` to try this update again.")
    else:
        session.tell(f'The edits you made on deleted resources have been saved to "{file}"')
    raise typer.Exit(1)


def _told_kept(session: Session, file: Path | None) -> None:
    if file is not None:
        session.tell(f'A copy of your changes has been stored to "{file}"')


def _in_editor(text: str, form: Form) -> Path:
    """A file with the text as the user's editor leaves it."""
    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi"
    newline = "\r\n" if form.windows else "\n"
    with tempfile.NamedTemporaryFile("w", prefix="kubectl-edit-", suffix=form.ending, delete=False, newline=newline) as file:
        file.write(text)
    path = Path(file.name)
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)
    except FileNotFoundError:
        path.unlink()
        raise CommandError(f'unable to launch the editor "{editor}"') from None
    if done.returncode:
        path.unlink()
        raise CommandError(f'there was a problem with the editor "{editor}"')
    return path


def _without_comments(text: str) -> str:
    return "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("#"))
