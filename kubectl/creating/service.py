"""create service clusterip, nodeport, loadbalancer, externalname.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/kubectl_create_service/
"""

from typing import Annotated

from typer import Context, Option

from kube.api.meta import Tree
from kubectl.creating.kit import create, name_argument
from kubectl.errors import CommandError
from kubectl.session import Session

Tcp = Annotated[list[str], Option("--tcp", metavar="slice", help="Port pairs can be specified as '<port>:<targetPort>'.")]
HIGHEST_PORT = 65535


def clusterip(
    context: Context,
    tcp: Tcp = [],  # noqa: B006 - read, never changed
    clusterip: Annotated[
        str, Option("--clusterip", help="Assign your own ClusterIP or set to 'None' for a 'headless' service (no loadbalancing).")
    ] = "",
) -> None:
    """Create a ClusterIP service with the specified name.

    Examples:
      # Create a new ClusterIP service named my-cs
      kubectl create service clusterip my-cs --tcp=5678:8080

      # Create a new ClusterIP service named my-cs (in headless mode)
      kubectl create service clusterip my-cs --clusterip="None"
    """
    if not tcp and clusterip != "None":
        raise CommandError("at least one tcp port specifier must be provided")
    _create(context.obj, "ClusterIP", tcp, {"clusterIP": clusterip})


def nodeport(
    context: Context,
    tcp: Tcp = [],  # noqa: B006
    node_port: Annotated[int, Option("--node-port", help="Port used to expose the service on each node in a cluster.")] = 0,
) -> None:
    """Create a NodePort service with the specified name.

    Examples:
      # Create a new NodePort service named my-ns
      kubectl create service nodeport my-ns --tcp=5678:8080
    """
    if not tcp:
        raise CommandError("at least one tcp port specifier must be provided")
    _create(context.obj, "NodePort", tcp, {}, node_port)


def loadbalancer(context: Context, tcp: Tcp = []) -> None:  # noqa: B006
    """Create a LoadBalancer service with the specified name.

    Examples:
      # Create a new LoadBalancer service named my-lbs
      kubectl create service loadbalancer my-lbs --tcp=5678:8080
    """
    if not tcp:
        raise CommandError("at least one tcp port specifier must be provided")
    _create(context.obj, "LoadBalancer", tcp, {})


def externalname(
    context: Context,
    external_name: Annotated[str, Option("--external-name", help="External name of service")],
    tcp: Tcp = [],  # noqa: B006
) -> None:
    """Create an ExternalName service with the specified name.

    Examples:
      # Create a new ExternalName service named my-ns
      kubectl create service externalname my-ns --external-name bar.com
    """
    _create(context.obj, "ExternalName", tcp, {"externalName": external_name})


def _create(session: Session, type: str, tcp: list[str], more: dict[str, str], node_port: int = 0) -> None:
    name = name_argument(session)
    labels = {"app": name}
    spec: Tree = {}
    if tcp:
        spec["ports"] = [port(text, node_port) for text in tcp]
    spec["selector"] = labels
    spec.update({field: value for field, value in more.items() if value and field == "clusterIP"})
    spec["type"] = type
    spec.update({field: value for field, value in more.items() if value and field != "clusterIP"})
    tree = {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"loadBalancer": {}},
    }
    create(session, tree, "services", failed=f"failed to create {type} service:")


def port(text: str, node_port: int = 0) -> Tree:
    """`80`, `80:8080`, `80:http`. Raises CommandError."""
    first, colon, second = text.partition(":")
    number = _number(first)
    target: int | str = number
    if colon:
        target = _number(second) if second.isdecimal() else second
    made: Tree = {"name": text.replace(":", "-"), "protocol": "TCP", "port": number, "targetPort": target}
    if node_port:
        made["nodePort"] = node_port
    return made


def _number(text: str) -> int:
    if not text.isdecimal():
        raise CommandError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if int(text) > HIGHEST_PORT:
        raise CommandError(f'strconv.ParseUint: parsing "{text}": value out of range')
    if not int(text):
        raise CommandError(f"must be between 1 and {HIGHEST_PORT}, inclusive")
    return int(text)
