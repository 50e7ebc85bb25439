"""kubectl version: of the client and of the server.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_version/
"""

from typing import Annotated

import typer

from kube.api.go_yaml import as_yaml
from kube.api.meta import Tree
from kube.client.version import version_info
from kubectl.errors import CommandError
from kubectl.printers.jsonpath import escape_html
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

SUPPORTED_SKEW = 1  # minor versions between client and server


@app.command()
def version(
    context: typer.Context,
    client: Annotated[bool, typer.Option("--client", help="If true, shows client version only (no server required).")] = False,
    output: Annotated[str, typer.Option("--output", "-o", help="One of 'yaml' or 'json'.")] = "",
    short: Annotated[bool, typer.Option("--short", hidden=True, help="Print just the version number.")] = False,
) -> None:
    """Print the client and server version information for the current context.

    Examples:
      # Print the client and server versions for the current context
      kubectl version
    """
    session: Session = context.obj
    if session.args:
        raise CommandError(f"extra arguments: [{' '.join(session.args)}]")
    if output not in ("", "yaml", "json"):
        raise CommandError("--output must be 'yaml' or 'json'")
    told: Tree = {"clientVersion": version_info()}
    try:
        if not client:
            told["serverVersion"] = session.server.request("GET", "/version").tree()
    finally:
        _show(told, output)
    if not client:
        _warn_of_skew(session, told)


def _show(told: Tree, output: str) -> None:
    """Also what is known where the server does not answer."""
    if output == "json":
        import json

        print(escape_html(json.dumps(told, indent=2)))
    elif output == "yaml":
        print(as_yaml(told), end="")
    else:
        print(f"Client Version: {told['clientVersion']['gitVersion']}")
        if "serverVersion" in told:
            print(f"Server Version: {told['serverVersion']['gitVersion']}")


def _warn_of_skew(session: Session, told: Tree) -> None:
    one, other = told["clientVersion"], told["serverVersion"]
    minors = [int(str(tree["minor"]).rstrip("+") or 0) for tree in (one, other)]
    if one["major"] != other["major"] or abs(minors[0] - minors[1]) > SUPPORTED_SKEW:
        session.tell(
            f"Warning: version difference between client ({one['major']}.{one['minor']}) and server "
            f"({other['major']}.{other['minor']}) exceeds the supported minor version skew of +/-1"
        )
