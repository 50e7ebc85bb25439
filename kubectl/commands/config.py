"""kubectl config: read and change kubeconfig files.

A change goes to the file that already holds the entry, else to the last file of $KUBECONFIG, else ~/.kube/config.
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

import base64
from typing import Annotated

import typer

from kube.api.meta import Tree
from kubectl import options
from kubectl.config_entries import (
    delete_cluster,
    delete_context,
    delete_user,
    names,
    one_name,
    rename_context,
    set_cluster,
    set_context,
    set_credentials,
)
from kubectl.config_file import ENTRIES, ConfigFile, entry_of, flattened, in_order, minified, redacted, set_path, unset_path
from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.printers import Printer
from kubectl.printers.tabwriter import Table
from kubectl.session import Session

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help='Modify kubeconfig files using subcommands like "kubectl config set current-context my-context".',
)
ALIASES = {"use": "use-context"}


@app.command(short_help="Display merged kubeconfig settings or a specified kubeconfig file", epilog="kubectl config view [flags]")
def view(
    context: typer.Context,
    output: options.Output = "yaml",
    template: options.Template = "",
    raw: Annotated[bool, typer.Option("--raw", help="Display raw byte data and sensitive data")] = False,
    minify: Annotated[
        bool, typer.Option("--minify", help="Remove all information not used by current-context from the output")
    ] = False,
    merge: Annotated[bool, typer.Option("--merge", help="Merge the full hierarchy of kubeconfig files")] = True,
    flatten: Annotated[
        bool,
        typer.Option(
            "--flatten",
            help="Flatten the resulting kubeconfig file into self-contained output (useful for creating portable kubeconfig files)",
        ),
    ] = False,
) -> None:
    """Display merged kubeconfig settings or a specified kubeconfig file.

    Examples:
      # Show merged kubeconfig settings
      kubectl config view

      # Show merged kubeconfig settings, raw certificate data, and exposed secrets
      kubectl config view --raw
    """
    session: Session = context.obj
    if session.args:
        raise UsageError(f"unexpected arguments: [{' '.join(session.args)}]")
    if not merge and not session.flags.get("kubeconfig"):
        raise CommandError("if merge==false a precise file must be specified")
    tree = ConfigFile.of(session).merged
    if minify:
        tree = minified(tree, session.flags.get("context") or tree.get("current-context", ""))
    if flatten:
        tree = flattened(tree)
    shown: Tree = {"kind": "Config", "apiVersion": "v1"}
    for name in ("clusters", "users", "contexts"):
        inner = ENTRIES[name]
        shown[name] = [{"name": one["name"], inner: in_order(inner, one.get(inner) or {})} for one in tree.get(name) or ()] or None
    shown["current-context"] = tree.get("current-context") or ""
    Printer(output, template, own=True).check().show(shown if raw or flatten else redacted(shown))


@app.command("get-contexts", short_help="Describe one or many contexts", epilog="kubectl config get-contexts [(-o|--output=)name)]")
def get_contexts(
    context: typer.Context,
    output: Annotated[str, typer.Option("--output", "-o", help="Output format. One of: (name).")] = "",
    no_headers: options.NoHeaders = False,
) -> None:
    """Display one or many contexts from the kubeconfig file.

    Examples:
      # List all the contexts in your kubeconfig file
      kubectl config get-contexts
    """
    session: Session = context.obj
    if output not in ("", "name"):
        raise CommandError(f"--output {output} is not available in kubectl config get-contexts; resetting to default output format")
    tree = ConfigFile.of(session).merged
    known = {one["name"]: one.get("context") or {} for one in tree.get("contexts") or ()}
    wanted = session.args or sorted(known)
    if output == "name":
        print("\n".join(name for name in wanted if name in known))
        return
    rows = [] if no_headers else [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]]
    for name in wanted:
        if name in known:
            one = known[name]
            mark = "*" if name == tree.get("current-context") else ""
            rows.append([mark, name, one.get("cluster", ""), one.get("user", ""), one.get("namespace", "")])
    if rows:
        print("\n".join(Table().lines(rows)))
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise CommandError(f"context {unknown[0]} not found")


@app.command("get-clusters", short_help="Display clusters defined in the kubeconfig")
def get_clusters(context: typer.Context) -> None:
    """Display clusters defined in the kubeconfig."""
    _names(context.obj, "clusters")


@app.command("get-users", short_help="Display users defined in the kubeconfig")
def get_users(context: typer.Context) -> None:
    """Display users defined in the kubeconfig."""
    _names(context.obj, "users")


def _names(session: Session, section: str) -> None:
    print("\n".join(["NAME", *sorted(one["name"] for one in ConfigFile.of(session).merged.get(section) or ())]))


@app.command("current-context", short_help="Display the current-context")
def current_context(context: typer.Context) -> None:
    """Display the current-context."""
    current = ConfigFile.of(context.obj).merged.get("current-context")
    if not current:
        raise CommandError("current-context is not set")
    print(current)


@app.command(
    "use-context", short_help="Set the current-context in a kubeconfig file", epilog="kubectl config use-context CONTEXT_NAME"
)
def use_context(context: typer.Context) -> None:
    """Set the current-context in a kubeconfig file.

    Examples:
      # Use the context for the minikube cluster
      kubectl config use-context minikube
    """
    session: Session = context.obj
    name, files = one_name(session), ConfigFile.of(session)
    if entry_of(files.merged, "contexts", name) is None:
        raise CommandError(f'no context exists with the name: "{name}"')
    files.change(files.holder("current-context"), lambda tree: tree.update({"current-context": name}))
    session.say(f'Switched to context "{name}".')


@app.command(
    "set", short_help="Set an individual value in a kubeconfig file", epilog="kubectl config set PROPERTY_NAME PROPERTY_VALUE"
)
def set_value(
    context: typer.Context,
    set_raw_bytes: Annotated[
        bool,
        typer.Option(
            "--set-raw-bytes", help="When writing a []byte PROPERTY_VALUE, write the given string directly without base64 decoding."
        ),
    ] = False,
) -> None:
    """Set an individual value in a kubeconfig file.

    PROPERTY_NAME is a dot delimited name where each token represents either an attribute name or a map key. Map keys may not
    contain dots.

    Examples:
      # Set the server field on the my-cluster cluster to https://1.2.3.4
      kubectl config set clusters.my-cluster.server https://1.2.3.4
    """
    session: Session = context.obj
    path, value = names(session, 2)
    if set_raw_bytes:
        value = base64.b64encode(value.encode()).decode()
    files = ConfigFile.of(session)
    files.change(files.holder(*path.split(".")[:2]), lambda tree: set_path(tree, path, value))
    session.say(f'Property "{path}" set.')


@app.command("unset", short_help="Unset an individual value in a kubeconfig file", epilog="kubectl config unset PROPERTY_NAME")
def unset_value(context: typer.Context) -> None:
    """Unset an individual value in a kubeconfig file.

    Examples:
      # Unset the current-context
      kubectl config unset current-context
    """
    session: Session = context.obj
    path, files = one_name(session), ConfigFile.of(session)
    files.change(files.holder(*path.split(".")[:2]), lambda tree: unset_path(tree, path))
    session.say(f'Property "{path}" unset.')


app.command(
    "set-context",
    short_help="Set a context entry in kubeconfig",
    epilog="kubectl config set-context [NAME | --current] "
    "[--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]",
)(set_context)
app.command(
    "set-cluster",
    short_help="Set a cluster entry in kubeconfig",
    epilog="kubectl config set-cluster NAME [--server=server] "
    "[--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]",
)(set_cluster)
app.command(
    "set-credentials",
    short_help="Set a user entry in kubeconfig",
    epilog="kubectl config set-credentials NAME "
    "[--client-certificate=path/to/certfile] "
    "[--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password]",
)(set_credentials)
app.command(
    "rename-context",
    short_help="Rename a context from the kubeconfig file",
    epilog="kubectl config rename-context CONTEXT_NAME NEW_NAME",
)(rename_context)
app.command(
    "delete-context", short_help="Delete the specified context from the kubeconfig", epilog="kubectl config delete-context NAME"
)(delete_context)
app.command(
    "delete-cluster", short_help="Delete the specified cluster from the kubeconfig", epilog="kubectl config delete-cluster NAME"
)(delete_cluster)
app.command("delete-user", short_help="Delete the specified user from the kubeconfig", epilog="kubectl config delete-user NAME")(
    delete_user
)
