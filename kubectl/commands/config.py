"""kubectl config: read and change kubeconfig files.

A change goes to the file that already holds the entry, else to the last file of $KUBECONFIG, else ~/.kube/config.
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from kube.api.meta import Tree
from kubectl import options
from kubectl.config_file import ENTRIES, ConfigFile, entry_of, flattened, minified, put, redacted, remove, set_path, unset_path
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
EmbedCerts = Annotated[bool, typer.Option("--embed-certs", help="embed-certs for the entry in kubeconfig")]


def _one(session: Session) -> str:
    if len(session.args) != 1:
        raise UsageError(f"Unexpected args: [{' '.join(session.args)}]")
    return session.args[0]


@app.command(short_help="Display merged kubeconfig settings or a specified kubeconfig file", epilog="kubectl config view [flags]")
def view(
    context: typer.Context,
    output: options.Output = "yaml",
    template: options.Template = "",
    raw: Annotated[bool, typer.Option("--raw", help="Display raw byte data and sensitive data")] = False,
    minify: Annotated[
        bool, typer.Option("--minify", help="Remove all information not used by current-context from the output")
    ] = False,
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
    tree = ConfigFile.of(session).merged
    if minify:
        tree = minified(tree, session.flags.get("context") or tree.get("current-context", ""))
    if flatten:
        tree = flattened(tree)
    shown: Tree = {"kind": "Config", "apiVersion": "v1"}
    for name in ("clusters", "users", "contexts"):
        inner = ENTRIES[name]
        shown[name] = [{"name": one["name"], inner: one.get(inner) or {}} for one in tree.get(name) or ()] or None
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
        raise CommandError(f"output must be one of '' or 'name': {output}")
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
    name, files = _one(session), ConfigFile.of(session)
    if entry_of(files.merged, "contexts", name) is None:
        raise CommandError(f'no context exists with the name: "{name}"')
    files.change(files.holder("current-context"), lambda tree: tree.update({"current-context": name}))
    session.say(f'Switched to context "{name}".')


@app.command(
    "set-context",
    short_help="Set a context entry in kubeconfig",
    epilog="kubectl config set-context [NAME | --current] "
    "[--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]",
)
def set_context(
    context: typer.Context,
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="cluster for the context entry in kubeconfig")
    ] = None,  # not given
    user: Annotated[str | None, typer.Option("--user", help="user for the context entry in kubeconfig")] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="namespace for the context entry in kubeconfig")
    ] = None,
    current: Annotated[bool, typer.Option("--current", help="Modify the current context")] = False,
) -> None:
    """Set a context entry in kubeconfig. Specifying a name that already exists will merge new fields on top of existing values
    for those fields.

    Examples:
      # Set the user field on the gce context entry without touching other values
      kubectl config set-context gce --user=cluster-admin
    """
    session: Session = context.obj
    files = ConfigFile.of(session)
    name = files.merged.get("current-context", "") if current else _one(session)
    if not name:
        raise CommandError("no current context is set")
    new = _set(files, "contexts", name, {"cluster": cluster, "user": user, "namespace": namespace})
    session.say(f'Context "{name}" {"created" if new else "modified"}.')


def _set(files: ConfigFile, section: str, name: str, fields: dict[str, Any]) -> bool:
    """Merge fields into an entry: None leaves one alone, empty removes it. Whether the entry is new."""
    new = entry_of(files.merged, section, name) is None
    files.change(files.holder(section, name), lambda tree: put(tree, section, name, fields))
    return new


@app.command(
    "set-cluster",
    short_help="Set a cluster entry in kubeconfig",
    epilog="kubectl config set-cluster NAME [--server=server] "
    "[--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]",
)
def set_cluster(
    context: typer.Context,
    server: Annotated[str | None, typer.Option("--server", help="server for the cluster entry in kubeconfig")] = None,  # not given
    certificate_authority: Annotated[
        str | None,
        typer.Option("--certificate-authority", help="Path to certificate-authority file for the cluster entry in kubeconfig"),
    ] = None,
    insecure_skip_tls_verify: Annotated[
        bool | None, typer.Option("--insecure-skip-tls-verify", help="insecure-skip-tls-verify for the cluster entry in kubeconfig")
    ] = None,
    tls_server_name: Annotated[
        str | None, typer.Option("--tls-server-name", help="tls-server-name for the cluster entry in kubeconfig")
    ] = None,
    proxy_url: Annotated[str | None, typer.Option("--proxy-url", help="proxy-url for the cluster entry in kubeconfig")] = None,
    embed_certs: EmbedCerts = False,
) -> None:
    """Set a cluster entry in kubeconfig. Specifying a name that already exists will merge new fields on top of existing values
    for those fields.

    Examples:
      # Set only the server field on the e2e cluster entry without touching other values
      kubectl config set-cluster e2e --server=https://1.2.3.4
    """
    session: Session = context.obj
    name = _one(session)
    fields: dict[str, Any] = {
        "server": server,
        "insecure-skip-tls-verify": insecure_skip_tls_verify,
        "tls-server-name": tls_server_name,
        "proxy-url": proxy_url,
        **_material("certificate-authority", certificate_authority, embed_certs),
    }
    _set(ConfigFile.of(session), "clusters", name, fields)
    session.say(f'Cluster "{name}" set.')


def _material(field: str, path: str | None, embed: bool) -> dict[str, Any]:
    """A file's path, or with --embed-certs its content; the other of the two goes."""
    if path is None:
        return {}
    if not embed:
        return {field: str(Path(path).absolute()), f"{field}-data": ""}
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"could not read {field} data from {path}: {(error.strerror or '').lower()}") from error
    return {field: "", f"{field}-data": base64.b64encode(content).decode()}


@app.command(
    "set-credentials",
    short_help="Set a user entry in kubeconfig",
    epilog="kubectl config set-credentials NAME "
    "[--client-certificate=path/to/certfile] "
    "[--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password]",
)
def set_credentials(
    context: typer.Context,
    client_certificate: Annotated[
        str | None, typer.Option("--client-certificate", help="Path to client-certificate file for the user entry in kubeconfig")
    ] = None,  # not given
    client_key: Annotated[
        str | None, typer.Option("--client-key", help="Path to client-key file for the user entry in kubeconfig")
    ] = None,
    token: Annotated[str | None, typer.Option("--token", help="token for the user entry in kubeconfig")] = None,
    username: Annotated[str | None, typer.Option("--username", help="username for the user entry in kubeconfig")] = None,
    password: Annotated[str | None, typer.Option("--password", help="password for the user entry in kubeconfig")] = None,
    embed_certs: EmbedCerts = False,
) -> None:
    """Set a user entry in kubeconfig. Specifying a name that already exists will merge new fields on top of existing values.

    Examples:
      # Set only the "client-key" field on the "cluster-admin" entry, without touching other values
      kubectl config set-credentials cluster-admin --client-key=~/.kube/admin.key
    """
    session: Session = context.obj
    name = _one(session)
    fields: dict[str, Any] = {
        **_material("client-certificate", client_certificate, embed_certs),
        **_material("client-key", client_key, embed_certs),
        "token": token,
        "username": username,
        "password": password,
    }
    _set(ConfigFile.of(session), "users", name, fields)
    session.say(f'User "{name}" set.')


@app.command(
    "rename-context",
    short_help="Rename a context from the kubeconfig file",
    epilog="kubectl config rename-context CONTEXT_NAME NEW_NAME",
)
def rename_context(context: typer.Context) -> None:
    """Renames a context from the kubeconfig file.

    Examples:
      # Rename the context 'old-name' to 'new-name' in your kubeconfig file
      kubectl config rename-context old-name new-name
    """
    session: Session = context.obj
    if len(session.args) != 2:
        raise UsageError(f"Unexpected args: [{' '.join(session.args)}]")
    old, new = session.args
    files = ConfigFile.of(session)
    found = entry_of(files.merged, "contexts", old)
    if found is None:
        raise CommandError(f'cannot rename the context "{old}", it\'s not in {files.target}')
    if entry_of(files.merged, "contexts", new) is not None:
        raise CommandError(f'cannot rename the context "{old}", the context "{new}" already exists in {files.target}')

    def change(tree: Tree) -> None:
        remove(tree, "contexts", old)
        put(tree, "contexts", new, found)
        if tree.get("current-context") == old:
            tree["current-context"] = new

    files.change(files.holder("contexts", old), change)
    session.say(f'Context "{old}" renamed to "{new}".')


def _delete(session: Session, section: str) -> None:
    kind = ENTRIES[section]
    name, files = _one(session), ConfigFile.of(session)
    if entry_of(files.merged, section, name) is None:
        raise CommandError(f"cannot delete {kind} {name}, not in {files.target}")
    if section == "contexts" and files.merged.get("current-context") == name:
        session.tell('warning: this removed your active context, use "kubectl config use-context" to select a different one')
    place = files.holder(section, name)
    files.change(place, lambda tree: remove(tree, section, name))
    session.say(f"deleted {kind} {name} from {place}")


@app.command(
    "delete-context", short_help="Delete the specified context from the kubeconfig", epilog="kubectl config delete-context NAME"
)
def delete_context(context: typer.Context) -> None:
    """Delete the specified context from the kubeconfig."""
    _delete(context.obj, "contexts")


@app.command(
    "delete-cluster", short_help="Delete the specified cluster from the kubeconfig", epilog="kubectl config delete-cluster NAME"
)
def delete_cluster(context: typer.Context) -> None:
    """Delete the specified cluster from the kubeconfig."""
    _delete(context.obj, "clusters")


@app.command("delete-user", short_help="Delete the specified user from the kubeconfig", epilog="kubectl config delete-user NAME")
def delete_user(context: typer.Context) -> None:
    """Delete the specified user from the kubeconfig."""
    _delete(context.obj, "users")


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
    if len(session.args) != 2:
        raise UsageError(f"Unexpected args: [{' '.join(session.args)}]")
    path, value = session.args
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
    path, files = _one(session), ConfigFile.of(session)
    files.change(files.holder(*path.split(".")[:2]), lambda tree: unset_path(tree, path))
    session.say(f'Property "{path}" unset.')
