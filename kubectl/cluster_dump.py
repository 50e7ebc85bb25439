"""kubectl cluster-info dump: nodes, and of namespaces the events, workloads and pods with their logs; on stdout or in files.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cluster-info/kubectl_cluster-info_dump/
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from typer import Context, Option

from kube.api.meta import Tree
from kube.api.status import ApiError
from kubectl import options
from kubectl.pods import POD
from kubectl.printers import Printer
from kubectl.session import Session

STANDARD_OUTPUT = ("", "-")
NAMESPACED = (
    ("events", "/api/v1/namespaces/{}/events"),
    ("replication-controllers", "/api/v1/namespaces/{}/replicationcontrollers"),
    ("services", "/api/v1/namespaces/{}/services"),
    ("daemonsets", "/apis/apps/v1/namespaces/{}/daemonsets"),
    ("deployments", "/apis/apps/v1/namespaces/{}/deployments"),
    ("replicasets", "/apis/apps/v1/namespaces/{}/replicasets"),
    ("pods", "/api/v1/namespaces/{}/pods"),
)

Namespaces = Annotated[
    list[str], Option("--namespaces", metavar=options.SLICE, help="A comma separated list of namespaces to dump.")
]
OutputDirectory = Annotated[
    str,
    Option(
        "--output-directory",
        help="Where to output the files.  If empty or '-' uses stdout, otherwise creates a directory hierarchy in that directory",
    ),
]


def dump(
    context: Context,
    all_namespaces: options.AllNamespaces = False,
    namespaces: Namespaces = [],  # noqa: B006 - read, never changed
    output: options.Output = "json",
    output_directory: OutputDirectory = "",
    pod_running_timeout: options.PodRunningTimeout = "20s",  # nothing waits, nor does upstream's: each pod is asked for by name
    template: options.Template = "",
    allow_missing: options.AllowMissing = True,
    show_managed_fields: options.ShowManagedFields = False,
) -> None:
    """Dump cluster information out suitable for debugging and diagnosing cluster problems. By default, dumps everything to
    stdout. You can optionally specify a directory with --output-directory. By default, only dumps things in the current
    namespace and 'kube-system' namespace, but you can switch to a different namespace with the --namespaces flag, or specify
    --all-namespaces to dump all namespaces.

    Examples:
      # Dump current cluster state to stdout
      kubectl cluster-info dump
    """
    session: Session = context.obj
    printer = Printer(output, template, allow_missing, show_managed_fields, own=True).check()
    target = Target(output_directory, printer)
    target.show("nodes", _listed(session, "/api/v1/nodes"))
    for namespace in _namespaces(session, namespaces, every=all_namespaces):
        found: Tree = {}
        for name, path in NAMESPACED:
            found = _listed(session, path.format(namespace))
            target.show(f"{namespace}/{name}", found)
        for pod in found["items"]:
            _logs(session, pod, target)
    if output_directory not in STANDARD_OUTPUT:
        session.say(f"Cluster info dumped to {output_directory}")


class Target:
    """Where the parts go: one after the other to stdout, or each to a file of its own."""

    def __init__(self, directory: str, printer: Printer) -> None:
        self._directory = directory
        self._printer = printer
        self._ending = {"json": ".json", "yaml": ".yaml"}.get(printer.format, ".txt")

    def show(self, name: str, tree: Tree) -> None:
        self._write(f"{name}{self._ending}", self._printer.text(tree))

    def log(self, name: str, parts: Iterator[str]) -> None:
        self._write(f"{name}/logs.txt", "".join(parts))

    def _write(self, name: str, text: str) -> None:
        if self._directory in STANDARD_OUTPUT:
            sys.stdout.write(text)
            return
        path = Path(self._directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _namespaces(session: Session, named: list[str], *, every: bool) -> list[str]:
    if every:
        found = session.server.request("GET", "/api/v1/namespaces").tree()
        return [one["metadata"]["name"] for one in found["items"]]
    return named or ["kube-system", session.namespace]


def _listed(session: Session, path: str) -> Tree:
    """A list, its kind first as upstream's types have it; the items do not say what they are."""
    tree = session.server.request("GET", path).tree()
    return {"kind": tree["kind"], "apiVersion": tree["apiVersion"], "metadata": tree["metadata"], "items": tree.get("items") or []}


def _logs(session: Session, pod: Tree, target: Target) -> None:
    """Of every container, between two lines that name it; what cannot be read is told in its place."""
    metadata, spec = pod["metadata"], pod["spec"]
    namespace, name = metadata["namespace"], metadata["name"]

    def parts() -> Iterator[str]:
        for one in (*(spec.get("initContainers") or ()), *spec["containers"]):
            where = f"logs for container {one['name']} of pod {namespace}/{name}"
            yield f"==== START {where} ====\n"
            params = {"container": one["name"]}
            try:
                yield session.server.request("GET", POD.path(namespace, name, "log"), params=params).body.decode()
            except ApiError as error:
                yield f"Request log error: {error.message}\n"
            yield f"==== END {where} ====\n"

    target.log(f"{namespace}/{name}", parts())
