"""kubectl annotate: add, change and remove annotations.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_annotate/
"""

from typing import Annotated

import typer

from kubectl import options
from kubectl.metadata import Edit
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(
    epilog="kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]"
)
def annotate(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    field_selector: options.FieldSelector = "",
    all_namespaces: options.AllNamespaces = False,
    all: Annotated[
        bool, typer.Option("--all", help="Select all resources, in the namespace of the specified resource types")
    ] = False,
    output: options.Output = "",
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-annotate",
    local: options.Local = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="If true, allow annotations to be overwritten, otherwise reject "
            "annotation updates that overwrite existing annotations.",
        ),
    ] = False,
    resource_version: Annotated[
        str,
        typer.Option(
            "--resource-version",
            help="If non-empty, the annotation update will only succeed if this is the current resource-version for the object. "
            "Only valid when specifying a single resource.",
        ),
    ] = "",
    list_all: Annotated[bool, typer.Option("--list", help="If true, display the annotations for a given resource.")] = False,
) -> None:
    """Update the annotations on one or more resources.

    Examples:
      # Update pod 'foo' with the annotation 'unhealthy' and the value 'true'
      kubectl annotate pods foo unhealthy=true

      # Update pod 'foo' with the annotation 'status' and the value 'unhealthy', overwriting any existing value
      kubectl annotate --overwrite pods foo status=unhealthy

      # Update pod 'foo' by removing an annotation named 'bar' if it exists
      kubectl annotate pods foo bar-
    """
    session: Session = context.obj
    Edit.of(session, "annotations", context.params).run()
