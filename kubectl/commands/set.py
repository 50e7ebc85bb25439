"""kubectl set: image, env, resources, serviceaccount of a pod template; selector of a Service; subjects of a role binding.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_set/
"""

import base64
import sys
from dataclasses import replace
from typing import Annotated, Any

import typer

from kube.api.labels import parse
from kube.api.meta import Tree
from kubectl import options
from kubectl.changes import Changes
from kubectl.creating.rbac import Accounts, Groups, Users, subjects
from kubectl.creating.small import hard_limits
from kubectl.environment import Wanted, changed, chosen, from_object, listed, parsed
from kubectl.errors import CommandError
from kubectl.metadata import NONE_GIVEN
from kubectl.pod_templates import Setting, divided, pod_spec, unsent
from kubectl.printers import Printer
from kubectl.selection import REQUIRED, Item, Query
from kubectl.session import Session

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Configure application resources.\n\nThese commands help you make changes to existing application resources.",
)

Containers = Annotated[
    str, typer.Option("--containers", "-c", help="The names of containers in the selected pod templates to change.")
]
Limits = Annotated[
    str,
    typer.Option("--limits", help="The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'."),
]
Requests = Annotated[
    str,
    typer.Option("--requests", help="The resource requirement requests for this container.  For example, 'cpu=100m,memory=256Mi'."),
]
ListAll = Annotated[bool, typer.Option("--list", help="If true, display the environment and any changes in the standard format.")]
Resolve = Annotated[bool, typer.Option("--resolve", help="If true, show secret or configmap references when listing variables")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="If true, allow environment to be overwritten, otherwise reject updates that overwrite existing environment.",
    ),
]
From = Annotated[str, typer.Option("--from", help="The name of a resource from which to inject environment variables")]
Prefix = Annotated[str, typer.Option("--prefix", help="Prefix to append to variable names")]
Keys = Annotated[
    list[str], typer.Option("--keys", metavar=options.SLICE, help="Comma-separated list of keys to import from specified resource")
]
Env = Annotated[
    list[str],
    typer.Option("--env", "-e", help="Specify a key-value pair for an environment variable to set into each container."),
]
ResourceVersion = Annotated[
    str,
    typer.Option(
        "--resource-version",
        help="If non-empty, the selectors update will only succeed if this is the current resource-version for the object. Only "
        "valid when specifying a single resource.",
    ),
]


def _setting(session: Session, flags: dict[str, Any], args: list[str], verb: str, failed: str = "") -> Setting:
    """What the flags that all of them share say."""
    local = flags["local"]
    query = Query(
        args,
        flags["filename"],
        flags["recursive"],
        flags["kustomize"],
        flags.get("selector", ""),
        all=flags["all"],
        every=False,
        local=local,
    )
    printer = Printer(flags["output"], flags["template"])
    changes = Changes.of(session, printer, manager=flags["field_manager"], dry_run_flag=flags["dry_run"])
    return Setting(session, query, unsent(changes, local), verb, failed, flags.get("record", False))


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
    local: options.Local = False,
    record: options.Record = False,
) -> None:
    """Update existing container image(s) of resources.

    Possible resources include (case insensitive): pod (po), replicationcontroller (rc), deployment (deploy), daemonset (ds),
    statefulset (sts), cronjob (cj), replicaset (rs)

    Examples:
      # Set a deployment's nginx container image to 'nginx:1.9.1', and its busybox container image to 'busybox'
      kubectl set image deployment/nginx busybox=busybox nginx=nginx:1.9.1
    """
    session: Session = context.obj
    resources, words = divided(session.args)
    if not (resources or filename or kustomize):
        raise CommandError(REQUIRED)
    if not words:
        raise CommandError("at least one image update is required")
    images = dict(word.partition("=")[::2] for word in words)

    def change(item: Item, tree: Tree) -> None:
        containers = chosen(pod_spec(item, tree), "*")
        missing = set(images) - {"*", *(one["name"] for one in containers)}
        if missing:
            raise CommandError(f'unable to find container named "{next(name for name in images if name in missing)}"')
        for one in containers:
            one["image"] = images.get(one["name"], images.get("*", one.get("image")))

    _setting(session, context.params, resources, "image updated", "failed to patch image update to pod template:").run(change)


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
    local: options.Local = False,
    containers: Containers = "*",
    list_all: ListAll = False,
    resolve: Resolve = False,
    overwrite: Overwrite = True,
    source: From = "",
    prefix: Prefix = "",
    keys: Keys = [],  # noqa: B006
    env: Env = [],  # noqa: B006
) -> None:
    """Update environment variables on a pod template.

    Examples:
      # Update deployment 'registry' with a new environment variable
      kubectl set env deployment/registry STORAGE_DIR=/local

      # Remove the environment variable ENV from all containers in deployment
      kubectl set env deployment/registry ENV-

      # Import environment from a config map with a prefix
      kubectl set env --from=configmap/myconfigmap --prefix=MYSQL_ deployment/myapp
    """
    resources, words = divided(context.obj.args)
    if not (resources or filename or kustomize):
        raise CommandError(NONE_GIVEN)
    if list_all and output:
        raise CommandError("--list and --output may not be specified together")
    wanted = parsed([*env, *words], sys.stdin.read)
    if source:
        wanted.set.extend(_imported(context.obj, source, keys, prefix))
    _set_env(context.obj, context.params, resources, wanted)


def _imported(session: Session, source: str, keys: list[str], prefix: str) -> list[Tree]:
    (item,) = session.items(Query([source]))
    if item.tree["kind"] not in ("ConfigMap", "Secret"):
        raise CommandError("unsupported resource specified in --from")
    return from_object(item.tree, keys, prefix, session.tell)


def _set_env(session: Session, flags: dict[str, Any], resources: list[str], wanted: Wanted) -> None:
    def value(kind: str, name: str, key: str) -> str:
        (item,) = session.items(Query([kind, name]))
        text = str((item.tree.get("data") or {}).get(key, ""))
        return base64.b64decode(text).decode() if kind == "secret" else text

    def change(item: Item, tree: Tree) -> None:
        found = chosen(pod_spec(item, tree), flags["containers"])
        if not found:
            session.tell(
                f'Warning: {item.tree["kind"]}/{item.key.name} does not have any containers matching "{flags["containers"]}"'
            )
        for one in found:
            changed(one, wanted, flags["overwrite"], f"{item.resource.plural}/{item.key.name}")
            if flags["list_all"]:
                print("\n".join(listed(item.tree["kind"], item.key.name, one, value if flags["resolve"] else None)))
        if flags["list_all"]:
            tree.clear()
            tree.update(item.tree)

    _setting(session, flags, resources, "env updated", "failed to patch env update to pod template:").run(change)


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
    local: options.Local = False,
    containers: Containers = "*",
    limits: Limits = "",
    requests: Requests = "",
) -> None:
    """Specify compute resource requirements (CPU, memory) for any resource that defines a pod template.

    Examples:
      # Set a deployments nginx container cpu limits to "200m" and memory to "512Mi"
      kubectl set resources deployment nginx -c=nginx --limits=cpu=200m,memory=512Mi
    """
    session: Session = context.obj
    if not (session.args or filename or kustomize):
        raise CommandError(REQUIRED)
    if not (limits or requests):
        raise CommandError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    wanted = {field: hard_limits(text, "invalid") for field, text in (("limits", limits), ("requests", requests)) if text}

    def change(item: Item, tree: Tree) -> None:
        found = chosen(pod_spec(item, tree), containers)
        if not found:
            raise CommandError(f"unable to find container named {containers}")
        for one in found:
            have = one.get("resources") or {}
            one["resources"] = {**have, **{field: {**(have.get(field) or {}), **wanted[field]} for field in wanted}}

    failed = "failed to patch resources update to pod template"
    _setting(session, context.params, session.args, "resource requirements updated", failed).run(change)


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
    local: options.Local = False,
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

    def change(item: Item, tree: Tree) -> None:
        pod_spec(item, tree)["serviceAccountName"] = account

    replace(_setting(session, context.params, resources, "serviceaccount updated"), always=True).run(change)


@app.command(
    short_help="Set the selector on a resource",
    epilog="kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]",
)
def selector(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006
    recursive: options.Recursive = False,
    all: options.All = False,
    output: options.Output = "",
    template: options.Template = "",
    dry_run: options.DryRun = "none",
    field_manager: options.FieldManager = "kubectl-set",
    local: options.Local = False,
    resource_version: ResourceVersion = "",
) -> None:
    """Set the selector on a resource. Note that the new selector will overwrite the old selector if the resource had one prior to
    the invocation of 'set selector'. Only supported for Services.

    Examples:
      # Set the labels and selector before creating a deployment/service pair
      kubectl create service clusterip my-svc --clusterip="None" -o yaml --dry-run=client | kubectl set selector --local -f -
    """
    session: Session = context.obj
    if not session.args:
        raise CommandError("one selector is required")
    *resources, text = session.args

    def change(item: Item, tree: Tree) -> None:
        if item.resource.kind != "Service":
            raise CommandError("setting a selector is only supported for Services")
        tree["spec"]["selector"] = _equalities(text)

    _setting(session, {"kustomize": "", **context.params}, resources, "selector updated").run(change)


def _equalities(text: str) -> dict[str, str]:
    """A Service selects by equality alone. Raises CommandError."""
    unfit = [one for one in parse(text).requirements if one.operator != "Equals"]
    if unfit:
        shown = " ".join(f"{{{one.key} {one.operator} [{' '.join(one.values)}]}}" for one in unfit)
        raise CommandError(f"match expression [{shown}] not supported on this object")
    return {one.key: next(iter(one.values)) for one in parse(text).requirements}


@app.command(
    short_help="Update the user, group, or service account in a role binding or cluster role binding",
    epilog="kubectl set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:name]",
)
def subject(
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
    local: options.Local = False,
    user: Users = [],  # noqa: B006
    group: Groups = [],  # noqa: B006
    serviceaccount: Accounts = [],  # noqa: B006
) -> None:
    """Update the user, group, or service account in a role binding or cluster role binding.

    Examples:
      # Update a cluster role binding for serviceaccount1
      kubectl set subject clusterrolebinding admin --serviceaccount=namespace:serviceaccount1
    """
    session: Session = context.obj
    if not (session.args or filename or kustomize):
        raise CommandError(REQUIRED)
    if not (user or group or serviceaccount):
        raise CommandError("you must specify at least one value of user, group or serviceaccount")
    wanted = subjects(user, group, serviceaccount)

    def change(item: Item, tree: Tree) -> None:
        if item.resource.kind not in ("RoleBinding", "ClusterRoleBinding"):
            where = f"{item.resource.plural}/{item.key.name}"
            raise CommandError(f"{where} setting subjects is only supported for RoleBinding/ClusterRoleBinding")
        have = tree.get("subjects") or []
        tree["subjects"] = [*have, *(one for one in wanted if one not in have)]

    _setting(session, context.params, session.args, "subjects updated").run(change)


ALIASES = {"sa": "serviceaccount"}
