"""kubectl uncordon: Mark node as schedulable.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_uncordon/
"""

import typer

from kubectl import options
from kubectl.flags import UsageError
from kubectl.nodes import cordon_all, nodes
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog="kubectl uncordon NODE")
def uncordon(
    context: typer.Context,
    selector: options.Selector = "",
    dry_run: options.DryRun = "none",
) -> None:
    """Mark node as schedulable.

    Examples:
      # Mark node as schedulable.
      kubectl uncordon foo
    """
    session: Session = context.obj
    if not session.args and not selector:
        raise UsageError("USAGE: uncordon NODE [flags]")
    cordon_all(session, nodes(session, selector), False, dry_run)
