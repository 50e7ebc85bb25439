"""kubectl port-forward: local ports that end at ports of a pod.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_port-forward/
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from kube.api.duration import parse_go
from kube.api.meta import Key, Tree
from kubectl import options
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.forwarding import Forwarder, Ports
from kubectl.pods import POD, pods_of, running_or_done, wait_for
from kubectl.selection import Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

HIGHEST = 65535

Address = Annotated[
    list[str],
    typer.Option(
        "--address",
        metavar=options.SLICE,
        help="Addresses to listen on (comma separated). Only accepts IP addresses or localhost as a value. When localhost is "
        "supplied, kubectl will try to bind on both 127.0.0.1 and ::1 and will fail if neither of these addresses are "
        "available to bind.",
    ),
]


@app.command(
    "port-forward", epilog="kubectl port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]"
)
def port_forward(
    context: typer.Context,
    address: Address = [],  # noqa: B006 - read, never changed
    pod_running_timeout: options.PodRunningTimeout = "1m0s",
) -> None:
    """Forward one or more local ports to a pod.

    Use resource type/name such as deployment/mydeployment to select a pod. Resource type defaults to 'pod' if omitted.

    If there are multiple pods matching the criteria, a pod will be selected automatically. The forwarding session ends when the
    selected pod terminates, and a rerun of the command is needed to resume forwarding.

    Examples:
      # Listen on ports 5000 and 6000 locally, forwarding data to/from ports 5000 and 6000 in the pod
      kubectl port-forward pod/mypod 5000 6000

      # Listen on port 8443 locally, forwarding to the targetPort of the service's port named "https" in a pod selected by it
      kubectl port-forward service/myservice 8443:https

      # Listen on a random port locally, forwarding to 5000 in the pod
      kubectl port-forward pod/mypod :5000
    """
    session: Session = context.obj
    if len(session.args) < 2:
        raise UsageError("TYPE/NAME and list of ports are required for port-forward")
    seconds = parse_go(pod_running_timeout)
    if seconds <= 0:
        raise CommandError("--pod-running-timeout must be higher than zero")
    target, *specifications = session.args
    (item,) = session.items(Query([target if "/" in target else f"pod/{target}"]))
    pod = pods_of(session, item)[0]
    key = Key(pod["metadata"]["namespace"], pod["metadata"]["name"])
    service = item.tree if item.resource.kind == "Service" else None
    if item.tree["kind"] != "Pod" and (pod.get("status") or {}).get("phase") != "Running":
        pod = wait_for(session, key, running_or_done, seconds)
    phase = pod["status"]["phase"]
    if phase != "Running":
        raise CommandError(f"unable to forward port because pod is not running. Current status={phase}")
    wanted = [resolved(specification, pod, service) for specification in specifications]
    forwarder = Forwarder(session, POD.path(*key, "portforward"), wanted, address or ["localhost"])
    asyncio.run(forwarder.run())


def resolved(specification: str, pod: Tree, service: Tree | None) -> Ports:
    """`[LOCAL:]REMOTE` as numbers: names, and a Service's ports, are the ports that they lead to. Pure. Raises CommandError."""
    parts = specification.split(":")
    if len(parts) > 2 or not parts[-1]:
        raise CommandError(f"invalid port format '{specification}'")
    local, remote = parts[0], parts[-1]
    number = _of_service(remote, pod, service) if service is not None else _of_pod(remote, pod)
    if local == remote:  # upstream keeps a Service's port as the local one, and gives a name the number that it stands for
        local = remote if remote.isdecimal() else str(number)
    if not local:
        local = "0"
    if not local.isdecimal() or int(local) > HIGHEST:
        raise CommandError(f"error parsing local port '{local}': strconv.ParseUint: parsing \"{local}\": invalid syntax")
    if not 0 < number <= HIGHEST:
        raise CommandError("remote port must be > 0")
    return Ports(int(local), number)


def _of_pod(word: str, pod: Tree) -> int:
    _refuse_udp(word, list(_container_ports(pod)), "containerPort")
    if word.isdecimal():
        return int(word)
    for port in _container_ports(pod):
        if port.get("name") == word:
            return int(port["containerPort"])
    raise CommandError(f"Pod '{pod['metadata']['name']}' does not have a named port '{word}'")


def _of_service(word: str, pod: Tree, service: Tree) -> int:
    name, ports = service["metadata"]["name"], service["spec"].get("ports") or ()
    _refuse_udp(word, ports, "port")
    port = next((one for one in ports if word in (one.get("name"), str(one["port"]))), None)
    if port is None:
        if word.isdecimal():
            raise CommandError(f"Service {name} does not have a service port {word}")
        raise CommandError(f"Service '{name}' does not have a named port '{word}'")
    if service["spec"].get("clusterIP") == "None":
        return int(port["port"])
    target: Any = port.get("targetPort") or port["port"]
    return target if isinstance(target, int) else _of_pod(target, pod)


def _refuse_udp(word: str, ports: Sequence[Tree], field: str) -> None:
    """Raises CommandError for a port that is there by UDP alone."""
    protocols = {one.get("protocol", "TCP") for one in ports if word in (one.get("name"), str(one[field]))}
    if protocols == {"UDP"}:
        raise CommandError(f"UDP protocol is not supported for {word}")


def _container_ports(pod: Tree) -> Iterator[Tree]:
    for container in pod["spec"]["containers"]:
        yield from container.get("ports") or ()
