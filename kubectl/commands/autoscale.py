"""kubectl autoscale: a HorizontalPodAutoscaler for what can be scaled.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_autoscale/
"""

from typing import Annotated

import typer

from kube.api.meta import Key, Tree
from kube.api.quantity import is_valid
from kube.api.resource import Resource
from kubectl import options
from kubectl.changes import LAST_APPLIED, Changes, annotated, applied_annotation
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.selection import Item, Query
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

AUTOSCALER = Resource("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
UNITS = {"cpu": "m", "memory": "Mi"}  # of a number that has none

Maximum = Annotated[
    int, typer.Option("--max", help="The upper limit for the number of pods that can be set by the autoscaler. Required.")
]
Minimum = Annotated[
    int,
    typer.Option(
        "--min",
        help="The lower limit for the number of pods that can be set by the autoscaler. If it's not specified or negative, the "
        "server will apply a default value.",
    ),
]
Cpu = Annotated[
    str,
    typer.Option(
        "--cpu",
        help='Target CPU utilization over all the pods. When specified as a percentage (e.g."70%" for 70% of requested CPU) it '
        'will target average utilization. When specified as quantity (e.g."500m" for 500 milliCPU) it will target average value. '
        'Value without units is treated as a quantity with miliCPU being the unit (e.g."500" is "500m").',
    ),
]
Memory = Annotated[
    str,
    typer.Option(
        "--memory",
        help='Target memory utilization over all the pods. When specified  as a percentage (e.g."60%" for 60% of requested '
        'memory) it will target average utilization. When specified as quantity (e.g."200Mi" for 200 MiB, "1Gi" for 1 GiB) it '
        'will target average value. Value without units is treated as a quantity with mebibytes being the unit (e.g."200" is '
        '"200Mi").',
    ),
]
CpuPercent = Annotated[
    int,
    typer.Option(
        "--cpu-percent",
        hidden=True,
        help="The target average CPU utilization (represented as a percent of requested CPU) over all the pods.",
    ),
]
Name = Annotated[
    str,
    typer.Option(
        "--name", help="The name for the newly created object. If not specified, the name of the input resource will be used."
    ),
]


@app.command(epilog="kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU]")
def autoscale(
    context: typer.Context,
    maximum: Maximum,
    minimum: Minimum = -1,
    cpu: Cpu = "",
    memory: Memory = "",
    cpu_percent: CpuPercent = -1,
    name: Name = "",
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    save_config: options.SaveConfig = False,
    field_manager: options.FieldManager = "kubectl-autoscale",
) -> None:
    """Creates an autoscaler that automatically chooses and sets the number of pods that run in a Kubernetes cluster.

    Looks up a deployment, replica set, stateful set, or replication controller by name and creates an autoscaler that uses the
    given resource as a reference.

    Examples:
      # Auto scale a deployment "foo", with the number of pods between 2 and 10
      kubectl autoscale deployment foo --min=2 --max=10

      # Auto scale a replication controller "foo", with the number of pods between 1 and 5, target CPU utilization at 80%
      kubectl autoscale rc foo --max=5 --cpu=80%
    """
    session: Session = context.obj
    if maximum < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {maximum}")
    if maximum < minimum:
        raise CommandError(f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {maximum}, min: {minimum}")
    spec: Tree = {"maxReplicas": maximum}
    if minimum > 0:
        spec["minReplicas"] = minimum
    if metrics := metrics_of(cpu or (f"{cpu_percent}%" if cpu_percent >= 0 else ""), memory):
        spec["metrics"] = metrics
    changes = Changes.of(session, Printer(output, template), manager=field_manager, dry_run_flag=dry_run)

    def one(item: Item) -> None:
        made = _autoscaler(session, item, name or item.key.name, spec)
        if save_config:
            made = Item(made.resource, made.key, annotated(made.tree, LAST_APPLIED, applied_annotation(made.tree)))
        changes.said(made, changes.create(made), "autoscaled")

    session.each(session.items(Query(session.args, filename, recursive, kustomize, every=False)), one)


def metrics_of(cpu: str, memory: str) -> list[Tree]:
    """What the autoscaler aims at. Raises CommandError. Pure."""
    wanted = [(name, text) for name, text in (("cpu", cpu), ("memory", memory)) if text]
    return [{"type": "Resource", "resource": {"name": name, "target": _target(name, text)}} for name, text in wanted]


def _target(name: str, text: str) -> Tree:
    if text.endswith("%"):
        if not text[:-1].isdecimal():
            raise CommandError(f"invalid resource {name} value: {text}")
        return {"type": "Utilization", "averageUtilization": int(text[:-1])}
    amount = text + UNITS[name] if text.isdecimal() else text
    if not is_valid(amount):
        raise CommandError(f"invalid resource {name} value: {text}")
    return {"type": "AverageValue", "averageValue": amount}


def _autoscaler(session: Session, item: Item, name: str, spec: Tree) -> Item:
    row = item.resource
    if "scale" not in row.subresources:
        where = f"{row.group}/{row.version}, Resource={row.plural}"
        raise CommandError(f"cannot autoscale a {row.kind}: could not find scale subresource for {where} in discovery information")
    target = {"apiVersion": row.api_version, "kind": row.kind, "name": item.key.name}
    metadata: Tree = {"name": name, **({"namespace": item.key.namespace} if session.namespace_forced else {})}
    tree: Tree = {
        "kind": AUTOSCALER.kind,
        "apiVersion": AUTOSCALER.api_version,
        "metadata": metadata,
        "spec": {**spec, "scaleTargetRef": target},
        "status": {"desiredReplicas": 0, "currentMetrics": None},
    }
    return Item(AUTOSCALER, Key(item.key.namespace, name), tree)
