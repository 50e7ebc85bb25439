"""kubectl api-versions: every group and version that the server has.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_api-versions/
"""

import typer

from kubectl.flags import UsageError
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command("api-versions")
def api_versions(context: typer.Context) -> None:
    """Print the supported API versions on the server, in the form of "group/version".

    Examples:
      # Print the supported API versions
      kubectl api-versions
    """
    session: Session = context.obj
    if session.args:
        raise UsageError(f"unexpected arguments: [{' '.join(session.args)}]")
    groups = session.server.request("GET", "/apis").tree()
    core = session.server.request("GET", "/api").tree()
    found = [one["groupVersion"] for group in groups.get("groups") or () for one in group["versions"]]
    found += core.get("versions") or ()
    print("\n".join(sorted(found)))
