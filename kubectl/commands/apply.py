"""kubectl apply: make the server's objects what the files say.

Client side: a three-way merge of what was applied last (an annotation on the object), the file, and the live object.
Server side: the server keeps who owns which field. https://kubernetes.io/docs/reference/kubectl/generated/kubectl_apply/
"""

import time
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import orjson
import typer

from kube.api.meta import Tree
from kube.api.status import ApiError, Conflict, Invalid, NotFound
from kubectl import options
from kubectl.changes import CHANGE_CAUSE, LAST_APPLIED, Changes, annotated, applied_annotation, in_namespace
from kubectl.deleting import Ending, uid_of, wait_gone
from kubectl.errors import CommandError
from kubectl.last_applied import edit, remember, view
from kubectl.manifests import Manifest, load, with_labels
from kubectl.migration import DEFAULT, migrate
from kubectl.printers import Printer
from kubectl.pruning import Pruner, checked
from kubectl.selection import Item, located
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

TRIES = 5  # when the object changes between reading and writing
MISSING_ANNOTATION = (
    "Warning: resource {} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by "
    "kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create "
    "--save-config or kubectl apply. The missing annotation will be patched automatically."
)
CONFLICT_HELP = """
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


ServerSideFlag = Annotated[bool, typer.Option("--server-side", help="If true, apply runs in the server instead of the client.")]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Automatically resolve conflicts between the modified and live configuration by using values from the "
        "modified configuration",
    ),
]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Automatically delete resource objects, that do not appear in the configs and are created by either apply or create "
        "--save-config. Should be used with either -l or --all.",
    ),
]


@app.callback(invoke_without_command=True, epilog="kubectl apply (-f FILENAME | -k DIRECTORY)")
def apply(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    selector: options.Selector = "",
    output: options.Output = "",
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    validate: options.Validate = "strict",
    record: options.Record = False,
    field_manager: options.FieldManager = "kubectl-client-side-apply",
    server_side: ServerSideFlag = False,
    force_conflicts: options.ForceConflicts = False,
    overwrite: Overwrite = True,
    force: options.Force = False,
    prune: Prune = False,
    prune_allowlist: options.PruneAllowlist = [],  # noqa: B006
    all: options.All = False,
    grace_period: options.GracePeriod = -1,
    wait: options.Wait = False,
    timeout: options.WaitTimeout = "0s",
    cascade: options.Cascade = "background",
) -> None:
    """Apply a configuration to a resource by file name or stdin. The resource name must be specified. This resource will be
    created if it doesn't exist yet. To use 'apply', always create the resource initially with either 'apply' or 'create
    --save-config'.

    Examples:
      # Apply the configuration in pod.json to a pod
      kubectl apply -f ./pod.json

    """
    session: Session = context.obj
    if context.invoked_subcommand is not None:
        return
    _check(session, context.params)
    manager = DEFAULT if server_side and field_manager == "kubectl-client-side-apply" else field_manager
    collected = Collected(output, template, managed_fields=show_managed_fields)
    changes = Changes.of(session, collected, manager=manager, dry_run_flag=dry_run, validate=validate)
    manifests = _loaded(context.params, validated=changes.validation != "Ignore")
    cause, ending = session.spoken if record else "", Ending.of(context.params)
    step = ServerSide(changes, force_conflicts) if server_side else ClientSide(changes, overwrite, cause, ending)
    collected.several = len(manifests) > 1
    _apply(session, manifests, step)
    if prune:
        Pruner(session, selector, changes.mode, ending, prune_allowlist).prune(step.applied)
    collected.flush()


def _loaded(flags: dict[str, Any], *, validated: bool) -> list[Manifest]:
    found = load(flags["filename"], recursive=flags["recursive"], kustomize=flags["kustomize"], validated=validated)
    found = with_labels(found, flags["selector"])
    if not found:
        raise CommandError("no objects passed to apply")
    return found


def _check(session: Session, flags: dict[str, Any]) -> None:
    """Raises CommandError for flags that do not go together."""
    if session.args:
        raise CommandError(f"Unexpected args: [{' '.join(session.args)}]\nSee 'kubectl apply -h' for help and examples")
    if not (flags["filename"] or flags["kustomize"]):
        raise CommandError("must specify one of -f and -k")
    if flags["filename"] and flags["kustomize"]:
        raise CommandError("only one of -f or -k can be specified")
    if flags["prune"]:
        if flags["server_side"]:
            raise CommandError("--prune is in alpha and doesn't currently work on objects created by server-side apply")
        checked(flags["selector"], flags["all"], flags["prune_allowlist"])
    if flags["force_conflicts"] and not flags["server_side"]:
        raise CommandError("--force-conflicts only works with --server-side")


def _apply(session: Session, manifests: list[Manifest], step: "ServerSide | ClientSide") -> None:
    def one(item: Item) -> None:
        if not item.key.name and item.tree["metadata"].get("generateName"):
            raise CommandError(f"from {item.tree['metadata']['generateName']}: cannot use generate name with apply")
        step.applied.append(item)
        step.apply(item)

    session.each((in_namespace(located(session, manifest)) for manifest in manifests), one)


@dataclass
class Collected(Printer):
    """-o of several objects at once: they are printed as one List when all are applied."""

    several: bool = False

    def __post_init__(self) -> None:
        self._trees: list[Tree] = []

    def show(self, tree: Tree) -> None:
        self._trees.append(tree)

    def flush(self) -> None:
        if self.several and self._trees:
            super().show({"apiVersion": "v1", "items": self._trees, "kind": "List", "metadata": {}})
        elif self._trees:
            super().show(self._trees[0])


@dataclass(frozen=True)
class ServerSide:
    changes: Changes
    force: bool
    applied: list[Item] = field(default_factory=list)

    def apply(self, item: Item) -> None:
        if self.changes.mode == "client":
            raise CommandError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
        if not item.key.name:
            raise CommandError("resource name may not be empty")
        tree = self._applied(item)
        if migrate(self.changes, item, tree):
            tree = self._applied(item)
        self.changes.said(item, tree, "serverside-applied")

    def _applied(self, item: Item) -> Tree:
        try:
            return self.changes.apply(item, force=self.force)
        except Conflict as error:
            raise CommandError(f"{error.message}{CONFLICT_HELP}") if "Apply failed" in error.message else error from error


@dataclass(frozen=True)
class ClientSide:
    changes: Changes
    overwrite: bool
    cause: str
    ending: Ending
    applied: list[Item] = field(default_factory=list)

    def apply(self, item: Item) -> None:
        if not item.key.name:
            raise CommandError(
                f"error when retrieving current configuration of:\n{_about(item)}\n"
                f'from server for: "{item.source}": resource name may not be empty'
            )
        if self.cause:
            item = replace(item, tree=annotated(item.tree, CHANGE_CAUSE, self.cause))
        applied = annotated(item.tree, LAST_APPLIED, applied_annotation(item.tree))
        try:
            live = self.changes.session.server.request("GET", item.path).tree()
        except NotFound:
            self.changes.said(item, self.changes.create(replace(item, tree=applied)), "created")
            return
        except ApiError as error:
            wanted = f"error when retrieving current configuration of:\n{_about(item)}"
            error.message = f'{wanted}\nfrom server for: "{item.source}": {error.message}'
            raise
        if LAST_APPLIED not in (live["metadata"].get("annotations") or {}):
            self.changes.session.tell(MISSING_ANNOTATION.format(f"{item.resource.plural}/{item.key.name}"))
        self._patch(item, applied, live)

    def _patch(self, item: Item, applied: Tree, live: Tree) -> None:
        for tries_left in reversed(range(TRIES)):
            patch, kind = three_way(item, applied, live)
            if not patch:
                return self.changes.said(item, live, "unchanged")
            if self.changes.mode == "client":
                return self.changes.said(item, _patched(item, live, patch, kind), "configured")
            try:
                changed = self.changes.patch(item, patch, kind)
                return self.changes.said(item, changed, "configured")
            except (Conflict, Invalid) as error:
                if self.ending.force:
                    return self._again(item, applied)
                if isinstance(error, Invalid):
                    raise
                if not tries_left:
                    raise
                live = self.changes.session.server.request("GET", item.path).tree()
            except ApiError as error:
                told = f'error when applying patch:\n{orjson.dumps(patch).decode()}\nto:\n{_about(item)}\nfor: "{item.source}": '
                raise CommandError(f"{told}{error.message}") from error
        return None

    def _again(self, item: Item, applied: Tree) -> None:
        """Delete the object, wait until it is gone, and make it anew."""
        session = self.changes.session
        gone = session.server.request("DELETE", item.path, body=self.ending.options("none")).tree()
        wait_gone(session, item, uid_of(gone), time.monotonic() + self.ending.seconds)
        self.changes.said(item, self.changes.create(replace(item, tree=applied)), "configured")


def three_way(item: Item, applied: Tree, live: Tree) -> tuple[Tree, str]:
    """The patch and its content type. Kinds that the schema does not know (custom ones) take a merge patch."""
    from kube.api.definitions import of
    from kube.api.patch import merge, strategic

    original = orjson.loads((live["metadata"].get("annotations") or {}).get(LAST_APPLIED) or b"{}")
    if of(item.resource) is None:
        return merge.three_way(original, applied, live), "application/merge-patch+json"
    return strategic.three_way(original, applied, live, item.resource), "application/strategic-merge-patch+json"


def _patched(item: Item, live: Tree, patch: Tree, kind: str) -> Tree:
    """What the patch would make of the object, worked out here."""
    from kube.api.patch import merge, strategic

    made: Tree = (
        merge.apply(live, patch)
        if "merge-patch" in kind and "strategic" not in kind
        else strategic.apply(live, patch, item.resource)
    )
    return made


def _about(item: Item) -> str:
    row = item.resource
    kind = f"{row.group}/{row.version}, Kind={row.kind}"
    return (
        f'Resource: "{row.group}/{row.version}, Resource={row.plural}", GroupVersionKind: "{kind}"\n'
        f'Name: "{item.key.name}", Namespace: "{item.key.namespace}"'
    )


app.command("view-last-applied", epilog="kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)")(view)
app.command("set-last-applied", epilog="kubectl apply set-last-applied -f FILENAME")(remember)
app.command("edit-last-applied", epilog="kubectl apply edit-last-applied (RESOURCE/NAME | -f FILENAME)")(edit)
