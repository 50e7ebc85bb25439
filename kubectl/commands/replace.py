"""kubectl replace: put a whole new object in the place of the old one.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_replace/
"""

from dataclasses import replace as changed
from typing import Annotated, Any

import typer

from kubectl import options
from kubectl.changes import LAST_APPLIED, Changes, annotated, applied_annotation, in_namespace, sent_raw
from kubectl.deleting import Ending
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.manifests import load
from kubectl.printers import Printer
from kubectl.selection import Item, located
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Subresource = Annotated[
    str, typer.Option("--subresource", help="If specified, replace will operate on the subresource of the requested object.")
]
Raw = Annotated[
    str, typer.Option("--raw", help="Raw URI to PUT to the server.  Uses the transport specified by the kubeconfig file.")
]


@app.command(epilog="kubectl replace -f FILENAME")
def replace(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    validate: options.Validate = "strict",
    save_config: options.SaveConfig = False,
    field_manager: options.FieldManager = "kubectl-replace",
    record: options.Record = False,
    subresource: Subresource = "",
    force: options.Force = False,
    grace_period: options.GracePeriod = -1,
    timeout: options.WaitTimeout = "0s",
    cascade: options.Cascade = "background",
    raw: Raw = "",
) -> None:
    """Replace a resource by file name or stdin.

    JSON and YAML formats are accepted. If replacing an existing resource, the complete resource spec must be provided. This
    can be obtained by

    Examples:
      # Replace a pod using the data in pod.json
      kubectl replace -f ./pod.json

      # Force replace, delete and then re-create the resource
      kubectl replace --force -f ./pod.json
    """
    session: Session = context.obj
    if not (filename or kustomize):
        raise CommandError("must specify one of -f and -k")
    if session.args:
        raise UsageError(f"Unexpected args: [{' '.join(session.args)}]")
    if raw:
        return sent_raw(session, "PUT", raw, filename)
    _check(context.params)
    printer = Printer(output, template, managed_fields=show_managed_fields)
    changes = Changes.of(session, printer, manager=field_manager, dry_run_flag=dry_run, validate=validate)
    manifests = load(filename, recursive=recursive, kustomize=kustomize, validated=changes.validation != "Ignore")
    if not manifests:
        raise CommandError("no objects passed to replace")

    items = (in_namespace(located(session, manifest)) for manifest in manifests)
    return session.each(items, lambda item: _one(changes, item, context.params))


def _one(changes: Changes, item: Item, flags: dict[str, Any]) -> None:
    if not item.key.name:
        raise CommandError(f'error when replacing "{item.source}": resource name may not be empty')
    if flags["save_config"] or LAST_APPLIED in (item.tree["metadata"].get("annotations") or {}):
        item = changed(item, tree=annotated(item.tree, LAST_APPLIED, applied_annotation(item.tree)))
    if not flags["force"]:
        return changes.said(item, changes.replace(item, flags["subresource"]), "replaced")
    _remove(changes.session, item, Ending.of(flags))
    return changes.said(item, changes.create(item), "replaced")


def _check(flags: dict[str, Any]) -> None:
    """Raises CommandError for flags that need --force, or must not be with it."""
    if flags["force"]:
        if flags["dry_run"] != "none":
            raise CommandError("--dry-run can not be used when --force is set")
        return
    for name, unset in (("grace_period", -1), ("timeout", "0s")):
        if flags[name] != unset:
            raise CommandError(f"--{name.replace('_', '-')} must have --force specified")


def _remove(session: Session, item: Item, ending: Ending) -> None:
    """Delete the old object and wait until it is gone."""
    from kubectl.commands.delete import Deletion

    deletion = Deletion(session, ending.options("none"), ignore_not_found=True)
    deletion.delete(item)
    deletion.wait(ending.seconds)
