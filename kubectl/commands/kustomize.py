"""kubectl kustomize: print the objects of a folder with a kustomization.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/kustomization/
"""

from pathlib import Path
from typing import Annotated

import typer

from kube.api.go_yaml import as_yaml
from kubectl.errors import CommandError
from kubectl.kustomize.build import build
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Output = Annotated[str, typer.Option("--output", "-o", help="If specified, write output to this path.")]


@app.command(epilog="kubectl kustomize DIR")
def kustomize(context: typer.Context, output: Output = "") -> None:
    """Build a set of KRM resources using a 'kustomization.yaml' file. The DIR argument must be a path to a directory containing
    'kustomization.yaml'. If DIR is omitted, '.' is assumed.

    Examples:
      # Build the current working directory
      kubectl kustomize

      # Build some shared configuration directory
      kubectl kustomize /home/config/production
    """
    session: Session = context.obj
    if len(session.args) > 1:
        raise CommandError(f"specify one path to kustomization.yaml (given: {len(session.args)})")
    text = "---\n".join(as_yaml(tree) for tree in build(session.args[0] if session.args else "."))
    if not output:
        print(text, end="")
    elif Path(output).is_dir():
        raise CommandError(f"unable to write output to a directory: {output}")
    else:
        Path(output).write_text(text)
