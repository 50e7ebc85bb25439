"""kubectl cordon: Mark node as unschedulable.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cordon/
"""

import typer

from kubectl import options
from kubectl.flags import UsageError
from kubectl.nodes import cordon_all, nodes
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog="kubectl cordon NODE")
def cordon(
    context: typer.Context,
    selector: options.Selector = "",
    dry_run: options.DryRun = "none",
) -> None:
    """Mark node as unschedulable.

    Examples:
      # Mark node as unschedulable.
      kubectl cordon foo
    """
    session: Session = context.obj
    if not session.args and not selector:
        raise UsageError("USAGE: cordon NODE [flags]")
    cordon_all(session, nodes(session, selector), True, dry_run)
