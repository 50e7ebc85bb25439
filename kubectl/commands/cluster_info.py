"""kubectl cluster-info: where the control plane and the cluster's own services are; dump: what is in the cluster, with logs.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cluster-info/
"""

import sys

import typer

from kube.api.status import ApiError
from kubectl.cluster_dump import dump
from kubectl.selection import Query
from kubectl.session import Session
from kubectl.transport import Unreachable

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

LABEL = "kubernetes.io/cluster-service=true"
FURTHER = "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'."


@app.callback(invoke_without_command=True, epilog="kubectl cluster-info [flags]")
def cluster_info(context: typer.Context) -> None:
    """Display addresses of the control plane and services with label kubernetes.io/cluster-service=true. To further debug and
    diagnose cluster problems, use 'kubectl cluster-info dump'.

    Examples:
      # Print the address of the control plane and cluster services
      kubectl cluster-info
    """
    session: Session = context.obj
    if context.invoked_subcommand is not None:
        return
    session.flags.setdefault("namespace", "kube-system")
    try:
        items = session.items(Query(["services"], selector=LABEL))
    except (ApiError, Unreachable):
        session.say(FURTHER)
        raise
    _tell("Kubernetes control plane", session.config.server)
    for item in items:
        tree = item.tree
        ingress = ((tree.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        if ingress:
            host = ingress[0].get("ip") or ingress[0].get("hostname")
            link = " ".join(f"http://{host}:{port['port']}" for port in tree["spec"].get("ports") or ())
        else:
            ports = tree["spec"].get("ports") or ()
            name = f"{item.key.name}:{ports[0]['name']}" if ports and ports[0].get("name") else item.key.name
            scheme = "https:" if ports and (ports[0].get("name") == "https" or ports[0]["port"] == 443) else ""
            link = f"{session.config.server}/api/v1/namespaces/{item.key.namespace}/services/{scheme}{name}/proxy"
        _tell((tree["metadata"].get("labels") or {}).get("kubernetes.io/name") or item.key.name, link)
    session.say(FURTHER)


def _tell(name: str, link: str) -> None:
    """In green and yellow on a terminal."""
    if sys.stdout.isatty():
        print(f"\x1b[0;32m{name}\x1b[0m is running at \x1b[0;33m{link}\x1b[0m")
    else:
        print(f"{name} is running at {link}")


app.command(
    "dump",
    short_help="Dump relevant information for debugging and diagnosis",
    epilog="kubectl cluster-info dump [flags]",
)(dump)
