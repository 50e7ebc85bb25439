"""kubectl auth: can-i, reconcile, whoami.

https://kubernetes.io/docs/reference/kubectl/generated/kubectl_auth/
"""

from dataclasses import replace
from typing import Annotated, Any

import typer

from kube.api.meta import Tree
from kube.api.status import NotFound
from kubectl import options
from kubectl.changes import Changes, in_namespace
from kubectl.errors import CommandError
from kubectl.manifests import load
from kubectl.printers import Printer
from kubectl.printers.tabwriter import Table
from kubectl.reconciling import Difference, difference, shown
from kubectl.selection import Item, located
from kubectl.session import Session

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help="Inspect authorization.")
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
NOT_SERVED = ("*", "users", "groups")  # what rules name, and no server has as objects
VERBS = (
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "impersonate", "*", "approve",
    "sign", "escalate", "attest",
)  # fmt: skip
URL_VERBS = ("get", "put", "post", "head", "options", "delete", "patch", "*")
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@app.command(
    "can-i", short_help="Check whether an action is allowed", epilog="kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]"
)
def can_i(
    context: typer.Context,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="If true, check the specified action in all namespaces.")
    ] = False,
    subresource: Annotated[str, typer.Option("--subresource", help="SubResource such as pod/log or deployment/scale")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="If true, suppress output and just return the exit code.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="If true, prints all allowed actions.")] = False,
    no_headers: options.NoHeaders = False,
) -> None:
    """Check whether an action is allowed.

    VERB is a logical Kubernetes API verb like 'get', 'list', 'watch', 'delete', etc. TYPE is a Kubernetes resource. NAME is the
    name of a particular Kubernetes resource.

    Examples:
      # Check to see if I can create pods in any namespace
      kubectl auth can-i create pods --all-namespaces

      # Check to see if I can get the job named "bar" in namespace "foo"
      kubectl auth can-i list jobs.batch/bar -n foo
    """
    session: Session = context.obj
    _check(session.args, context.params)
    if list_all:
        return _list(session, no_headers)
    verb, what = session.args
    namespace = "" if all_namespaces else session.namespace
    review = {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": _attributes(session, verb, what, subresource, namespace),
    }
    status = session.server.request("POST", REVIEWS, body=review).tree()["status"]
    if not quiet:
        reason = f" - {status['reason']}" if status.get("reason") and not status.get("allowed") else ""
        session.say("yes" if status.get("allowed") else f"no{reason}")
    if not status.get("allowed"):
        raise typer.Exit(1)
    return None


def _check(args: list[str], flags: dict[str, Any]) -> None:
    """Raises CommandError for what does not go together."""
    if flags["list_all"]:
        if args:
            raise CommandError("list option must be specified with no arguments")
        if flags["quiet"] or flags["all_namespaces"] or flags["subresource"]:
            raise CommandError("list option can't be specified with neither quiet, all-namespaces nor subresource options")
        return
    if len(args) != 2:
        raise CommandError(
            "you must specify two arguments: verb resource or verb resource/resourceName.\n"
            "See 'kubectl auth can-i -h' for help and examples."
        )
    if flags["no_headers"]:
        raise CommandError("--no-headers cannot be set without --list specified")
    if args[1].startswith("/") and flags["subresource"]:
        raise CommandError("--subresource can not be used with NonResourceURL")


def _attributes(session: Session, verb: str, what: str, subresource: str, namespace: str) -> Tree:
    if verb not in (URL_VERBS if what.startswith("/") else VERBS):
        session.tell(f"Warning: verb '{verb}' is not a known verb\n")
    if what.startswith("/"):
        return {"nonResourceAttributes": {"path": what, "verb": verb}}
    kind, _, name = what.partition("/")
    resource = session.discovery.lookup(kind) if kind != "*" else None
    plural, _, group = kind.partition(".")
    if resource is None and kind not in NOT_SERVED:
        within = f" in group '{group}'" if group else ""
        session.tell(f"Warning: the server doesn't have a resource type '{plural}'{within}\n")
    if resource is not None and not resource.namespaced and namespace:
        session.tell(
            f"Warning: resource '{resource.plural}' is not namespace scoped"
            + (f" in group '{resource.group}'" if resource.group else "")
            + "\n"
        )
        namespace = ""
    attributes = {
        "namespace": namespace,
        "verb": verb,
        "group": resource.group if resource else ("*" if kind == "*" else group),
        "resource": resource.plural if resource else plural,
        "subresource": subresource,
        "name": name,
    }
    return {"resourceAttributes": {field: value for field, value in attributes.items() if value}}


def _list(session: Session, no_headers: bool) -> None:
    review = {"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "spec": {"namespace": session.namespace}}
    status = session.server.request("POST", RULES, body=review).tree()["status"]
    header = [] if no_headers else [["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]]
    print("\n".join(Table().lines([*header, *_rules(status)])))


def _rules(status: Tree) -> list[list[str]]:
    """A row for each resource and each URL, ordered as upstream's type prints: by verbs, group, resource, names, URL."""
    found = []
    for rule in status.get("resourceRules") or ():
        verbs, names = _words(rule.get("verbs")), _words(rule.get("resourceNames"))
        for group in rule.get("apiGroups") or ("",):
            for one in rule.get("resources") or ():
                found.append((f"{verbs} [{group}] [{one}] {names}", [f"{one}.{group}" if group else one, "[]", names, verbs]))
    for rule in status.get("nonResourceRules") or ():
        verbs = _words(rule.get("verbs"))
        found += [(f"{verbs} [] [] [] [{url}]", ["", f"[{url}]", "[]", verbs]) for url in rule.get("nonResourceURLs") or ()]
    return [row for _, row in sorted(found)]


def _words(found: list[str] | None) -> str:
    return f"[{' '.join(found or ())}]"


@app.command(
    short_help="Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects",
    epilog="kubectl auth reconcile -f FILENAME",
)
def reconcile(
    context: typer.Context,
    filename: options.Filenames = [],  # noqa: B006 - read, never changed
    kustomize: options.Kustomize = "",
    recursive: options.Recursive = False,
    output: options.Output = "",
    template: options.Template = "",
    show_managed_fields: options.ShowManagedFields = False,
    dry_run: options.DryRun = "none",
    remove_extra_permissions: Annotated[
        bool, typer.Option("--remove-extra-permissions", help="If true, removes extra permissions added to roles")
    ] = False,
    remove_extra_subjects: Annotated[
        bool, typer.Option("--remove-extra-subjects", help="If true, removes extra subjects added to rolebindings")
    ] = False,
) -> None:
    """Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects.

    Missing objects are created.

    Existing roles are updated to include the permissions in the input objects, and remove extra permissions if
    --remove-extra-permissions is specified.

    Examples:
      # Reconcile RBAC resources from a file
      kubectl auth reconcile -f my-rbac-rules.yaml
    """
    session: Session = context.obj
    if not (filename or kustomize):
        raise CommandError("must specify one of -f and -k")
    if session.args:
        raise CommandError("no arguments are allowed")
    if dry_run == "server":
        raise CommandError("--dry-run=server for command reconcile is not supported yet")
    changes = Changes.of(session, Printer(output, template, managed_fields=show_managed_fields), dry_run_flag=dry_run)

    manifests = load(filename, recursive=recursive, kustomize=kustomize)
    items = (in_namespace(located(session, manifest)) for manifest in manifests)
    session.each(items, lambda item: _reconcile(changes, item, context.params))


def _reconcile(changes: Changes, item: Item, flags: dict[str, Any]) -> None:
    """Objects of other groups are left alone."""
    if item.resource.group != "rbac.authorization.k8s.io":
        return
    binding = item.resource.kind.endswith("Binding")
    try:
        live = changes.session.server.request("GET", item.path).tree()
    except NotFound:
        live = None
    found = difference(item.tree, live, remove_extra=flags["remove_extra_subjects" if binding else "remove_extra_permissions"])
    changes.said(item, _reconciled(changes, item, found), "reconciled")
    if not flags["output"]:
        _told(changes.session, found, "subjects" if binding else "rules")


def _reconciled(changes: Changes, item: Item, found: Difference) -> Tree:
    """The object as the server has it afterwards."""
    made = replace(item, tree=found.tree)
    if found.operation == "create":
        return changes.create(made)
    if found.operation == "update":
        return changes.replace(made)
    if found.operation == "recreate":
        if changes.mode == "none":
            changes.session.server.request("DELETE", item.path)
        return changes.create(made) if changes.mode != "server" else found.tree
    return found.tree


def _told(session: Session, found: Difference, things: str) -> None:
    if found.operation:
        session.tell(f"\treconciliation required {found.operation}")
    for heading, lines in ((f"missing {things} added", found.added), (f"extra {things} removed", found.removed)):
        if lines:
            session.tell("\n".join([f"\t{heading}:", *(f"\t\t{shown(line)}" for line in lines)]))


@app.command(short_help="Experimental: Check self subject attributes", epilog="kubectl auth whoami")
def whoami(
    context: typer.Context,
    output: options.Output = "",
    template: options.Template = "",
    allow_missing: options.AllowMissing = True,
    show_managed_fields: options.ShowManagedFields = False,
) -> None:
    """Experimental: Check who you are and your attributes (groups, extra).

    Examples:
      # Get your subject attributes
      kubectl auth whoami
    """
    session: Session = context.obj
    review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    answer = session.server.request("POST", WHO, body=review).tree()
    printer = Printer(output, template, allow_missing, show_managed_fields, own=True).check()
    user = answer["status"]["userInfo"]
    if output:
        ordered = {field: user[field] for field in ("username", "uid", "groups", "extra") if field in user}
        return printer.show({**review, "metadata": answer["metadata"], "status": {"userInfo": ordered}})
    rows = [["ATTRIBUTE", "VALUE"], ["Username", user.get("username", "")]]
    if user.get("uid"):
        rows.append(["UID", user["uid"]])
    if user.get("groups"):
        rows.append(["Groups", _words(user["groups"])])
    rows += [[f"Extra: {name}", _words(values)] for name, values in sorted((user.get("extra") or {}).items())]
    print("\n".join(Table().lines(rows)))
    return None
