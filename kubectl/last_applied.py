"""apply view-last-applied, set-last-applied, edit-last-applied: what apply remembers of an object, to read and to write.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_apply/
"""

import json
from dataclasses import replace
from typing import Annotated

from typer import Context, Option

from kube.api.go_yaml import as_yaml
from kube.api.meta import Tree
from kube.api.status import NotFound
from kubectl import options
from kubectl.changes import LAST_APPLIED, Changes, applied_annotation, in_namespace
from kubectl.editing import APPLIED, Form, until_taken
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.manifests import load
from kubectl.printers import Printer
from kubectl.selection import REQUIRED, Item, Query, located
from kubectl.session import Session

CreateAnnotation = Annotated[
    bool,
    Option("--create-annotation", help="Will create 'last-applied-configuration' annotations if current objects doesn't have one"),
]


def view(
    context: Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    all: options.All = False,
    output: options.Output = "yaml",
) -> None:
    """View the latest last-applied-configuration annotations by type/name or file.

    Examples:
      # View the last-applied-configuration annotations by type/name in YAML
      kubectl apply view-last-applied deployment/nginx
    """
    session: Session = context.obj
    if not (session.args or filename or kustomize):
        raise CommandError(REQUIRED)
    if output not in ("yaml", "json"):
        raise UsageError(f"Unexpected -o output mode: {output}, the flag 'output' must be one of yaml|json")
    for item in session.items(Query(session.args, filename, recursive, kustomize, selector, all=all, every=False)):
        text = (item.tree["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if text is not None:
            tree = json.loads(text)
            print(json.dumps(tree, indent=2, sort_keys=True) + "\n" if output == "json" else as_yaml(tree), end="")


def remember(
    context: Context,
    filename: options.Filenames = [],  # noqa: B006
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    create_annotation: CreateAnnotation = False,
) -> None:
    """Set the latest last-applied-configuration annotations by setting it to match the contents of a file, without updating any
    other parts of the object.

    Examples:
      # Set the last-applied-configuration of a resource to match the contents of a file
      kubectl apply set-last-applied -f deploy.yaml
    """
    session: Session = context.obj
    if not filename:
        raise CommandError(REQUIRED)
    changes = Changes.of(session, Printer(output, template), dry_run_flag=dry_run)

    def one(item: Item) -> None:
        told = f'Resource: "{item.resource.group}/{item.resource.version}, Resource={item.resource.plural}"'
        if not item.key.name:
            row = item.resource
            raise CommandError(
                f'error when retrieving current configuration of:\n{told}, GroupVersionKind: "{row.group}/{row.version}, '
                f'Kind={row.kind}"\nName: "", Namespace: "{item.key.namespace}"\n'
                f'from server for: "{item.source}": resource name may not be empty'
            )
        try:
            live = session.server.request("GET", item.path).tree()
        except NotFound as error:
            raise CommandError(error.message) from error
        had = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
        if had is None and not create_annotation:
            raise CommandError(
                f"no last-applied-configuration annotation found on resource: {item.key.name}, to create the annotation, run the "
                "command with --create-annotation"
            )
        text = applied_annotation(item.tree)
        if had == text:
            session.say(f"set-last-applied {item.key.name}: no changes required.")
            return
        patch = {"metadata": {"annotations": {LAST_APPLIED: text}}}
        tree = live if changes.mode == "client" else changes.patch(item, patch, "application/merge-patch+json")
        changes.said(item, tree, "configured")

    session.each((in_namespace(located(session, manifest)) for manifest in load(filename)), one)


def edit(
    context: Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    validate: options.Validate = "strict",
    field_manager: options.FieldManager = "kubectl-client-side-apply",
    windows_line_endings: options.WindowsLines = False,
) -> None:
    """Edit the latest last-applied-configuration annotations of resources from the default editor.

    Examples:
      # Edit the last-applied-configuration annotations by type/name in YAML
      kubectl apply edit-last-applied deployment/nginx
    """
    session: Session = context.obj
    if not (session.args or filename or kustomize):
        raise CommandError(REQUIRED)
    Printer(output).check("json,kyaml,yaml")
    changes = Changes.of(session, Printer(output), manager=field_manager, validate=validate)
    live = session.items(Query(session.args, filename, recursive, kustomize))
    applied = [(item, (item.tree["metadata"].get("annotations") or {}).get(LAST_APPLIED)) for item in live]
    items = [replace(item, tree=json.loads(text)) for item, text in applied if text is not None]
    if not items:
        raise CommandError(
            "no last-applied-configuration annotation found on resources, to create the annotation, use command "
            "`kubectl apply set-last-applied --create-annotation`"
        )

    def send(item: Item, tree: Tree) -> None:
        if tree == item.tree:
            return changes.said(item, tree, "skipped")
        item = replace(item, key=item.key._replace(name=tree["metadata"]["name"]))
        patch = {"metadata": {"annotations": {LAST_APPLIED: applied_annotation(tree)}}}
        changes.patch(item, patch, "application/merge-patch+json")
        return changes.said(item, tree, "edited")

    until_taken(session, items, Form(output, APPLIED, windows_line_endings), send, lasting=True)
