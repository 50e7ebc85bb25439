"""kubectl patch: change some fields of an object.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import yaml

from kube.api.meta import Tree
from kube.api.resource import Resource
from kubectl import options
from kubectl.changes import Changes
from kubectl.decoding import Loader, told
from kubectl.errors import CommandError
from kubectl.pod_templates import unsent
from kubectl.printers import Printer
from kubectl.selection import Item, Query, items
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}

Patch = Annotated[str, typer.Option("--patch", "-p", help="The patch to be applied to the resource JSON file.")]
PatchFile = Annotated[str, typer.Option("--patch-file", help="A file containing a patch to be applied to the resource.")]
Type = Annotated[
    str,
    typer.Option("--type", help="The type of patch being provided; one of [json merge strategic]"),
]
Subresource = Annotated[
    str, typer.Option("--subresource", help="If specified, patch will operate on the subresource of the requested object.")
]


@app.command(epilog="kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]")
def patch(
    context: typer.Context,
    patch: Patch = "",
    patch_file: PatchFile = "",
    type: Type = "strategic",
    subresource: Subresource = "",
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-patch",
    local: options.Local = False,
    record: options.Record = False,
) -> None:
    """Update fields of a resource using strategic merge patch, a JSON merge patch, or a JSON patch.

    JSON and YAML formats are accepted.

    Examples:
      # Partially update a node using a strategic merge patch, specifying the patch as JSON
      kubectl patch node k8s-node-1 -p '{"spec":{"unschedulable":true}}'

    """
    session: Session = context.obj
    flags = context.params
    if bool(patch) == bool(patch_file):
        told = (
            "cannot specify --patch and --patch-file together"
            if patch
            else "must specify --patch or --patch-file containing the contents of the patch"
        )
        raise CommandError(told)
    if type.lower() not in TYPES:
        raise CommandError("--type must be one of [json merge strategic], not " + f'"{type}"')
    body = read(_contents(patch_file) if patch_file else patch)
    changes = Changes.of(
        session, Printer(output, template, managed_fields=show_managed_fields), manager=field_manager, dry_run_flag=dry_run
    )
    changes = unsent(replace(changes, quiet=True), local)
    query = Query(session.args, filename, recursive, kustomize, local=local, every=False)
    session.each(items(session, query), lambda item: _patch(changes, item, body, flags))


def _patch(changes: Changes, item: Item, body: Any, flags: dict[str, Any]) -> None:
    kind, row = flags["type"].lower(), item.resource
    if kind == "strategic" and _custom(row):
        raise CommandError(
            f"application/strategic-merge-patch+json is not supported by {row.group}/{row.version}, Kind={row.kind}: the body of "
            "the request was in an unknown format - accepted media types include: application/json-patch+json, "
            "application/merge-patch+json, application/apply-patch+yaml"
        )
    here = changes.mode == "client"
    sent = b"null" if body is None else body
    tree = applied(item, body, kind) if here else changes.patch(item, sent, TYPES[kind], flags["subresource"])
    same = tree["metadata"].get("resourceVersion") == item.tree["metadata"].get("resourceVersion") and changes.mode == "none"
    changes.said(_answered(item, tree), tree, "patched (no change)" if same else "patched")


def _answered(item: Item, tree: Tree) -> Item:
    """What came back: a subresource may be of another kind (Scale)."""
    if tree.get("kind") in (None, item.resource.kind):
        return item
    group, _, version = tree["apiVersion"].rpartition("/")
    return replace(item, resource=Resource(group, version, tree["kind"], f"{tree['kind'].lower()}s"))


def _contents(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise CommandError(f"unable to read patch file: open {path}: {(error.strerror or '').lower()}") from error


def read(text: str) -> Any:
    """The patch, from JSON or YAML; JSON that cannot be read is sent as it is, for the server to say why. Raises CommandError."""
    if text.lstrip().startswith("{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text.encode()
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        raise CommandError(f'unable to parse "{text}": yaml: {told(error)}') from error


def applied(item: Item, patch: Any, kind: str) -> Tree:
    """What the patch would make of the object, worked out here."""
    from kube.api.patch import json_patch, merge, strategic

    if kind == "json":
        made: Tree = json_patch.apply(item.tree, patch)
        return made
    if kind == "merge":
        merged: Tree = merge.apply(item.tree, patch)
        return merged
    return strategic.apply(item.tree, patch, item.resource)


def _custom(resource: Resource) -> bool:
    from kube.api.definitions import of

    return of(resource) is None
