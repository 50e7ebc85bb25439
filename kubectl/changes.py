"""Changes: how commands that write send an object, and what they say of it afterwards."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from kube.api.meta import Tree
from kube.api.status import ApiError, Invalid
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.printers.jsonpath import escape_html
from kubectl.selection import Item
from kubectl.session import Session, dry_run, suffix

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CHANGE_CAUSE = "kubernetes.io/change-cause"
VALIDATION = {"strict": "Strict", "true": "Strict", "warn": "Warn", "ignore": "Ignore", "false": "Ignore"}


@dataclass(frozen=True)
class Changes:
    """One command's way to write: as whom (`manager`), for real or not, and how results are shown."""

    session: Session
    printer: Printer
    manager: str = ""
    mode: str = "none"  # --dry-run: none, client, server
    validation: str = ""  # fieldValidation; empty: not asked for
    quiet: bool = False  # whether a dry run is not to be spoken of (--local)

    @classmethod
    def of(
        cls,
        session: Session,
        printer: Printer,
        *,
        manager: str = "",
        dry_run_flag: str = "none",
        validate: str = "",
    ) -> "Changes":
        """From flags. Raises CommandError for values that they do not take."""
        mode = dry_run(dry_run_flag)
        if validate and validate not in VALIDATION:
            options = "strict (or true), warn, ignore (or false)"
            raise CommandError(f'invalid - validate option "{validate}"; must be one of: {options}')
        return cls(session, printer.check(), manager, mode, VALIDATION.get(validate, ""))

    @property
    def params(self) -> dict[str, str | int | None]:
        return {
            "fieldManager": self.manager or None,
            "dryRun": "All" if self.mode == "server" else None,
            "fieldValidation": self.validation or None,
        }

    def create(self, item: Item) -> Tree:
        """POST, unless this is a client's dry run: then the object as it would be sent."""
        if self.mode == "client":
            return item.tree
        path = item.resource.path(item.key.namespace)
        try:
            return self.session.server.request("POST", path, params=self.params, body=item.tree).tree()
        except ApiError as error:
            raise explained(error, "creating", item) from error

    def replace(self, item: Item, subresource: str = "") -> Tree:
        if self.mode == "client":
            return item.tree
        path = item.resource.path(item.key.namespace, item.key.name, subresource)
        try:
            return self.session.server.request("PUT", path, params=self.params, body=item.tree).tree()
        except ApiError as error:
            raise explained(error, "replacing", item) from error

    def patch(self, item: Item, patch: Tree | list[Tree] | bytes, type: str, subresource: str = "") -> Tree:
        path = item.resource.path(item.key.namespace, item.key.name, subresource)
        headers = {"Content-Type": type}
        return self.session.server.request("PATCH", path, params=self.params, body=patch, headers=headers).tree()

    def apply(self, item: Item, *, force: bool) -> Tree:
        """Server-side apply."""
        params = {**self.params, "force": "true" if force else None}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return self.session.server.request("PATCH", item.path, params=params, body=item.tree, headers=headers).tree()

    def said(self, item: Item, tree: Tree, verb: str) -> None:
        """`deployment.apps/web created (dry run)`, or the object as -o asks."""
        if self.printer.format == "name":
            self.session.say(str(item if item.key.name else _named(item, tree)))
        elif self.printer.output:
            self.printer.show(tree)
        else:
            self.session.say(f"{_named(item, tree)} {verb}{suffix('none' if self.quiet else self.mode)}")


def sent_raw(session: Session, method: str, path: str, filenames: Sequence[str]) -> None:
    """--raw: one file as the body, to a path of the API. Raises CommandError."""
    if len(filenames) != 1:
        raise CommandError("--raw can only use a single local file or stdin")
    body = sys.stdin.buffer.read() if filenames[0] == "-" else Path(filenames[0]).read_bytes()
    print(session.server.request(method, path, body=body).body.decode(), end="")


def explained(error: ApiError, doing: str, item: Item) -> ApiError:
    """The error with what was being done to which file; one about fields speaks for itself."""
    if isinstance(error, Invalid) or not item.source:
        return error
    return type(error)(f'error when {doing} "{item.source}": {error.message}', error.details)


def _named(item: Item, tree: Tree) -> Item:
    """With the name that the server gave (generateName)."""
    name = tree.get("metadata", {}).get("name") or item.key.name
    return replace(item, key=item.key._replace(name=name))


def applied_annotation(tree: Tree) -> str:
    """The object as it was applied, without the annotation itself: JSON with sorted names and a line break."""
    return escape_html(orjson.dumps(with_annotations(tree), option=orjson.OPT_SORT_KEYS).decode()) + "\n"


def with_annotations(tree: Tree) -> Tree:
    """With all its annotations but apply's own; none is an empty map."""
    annotations = {name: text for name, text in (tree["metadata"].get("annotations") or {}).items() if name != LAST_APPLIED}
    return {**tree, "metadata": {**tree["metadata"], "annotations": annotations}}


def annotated(tree: Tree, name: str, text: str) -> Tree:
    """The object with one more annotation."""
    metadata = dict(tree["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), name: text}
    return {**tree, "metadata": metadata}


def in_namespace(item: Item) -> Item:
    """With metadata.namespace written into the object, as upstream sends it."""
    if not item.resource.namespaced or item.tree["metadata"].get("namespace"):
        return item
    return replace(item, tree={**item.tree, "metadata": {**item.tree["metadata"], "namespace": item.key.namespace}})
