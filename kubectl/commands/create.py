"""kubectl create: new objects, from files or from a kind's own flags.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

import typer

from kubectl import options
from kubectl.changes import CHANGE_CAUSE, LAST_APPLIED, annotated, applied_annotation, in_namespace, sent_raw
from kubectl.creating import configuration, rbac, service, small, workload
from kubectl.creating.kit import changes_of
from kubectl.editing import Form, until_taken
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.manifests import load, with_labels
from kubectl.selection import Item, located
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
secret = typer.Typer(
    help="Create a secret with specified type.\n\nA docker-registry type secret is for accessing a container registry.\n\n"
    "A generic type secret indicate an Opaque secret type.\n\nA tls type secret holds TLS certificate and its associated key.",
    short_help="Create a secret using a specified subcommand",
)
services = typer.Typer(
    help="Create a service using a specified subcommand.", short_help="Create a service using a specified subcommand"
)

Generator = Callable[..., None]
GENERATORS: dict[str, Generator] = {
    "clusterrole": rbac.clusterrole,
    "clusterrolebinding": rbac.clusterrolebinding,
    "configmap": configuration.configmap,
    "cronjob": workload.cronjob,
    "deployment": workload.deployment,
    "ingress": small.ingress,
    "job": workload.job,
    "namespace": small.namespace,
    "poddisruptionbudget": small.poddisruptionbudget,
    "priorityclass": small.priorityclass,
    "quota": small.quota,
    "role": rbac.role,
    "rolebinding": rbac.rolebinding,
    "serviceaccount": small.serviceaccount,
    "token": small.token,
}
SECRETS: dict[str, Generator] = {
    "docker-registry": configuration.docker_registry,
    "generic": configuration.generic,
    "tls": configuration.tls,
}
SERVICES: dict[str, Generator] = {
    "clusterip": service.clusterip,
    "externalname": service.externalname,
    "loadbalancer": service.loadbalancer,
    "nodeport": service.nodeport,
}
for group, generators in ((app, GENERATORS), (secret, SECRETS), (services, SERVICES)):
    for name, function in generators.items():
        group.command(name)(function)
app.add_typer(secret, name="secret")
app.add_typer(services, name="service")

ALIASES = {
    "cm": "configmap",
    "ns": "namespace",
    "sa": "serviceaccount",
    "svc": "service",
    "deploy": "deployment",
    "dep": "deployment",
    "cj": "cronjob",
    "ing": "ingress",
    "pc": "priorityclass",
    "pdb": "poddisruptionbudget",
    "resourcequota": "quota",
}

Edited = Annotated[bool, typer.Option("--edit", help="Edit the API resource before creating")]
Raw = Annotated[
    str, typer.Option("--raw", help="Raw URI to POST to the server.  Uses the transport specified by the kubeconfig file.")
]


@app.callback(invoke_without_command=True, epilog="kubectl create -f FILENAME")
def create(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    output: options.Output = "",
    template: options.Template = "",
    allow_missing: options.AllowMissing = True,
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    validate: options.Validate = "strict",
    save_config: options.SaveConfig = False,
    field_manager: options.FieldManager = "kubectl-create",
    record: options.Record = False,
    raw: Raw = "",
    edit: Edited = False,
    windows_line_endings: options.WindowsLines = False,
) -> None:
    """Create a resource from a file or from stdin.

    Examples:
      # Create a pod using the data in pod.json
      kubectl create -f ./pod.json

      # Create a pod based on the JSON passed into stdin
      cat pod.json | kubectl create -f -
    """
    session: Session = context.obj
    if session.args:
        raise UsageError(f"Unexpected args: [{' '.join(session.args)}]")
    if not (filename or kustomize):
        raise CommandError("must specify one of -f and -k")
    if raw:
        return sent_raw(session, "POST", raw, filename)
    return _create(session, context.params)


def _create(session: Session, flags: dict[str, Any]) -> None:
    names = ("output", "template", "allow_missing", "show_managed_fields", "dry_run", "validate", "field_manager")
    session.flags.update({name: flags[name] for name in names})
    save_config, record = flags["save_config"], flags["record"]
    changes = changes_of(session)
    changes = replace(changes, printer=replace(changes.printer, own=False))
    manifests = load(
        flags["filename"], recursive=flags["recursive"], kustomize=flags["kustomize"], validated=changes.validation != "Ignore"
    )
    manifests = with_labels(manifests, flags["selector"])
    if not manifests:
        raise CommandError("no objects passed to create")

    def one(item: Item) -> None:
        tree = annotated(item.tree, CHANGE_CAUSE, session.spoken) if record else item.tree
        if save_config:
            tree = annotated(tree, LAST_APPLIED, applied_annotation(tree))
        item = replace(item, tree=tree)
        changes.said(item, changes.create(item), "created")

    def shown(item: Item) -> None:
        form = Form(flags["output"], windows=flags["windows_line_endings"])
        until_taken(session, [item], form, lambda item, tree: one(replace(item, tree=tree)), lasting=True)

    found = (in_namespace(located(session, manifest)) for manifest in manifests)
    return session.each(found, shown if flags["edit"] else one)
