"""kubectl set: image, env, resources, serviceaccount of a pod template.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_set/
"""

from collections.abc import Callable
from typing import Annotated

import typer

from kube.api.meta import Tree
from kubectl import options
from kubectl.changes import CHANGE_CAUSE, Changes
from kubectl.creating.kit import pairs
from kubectl.errors import CommandError
from kubectl.printers import Printer
from kubectl.selection import Item, Query
from kubectl.session import Session

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Configure application resources.\n\nThese commands help you make changes to existing application resources.",
)
STRATEGIC = "application/strategic-merge-patch+json"
REQUIRED = "one or more resources must be specified as <resource> <name> or <resource>/<name>"
Decide = Callable[[Item, Tree], Tree]  # (object, its pod spec) -> the pod spec's patch; empty: nothing to change


def pod_spec(tree: Tree) -> tuple[Tree, tuple[str, ...]]:
    """The pod spec within an object, and the fields that lead to it. Raises CommandError where there is none."""
    paths: tuple[tuple[str, ...], ...] = (("spec", "jobTemplate", "spec", "template", "spec"), ("spec", "template", "spec"))
    if tree["kind"] == "Pod":
        paths = (("spec",),)
    for path in paths:
        found: Tree | None = tree
        for name in path:
            found = (found or {}).get(name)
        if found is not None:
            return found, path
    raise CommandError(f"the object is not a pod or does not have a pod template: {tree['kind']}")


def run(session: Session, query: Query, changes: Changes, decide: Decide, verb: str, record: bool) -> None:
    """Work out each object's patch and send it."""
    if not (query.args or query.by_file):
        raise CommandError(REQUIRED)

    def one(item: Item) -> None:
        spec, path = pod_spec(item.tree)
        inner = decide(item, spec)
        if not inner:
            return
        patch: Tree = inner
        for name in reversed(path):
            patch = {name: patch}
        if record:
            patch["metadata"] = {"annotations": {CHANGE_CAUSE: session.spoken}}
        if changes.mode == "client":
            from kube.api.patch import strategic

            tree = strategic.apply(item.tree, patch, item.resource)
        else:
            tree = changes.patch(item, patch, STRATEGIC)
        changes.said(item, tree, verb)

    session.each(session.items(query), one)


def divided(args: list[str]) -> tuple[list[str], list[str]]:
    """Resources, then NAME=VALUE or NAME- words."""
    changes = [arg for arg in args if "=" in arg or arg.endswith("-")]
    return [arg for arg in args if arg not in changes], changes


@app.command(
    short_help="Update the image of a pod template",
    epilog="kubectl set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
)
def image(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    all: options.All = False,
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-set",
    record: options.Record = False,
) -> None:
    """Update existing container image(s) of resources.

    Possible resources include (case insensitive): pod (po), replicationcontroller (rc), deployment (deploy), daemonset (ds),
    statefulset (sts), cronjob (cj), replicaset (rs)

    Examples:
      # Set a deployment's nginx container image to 'nginx:1.9.1', and its busybox container image to 'busybox'
      kubectl set image deployment/nginx busybox=busybox nginx=nginx:1.9.1

      # Update all deployments' and rc's nginx container's image to 'nginx:1.9.1'
      kubectl set image deployments,rc nginx=nginx:1.9.1 --all
    """
    session: Session = context.obj
    resources, words = divided(session.args)
    if not (resources or filename or kustomize):
        raise CommandError(REQUIRED)
    if not words:
        raise CommandError("at least one image update is required")
    images = pairs(words, "image")

    def decide(item: Item, spec: Tree) -> Tree:
        patch: Tree = {}
        missing = [name for name in images if name != "*"]
        for field in ("initContainers", "containers"):
            for container in spec.get(field) or ():
                wanted = images.get(container["name"]) or images.get("*")
                if container["name"] in missing:
                    missing.remove(container["name"])
                if wanted and wanted != container.get("image"):
                    patch.setdefault(field, []).append({"name": container["name"], "image": wanted})
        if missing:
            raise CommandError(f'unable to find container named "{missing[0]}"')
        return patch

    query = Query(resources, filename, recursive, kustomize, selector, all=all, every=False)
    changes = Changes.of(session, Printer(output, template), manager=field_manager, dry_run_flag=dry_run)
    run(session, query, changes, decide, "image updated", record)


Containers = Annotated[
    str, typer.Option("--containers", "-c", help="The names of containers in the selected pod templates to change.")
]
ListAll = Annotated[bool, typer.Option("--list", help="If true, display the environment and any changes in the standard format.")]


@app.command(
    short_help="Update environment variables on a pod template",
    epilog="kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
)
def env(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    all: options.All = False,
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-set",
    containers: Containers = "*",
    list_all: ListAll = False,
) -> None:
    """Update environment variables on a pod template.

    Examples:
      # Update deployment 'registry' with a new environment variable
      kubectl set env deployment/registry STORAGE_DIR=/local

      # Remove the environment variable ENV from all containers in deployment
      kubectl set env deployment/registry ENV-
    """
    from fnmatch import fnmatchcase

    session: Session = context.obj
    resources, words = divided(session.args)
    wanted = pairs([word for word in words if "=" in word], "environment variable")
    removed = [word[:-1] for word in words if "=" not in word]
    if not (words or list_all):
        raise CommandError("at least one environment variable must be provided")

    def decide(item: Item, spec: Tree) -> Tree:
        chosen = [one for one in spec.get("containers") or () if fnmatchcase(one["name"], containers)]
        if list_all:
            for container in chosen:
                print(f"# {item.tree['kind']} {item.key.name}, container {container['name']}")
                for variable in container.get("env") or ():
                    print(f"{variable['name']}={variable.get('value', '')}")
            return {}
        changed = []
        for container in chosen:
            have = {one["name"]: one for one in container.get("env") or ()}
            patch: list[Tree] = [
                {"name": name, "value": value, **({"valueFrom": None} if have.get(name, {}).get("valueFrom") else {})}
                for name, value in wanted.items()
                if have.get(name, {}).get("value") != value
            ]
            patch += [{"name": name, "$patch": "delete"} for name in removed if name in have]
            if patch:
                changed.append({"name": container["name"], "env": patch})
        return {"containers": changed} if changed else {}

    query = Query(resources, filename, recursive, kustomize, selector, all=all, every=False)
    changes = Changes.of(session, Printer(output, template), manager=field_manager, dry_run_flag=dry_run)
    run(session, query, changes, decide, "env updated", False)


@app.command(
    "resources",
    short_help="Update resource requests/limits on objects with pod templates",
    epilog="kubectl set resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]",
)
def resources_of(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    all: options.All = False,
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-set",
    containers: Annotated[str, typer.Option("--containers", "-c", help="The names of containers to change.")] = "*",
    limits: Annotated[
        str,
        typer.Option(
            "--limits", help="The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'."
        ),
    ] = "",
    requests: Annotated[
        str,
        typer.Option(
            "--requests", help="The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'."
        ),
    ] = "",
) -> None:
    """Specify compute resource requirements (CPU, memory) for any resource that defines a pod template.

    Examples:
      # Set a deployments nginx container cpu limits to "200m" and memory to "512Mi"
      kubectl set resources deployment nginx -c=nginx --limits=cpu=200m,memory=512Mi
    """
    from fnmatch import fnmatchcase

    session: Session = context.obj
    if not (limits or requests):
        raise CommandError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    wanted = {
        field: pairs(text.split(","), f"{field} argument") for field, text in (("limits", limits), ("requests", requests)) if text
    }

    def decide(item: Item, spec: Tree) -> Tree:
        chosen = [one["name"] for one in spec.get("containers") or () if fnmatchcase(one["name"], containers)]
        if not chosen:
            raise CommandError(f"unable to find container named {containers}")
        return {"containers": [{"name": name, "resources": wanted} for name in chosen]}

    query = Query(session.args, filename, recursive, kustomize, selector, all=all, every=False)
    changes = Changes.of(session, Printer(output, template), manager=field_manager, dry_run_flag=dry_run)
    run(session, query, changes, decide, "resource requirements updated", False)


@app.command(
    short_help="Update the service account of a resource",
    epilog="kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
)
def serviceaccount(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    all: options.All = False,
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-set",
) -> None:
    """Update the service account of pod template resources.

    Examples:
      # Set deployment nginx-deployment's service account to serviceaccount1
      kubectl set serviceaccount deployment nginx-deployment serviceaccount1
    """
    session: Session = context.obj
    if not session.args:
        raise CommandError("serviceaccount is required")
    *resources, account = session.args
    patch = {"serviceAccountName": account, "serviceAccount": account}
    query = Query(resources, filename, recursive, kustomize, all=all, every=False)
    changes = Changes.of(session, Printer(output, template), manager=field_manager, dry_run_flag=dry_run)
    run(session, query, changes, lambda item, spec: patch, "serviceaccount updated", False)


ALIASES = {"sa": "serviceaccount"}
