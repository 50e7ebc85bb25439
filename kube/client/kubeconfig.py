"""kubeconfig: which server, whom to be, what to trust.

Files are merged: the first one to set a value, or an entry of a list by its name, wins; missing ones are skipped. Without
any file the in-cluster configuration is used, and without that http://localhost:8080.
https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

import base64
import os
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kube.api.late import late
from kube.api.meta import Tree

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
DEFAULT_SERVER = "http://localhost:8080"


class ConfigError(Exception):
    """The configuration cannot be used; the message is upstream's where it has one."""


@dataclass(frozen=True)
class Config:
    """A way to one API server. PEM material stays in memory; what is secret is not shown where the whole is printed."""

    server: str = DEFAULT_SERVER
    namespace: str = ""  # of the context; empty: "default"
    authority: bytes | None = None  # PEM; None: the system's
    certificate: bytes | None = None  # PEM
    key: bytes | None = field(default=None, repr=False)  # PEM
    token: str = field(default="", repr=False)
    token_file: Path | None = None  # read again now and then: tokens rotate
    insecure: bool = False
    server_name: str = ""  # to expect in the server's certificate instead of the host
    impersonate: tuple[tuple[str, str], ...] = ()  # headers

    def ssl_context(self) -> ssl.SSLContext | None:
        """None for plain HTTP. Raises ConfigError where a certificate cannot be read."""
        if not self.server.startswith("https://"):
            return None
        try:
            context = ssl.create_default_context(cadata=self.authority.decode() if self.authority else None)
            if self.insecure:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self.show_in(context)
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise ConfigError(f"invalid certificate or key in the kubeconfig: {error}") from error
        return context

    def show_in(self, context: ssl.SSLContext) -> None:
        """Have connections made with the context show this certificate, if there is one. Raises ssl.SSLError."""
        if self.certificate and self.key:
            _load_client_certificate(context, self.certificate, self.key)

    def bearer(self) -> str:
        """The bearer token, if any."""
        if self.token_file is not None:
            return self.token_file.read_text().strip()
        return self.token


def paths(explicit: str = "") -> list[Path]:
    """The files to read: --kubeconfig alone, else $KUBECONFIG's list, else ~/.kube/config."""
    if explicit:
        return [Path(explicit)]
    listed = os.environ.get("KUBECONFIG", "")
    if listed:
        return [Path(part) for part in listed.split(":") if part]
    return [Path.home() / ".kube" / "config"]


def read(files: Iterable[Path], *, must_exist: bool = False) -> Tree:
    """The merged kubeconfig; relative paths in it are made absolute against their own file."""
    merged: Tree = {}
    for path in files:
        try:
            tree = yaml.safe_load(path.read_text()) or {}
        except FileNotFoundError:
            if must_exist:
                raise ConfigError(f"stat {path}: no such file or directory") from None
            continue
        except (OSError, yaml.YAMLError) as error:
            raise ConfigError(f'error loading config file "{path}": {error}') from error
        _merge(merged, _absolute(tree, path.parent))
    return merged


def load(path: str = "", *, context: str = "", cluster: str = "", user: str = "", server: str = "", namespace: str = "") -> Config:
    """The configuration to use, with what the command line overrides. Raises ConfigError."""
    tree = read(paths(path), must_exist=bool(path))
    if not tree and not server and not path and _in_cluster():
        return _in_cluster_config()
    return resolve(tree, context=context, cluster=cluster, user=user, server=server, namespace=namespace)


def resolve(tree: Tree, *, context: str = "", cluster: str = "", user: str = "", server: str = "", namespace: str = "") -> Config:
    """A kubeconfig and overrides as a Config."""
    chosen = context or tree.get("current-context") or ""
    known = _named(tree, "contexts", "context")
    if context and context not in known:
        raise ConfigError(f"Error in configuration: context was not found for specified context: {context}")
    around = known.get(chosen, {})
    cluster_entry = _entry(tree, "clusters", "cluster", cluster or around.get("cluster", ""))
    user_entry = _entry(tree, "users", "user", user or around.get("user", ""))
    _refuse_unusable(cluster_entry, user_entry, user or around.get("user", ""))
    token_file = user_entry.get("tokenFile")
    return Config(
        server=(server or cluster_entry.get("server") or DEFAULT_SERVER).rstrip("/"),
        namespace=namespace or around.get("namespace", ""),
        authority=_material(cluster_entry, "certificate-authority"),
        certificate=_material(user_entry, "client-certificate"),
        key=_material(user_entry, "client-key"),
        token=user_entry.get("token", ""),
        token_file=Path(token_file) if token_file and not user_entry.get("token") else None,
        insecure=bool(cluster_entry.get("insecure-skip-tls-verify")),
        server_name=cluster_entry.get("tls-server-name", ""),
    )


def _refuse_unusable(cluster: Tree, user: Tree, name: str) -> None:
    """What would otherwise fail later, and less clearly. client-go tools/clientcmd/validation.go"""
    if "exec" in user or "auth-provider" in user:
        raise ConfigError("credential plugins (exec, auth-provider) are not supported; use a certificate or a token")
    if user.get("username"):
        raise ConfigError("user names with passwords are not supported; use a certificate or a token")
    if (user.get("client-certificate") or user.get("client-certificate-data")) and not (
        user.get("client-key") or user.get("client-key-data")
    ):
        raise ConfigError(
            f"client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        )
    if cluster.get("insecure-skip-tls-verify") and (
        cluster.get("certificate-authority") or cluster.get("certificate-authority-data")
    ):
        raise ConfigError("specifying a root certificates file with the insecure flag is not allowed")


def with_token(config: Config, token: str) -> Config:
    """The same server, as the bearer of a token."""
    return replace(config, token=token, token_file=None, certificate=None, key=None)


def _merge(merged: Tree, tree: Tree) -> None:
    for name, value in tree.items():
        if name in ("clusters", "contexts", "users") and isinstance(value, list):
            have = {one["name"] for one in merged.setdefault(name, [])}
            merged[name] += [one for one in value if one["name"] not in have]
        elif not merged.get(name):
            merged[name] = value


def _absolute(tree: Tree, directory: Path) -> Tree:
    for section, inner in (("clusters", "cluster"), ("users", "user")):
        for one in tree.get(section) or ():
            entry = one.get(inner) or {}
            for name in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
                if entry.get(name):
                    entry[name] = str(directory / entry[name])
    return tree


def _named(tree: Tree, section: str, inner: str) -> dict[str, Tree]:
    return {one["name"]: one.get(inner) or {} for one in tree.get(section) or ()}


def _entry(tree: Tree, section: str, inner: str, name: str) -> Tree:
    if not name:
        return {}
    known = _named(tree, section, inner)
    if name not in known:
        raise ConfigError(f'{inner} "{name}" does not exist')
    return known[name]


def _material(entry: Tree, name: str) -> bytes | None:
    """PEM given inline (base64) or as a file."""
    if entry.get(f"{name}-data"):
        return base64.b64decode(entry[f"{name}-data"])
    if entry.get(name):
        try:
            return Path(entry[name]).read_bytes()
        except OSError as error:
            raise ConfigError(f"unable to read {name} {entry[name]}: {error.strerror}") from error
    return None


def _load_client_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """The ssl module reads files only: one that nobody else can open, gone as soon as it is read."""
    with tempfile.NamedTemporaryFile(mode="wb", prefix="skiff-", dir=_private_directory()) as file:
        file.write(certificate + b"\n" + key)
        file.flush()
        context.load_cert_chain(file.name)


def _private_directory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # memory, where there is one


def _in_cluster() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (SERVICE_ACCOUNT / "token").exists()


def _in_cluster_config() -> Config:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    namespace: Any = (SERVICE_ACCOUNT / "namespace").read_text().strip()
    return Config(
        server=f"https://{host}:{port}",
        namespace=namespace,
        authority=(SERVICE_ACCOUNT / "ca.crt").read_bytes(),
        token_file=SERVICE_ACCOUNT / "token",
    )
