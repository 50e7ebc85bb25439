"""kubectl config set-*, delete-*, rename-context: the entries of a kubeconfig file.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from kube.api.meta import Tree
from kubectl import options
from kubectl.config_file import ENTRIES, ConfigFile, entry_of, put, remove
from kubectl.credentials import plugin_of, provider_of
from kubectl.errors import CommandError
from kubectl.flags import Misused, UsageError
from kubectl.session import Session

EmbedCerts = Annotated[bool, typer.Option("--embed-certs", help="embed-certs for the entry in kubeconfig")]


def names(session: Session, count: int, *, told: str = "Unexpected args") -> list[str]:
    """The arguments, as many as there must be. Raises Misused."""
    if len(session.args) != count:
        raise Misused(f"{told}: [{' '.join(session.args)}]")
    return session.args


def one_name(session: Session, *, told: str = "Unexpected args") -> str:
    return names(session, 1, told=told)[0]


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
    if current and session.args:
        raise CommandError("you cannot specify both a context name and --current")
    if not (current or session.args):
        raise CommandError("you must specify a non-empty context name or --current")
    name = files.merged.get("current-context", "") if current else one_name(session)
    if not name:
        raise CommandError("no current context is set")
    new = _set(files, "contexts", name, {"cluster": cluster, "user": user, "namespace": namespace})
    session.say(f'Context "{name}" {"created" if new else "modified"}.')


def _set(files: ConfigFile, section: str, name: str, fields: dict[str, Any]) -> bool:
    """Merge fields into an entry: None leaves one alone, empty removes it. Whether the entry is new."""
    new = entry_of(files.merged, section, name) is None
    files.change(files.holder(section, name), lambda tree: put(tree, section, name, fields))
    return new


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
    name = one_name(session)
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
        told = (
            "could not stat {0} file {1}: stat {1}: {2}" if field.startswith("client") else "could not read {0} data from {1}: {2}"
        )
        raise CommandError(told.format(field, path, (error.strerror or "").lower())) from error
    return {field: "", f"{field}-data": base64.b64encode(content).decode()}


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
    auth_provider: Annotated[str, typer.Option("--auth-provider", help="Auth provider for the user entry in kubeconfig")] = "",
    auth_provider_arg: Annotated[
        list[str], typer.Option("--auth-provider-arg", metavar=options.SLICE, help="'key=value' arguments for the auth provider")
    ] = [],  # noqa: B006 - read, never changed
    exec_command: Annotated[
        str, typer.Option("--exec-command", help="Command for the exec credential plugin for the user entry in kubeconfig")
    ] = "",
    exec_api_version: Annotated[
        str,
        typer.Option("--exec-api-version", help="API version of the exec credential plugin for the user entry in kubeconfig"),
    ] = "",
    exec_arg: Annotated[
        list[str],
        typer.Option("--exec-arg", metavar=options.SLICE, help="New arguments for the exec credential plugin command"),
    ] = [],  # noqa: B006
    exec_env: Annotated[
        list[str], typer.Option("--exec-env", help="'key=value' environment values for the exec credential plugin")
    ] = [],  # noqa: B006
    exec_interactive_mode: Annotated[
        str, typer.Option("--exec-interactive-mode", help="InteractiveMode of the exec credentials plugin")
    ] = "",
    exec_provide_cluster_info: Annotated[
        bool | None, typer.Option("--exec-provide-cluster-info", help="ProvideClusterInfo of the exec credentials plugin")
    ] = None,
) -> None:
    """Set a user entry in kubeconfig. Specifying a name that already exists will merge new fields on top of existing values.

    Examples:
      # Set only the "client-key" field on the "cluster-admin" entry, without touching other values
      kubectl config set-credentials cluster-admin --client-key=~/.kube/admin.key
    """
    session: Session = context.obj
    name, files = one_name(session, told="unexpected args"), ConfigFile.of(session)
    _set(files, "users", name, _user(entry_of(files.merged, "users", name) or {}, context.params))
    session.say(f'User "{name}" set.')


def _user(had: Tree, flags: dict[str, Any]) -> dict[str, Any]:
    """What the flags say of a user. Raises CommandError."""
    if flags["token"] and (flags["username"] or flags["password"]):
        raise CommandError(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password"
        )
    return {
        "auth-provider": provider_of(had.get("auth-provider"), flags["auth_provider"], flags["auth_provider_arg"]),
        "exec": plugin_of(had.get("exec"), flags),
        **_material("client-certificate", flags["client_certificate"], flags["embed_certs"]),
        **_material("client-key", flags["client_key"], flags["embed_certs"]),
        **{name: flags[name] for name in ("token", "username", "password")},
    }


def rename_context(context: typer.Context) -> None:
    """Renames a context from the kubeconfig file.

    Examples:
      # Rename the context 'old-name' to 'new-name' in your kubeconfig file
      kubectl config rename-context old-name new-name
    """
    session: Session = context.obj
    old, new = names(session, 2)
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
    if len(session.args) != 1:
        if section == "users":
            raise UsageError("user to delete is required")
        raise Misused("")
    name, files = session.args[0], ConfigFile.of(session)
    if entry_of(files.merged, section, name) is None:
        raise CommandError(f"cannot delete {kind} {name}, not in {files.target}")
    if section == "contexts" and files.merged.get("current-context") == name:
        session.tell('warning: this removed your active context, use "kubectl config use-context" to select a different one')
    place = files.holder(section, name)
    files.change(place, lambda tree: remove(tree, section, name))
    session.say(f"deleted {kind} {name} from {place}")


def delete_context(context: typer.Context) -> None:
    """Delete the specified context from the kubeconfig."""
    _delete(context.obj, "contexts")


def delete_cluster(context: typer.Context) -> None:
    """Delete the specified cluster from the kubeconfig."""
    _delete(context.obj, "clusters")


def delete_user(context: typer.Context) -> None:
    """Delete the specified user from the kubeconfig."""
    _delete(context.obj, "users")
