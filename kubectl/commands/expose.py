"""kubectl expose: a Service for what is running.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_expose/
"""

from typing import Annotated, Any

import typer

from kube.api.meta import Tree
from kube.api.resource import Resource
from kubectl import options
from kubectl.creating.kit import label_map, overridden, pairs
from kubectl.errors import CommandError
from kubectl.selection import REQUIRED, Item, Query
from kubectl.session import Session

SERVICE = Resource("", "v1", "Service", "services")

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EXPOSABLE = ("Service", "ReplicationController", "ReplicaSet", "Deployment", "Pod")

Port = Annotated[
    str,
    typer.Option(
        "--port", help="The port that the service should serve on. Copied from the resource being exposed, if unspecified"
    ),
]
TargetPort = Annotated[
    str,
    typer.Option(
        "--target-port",
        help="Name or number for the port on the container that the service should direct traffic to. Optional.",
    ),
]
Protocol = Annotated[str, typer.Option("--protocol", help="The network protocol for the service to be created. Default is 'TCP'.")]
Type = Annotated[
    str,
    typer.Option(
        "--type", help="Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName. Default is 'ClusterIP'."
    ),
]
Name = Annotated[str, typer.Option("--name", help="The name for the newly created object.")]
Selector = Annotated[
    str,
    typer.Option(
        "--selector",
        help="A label selector to use for this service. Only equality-based selector requirements are supported. If empty "
        "(the default) infer the selector from the resource being exposed.",
    ),
]
Labels = Annotated[str, typer.Option("--labels", "-l", help="Labels to apply to the service created by this call.")]
ClusterIp = Annotated[
    str,
    typer.Option(
        "--cluster-ip",
        help="ClusterIP to be assigned to the service. Leave empty to auto-allocate, or set to 'None' to create a headless "
        "service.",
    ),
]
ExternalIp = Annotated[str, typer.Option("--external-ip", help="Additional external IP address to accept for the service.")]
LoadBalancerIp = Annotated[str, typer.Option("--load-balancer-ip", help="IP to assign to the LoadBalancer.")]
SessionAffinity = Annotated[
    str,
    typer.Option(
        "--session-affinity",
        help="If non-empty, set the session affinity for the service to this; legal values: 'None', 'ClientIP'",
    ),
]


@app.command(
    epilog="kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] "
    "[--name=name] [--external-ip=external-ip-of-service] [--type=type]"
)
def expose(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    save_config: options.SaveConfig = False,
    field_manager: options.FieldManager = "kubectl-expose",
    port: Port = "",
    target_port: TargetPort = "",
    protocol: Protocol = "",
    type: Type = "",
    name: Name = "",
    selector: Selector = "",
    labels: Labels = "",
    cluster_ip: ClusterIp = "",
    external_ip: ExternalIp = "",
    load_balancer_ip: LoadBalancerIp = "",
    session_affinity: SessionAffinity = "",
    overrides: options.Overrides = "",
    override_type: options.OverrideType = "merge",
) -> None:
    """Expose a resource as a new Kubernetes service.

    Looks up a deployment, service, replica set, replication controller or pod by name and uses the selector for that resource
    as the selector for a new service on the specified port.

    Examples:
      # Create a service for an nginx deployment, which serves on port 80 and connects to the containers on port 8000
      kubectl expose deployment nginx --port=80 --target-port=8000
    """
    session: Session = context.obj
    if not (session.args or filename or kustomize):
        raise CommandError(REQUIRED)
    query = Query(session.args, filename, recursive, kustomize, every=False)
    session.each(session.items(query), lambda item: _expose(session, item, context.params))


def _expose(session: Session, item: Item, flags: dict[str, Any]) -> None:
    from kubectl.creating.kit import create

    names = ("output", "template", "show_managed_fields", "dry_run", "save_config", "field_manager")
    session.flags.update({name: flags[name] for name in names})
    if session.namespace != item.key.namespace:
        session.flags["namespace"] = item.key.namespace
    made = overridden(service(item, flags), flags["overrides"], flags["override_type"], SERVICE)
    create(session, made, "services", verb="exposed")


def service(item: Item, flags: dict[str, Any]) -> Tree:
    """The Service for an object. Raises CommandError for what cannot be exposed."""
    if item.tree["kind"] not in EXPOSABLE:
        raise CommandError(f"cannot expose a {item.tree['kind']}")
    ports = (
        [flags["port"]]
        if flags["port"]
        else [str(one["port"] if "port" in one else one["containerPort"]) for one in declared(item.tree)]
    )
    if flags["port"]:
        ports = flags["port"].split(",")
    if not ports:
        raise CommandError("couldn't find port via --port flag or introspection")
    protocols = {str(one.get("port", one.get("containerPort"))): one.get("protocol", "TCP") for one in declared(item.tree)}
    labels = label_map(flags["labels"]) if flags["labels"] else item.tree["metadata"].get("labels") or {}
    metadata: Tree = {"name": flags["name"] or item.key.name}
    if labels:
        metadata["labels"] = labels
    made = []
    for at, text in enumerate(ports):
        if not text.isdecimal():
            raise CommandError(f'strconv.Atoi: parsing "{text}": invalid syntax')
        target = flags["target_port"] or text
        entry: Tree = {"name": f"port-{at + 1}"} if len(ports) > 1 else {}
        entry["protocol"] = flags["protocol"] or protocols.get(text, "TCP")
        entry["port"] = int(text)
        entry["targetPort"] = int(target) if target.isdecimal() else target
        made.append(entry)
    spec: Tree = {"ports": made, "selector": _selector(item, flags["selector"])}
    for field, flag in (
        ("clusterIP", "cluster_ip"),
        ("type", "type"),
        ("loadBalancerIP", "load_balancer_ip"),
        ("sessionAffinity", "session_affinity"),
    ):
        if flags[flag]:
            spec[field] = flags[flag]
    if flags["external_ip"]:
        spec["externalIPs"] = [flags["external_ip"]]
    return {"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def declared(tree: Tree) -> list[Tree]:
    """The ports that an object says it has."""
    if tree["kind"] == "Service":
        return list(tree["spec"].get("ports") or ())
    spec = tree["spec"] if tree["kind"] == "Pod" else tree["spec"]["template"]["spec"]
    return [port for container in spec.get("containers") or () for port in container.get("ports") or ()]


def _selector(item: Item, given: str) -> dict[str, str]:
    if given:
        return pairs(given.split(","), "selector")
    tree = item.tree
    if tree["kind"] == "Pod":
        labels: dict[str, str] = tree["metadata"].get("labels") or {}
        if not labels:
            raise CommandError(
                "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed"
            )
        return labels
    selector = tree["spec"].get("selector") or {}
    if tree["kind"] in ("Service", "ReplicationController"):
        if not selector:
            raise CommandError(
                "couldn't retrieve selectors via --selector flag or introspection: the service has no pod selector set"
            )
        return dict(selector)
    if selector.get("matchExpressions"):
        raise CommandError(
            "couldn't retrieve selectors via --selector flag or introspection: "
            'couldn\'t convert expressions - "%+v" to map-based selector format'
        )
    return dict(selector.get("matchLabels") or {})
