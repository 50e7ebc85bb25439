"""create configmap and secret (generic, docker-registry, tls): data from literals, files, directories and env files.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/
"""

import base64
import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from typer import Context, Option

from kube.api.meta import Tree
from kubectl.creating.hashing import content_hash
from kubectl.creating.kit import create, name_argument
from kubectl.errors import CommandError
from kubectl.session import Session

Literals = Annotated[
    list[str],
    Option("--from-literal", help="Specify a key and literal value to insert (i.e. mykey=somevalue)"),
]
Files = Annotated[
    list[str],
    Option(
        "--from-file",
        metavar="slice",
        help="Key file can be specified using its file path, in which case file basename will be used as key, or optionally "
        "with a key and file path, in which case the given key will be used.  Specifying a directory will iterate each named "
        "file in the directory whose basename is a valid key.",
    ),
]
EnvFiles = Annotated[
    list[str],
    Option("--from-env-file", metavar="slice", help="Specify the path to a file to read lines of key=val pairs to create a value."),
]
AppendHash = Annotated[bool, Option("--append-hash", help="Append a hash of the object to its name.")]
KEY = re.compile(r"[-._a-zA-Z0-9]+")
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def data_from(literals: list[str], files: list[str], env_files: list[str], kind: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents, in the order of the flags. Raises CommandError."""
    if env_files and (files or literals):
        raise CommandError("from-env-file cannot be combined with from-file or from-literal")
    for text in files:
        yield from _file(text)
    for text in literals:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CommandError(f"invalid literal source {text}, expected key=value")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        yield _valid(name, kind), value.encode()
    for path in env_files:
        yield from _env_file(path)


def _file(text: str) -> Iterator[tuple[str, bytes]]:
    name, equals, path = text.partition("=")
    if not equals:
        name, path = "", text
    elif not name or not path:
        raise CommandError(
            f"key name for file path {text.strip('=')} missing" if not name else f"file path for key name {name} missing"
        )
    place = Path(path)
    if not place.exists():
        raise CommandError(f"error reading {path}: no such file or directory")
    if place.is_dir():
        if name:
            raise CommandError("cannot give a key name for a directory path")
        for one in sorted(place.iterdir()):
            if one.is_file() and KEY.fullmatch(one.name):
                yield one.name, one.read_bytes()
        return
    yield name or place.name, place.read_bytes()


def _env_file(path: str) -> Iterator[tuple[str, bytes]]:
    import os

    for line in Path(path).read_text().splitlines():
        stripped = line.lstrip()
        if not stripped or stripped.startswith("#"):
            continue
        name, equals, value = stripped.partition("=")
        if not VARIABLE.fullmatch(name):
            raise CommandError(
                f'"{name}" is not a valid key name: a valid environment variable name '
                "must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit"
            )
        yield name, (value if equals else os.environ.get(name, "")).encode()


def _valid(name: str, kind: str) -> str:
    if not KEY.fullmatch(name):
        raise CommandError(
            f"\"{name}\" is not a valid key name for a {kind}: a valid config key must consist of alphanumeric characters, '-', "
            f"'_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        )
    return name


def configmap(
    context: Context,
    from_literal: Literals = [],  # noqa: B006 - read, never changed
    from_file: Files = [],  # noqa: B006
    from_env_file: EnvFiles = [],  # noqa: B006
    append_hash: AppendHash = False,
) -> None:
    """Create a config map based on a file, directory, or specified literal value.

    Examples:
      # Create a new config map named my-config based on folder bar
      kubectl create configmap my-config --from-file=path/to/bar

      # Create a new config map named my-config with key1=config1 and key2=config2
      kubectl create configmap my-config --from-literal=key1=config1 --from-literal=key2=config2

      # Create a new config map named my-config from an env file
      kubectl create configmap my-config --from-env-file=path/to/foo.env
    """
    session: Session = context.obj
    text: dict[str, str] = {}
    binary: dict[str, str] = {}
    tree: Tree = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name_argument(session)}}
    for name, content in data_from(from_literal, from_file, from_env_file, "ConfigMap"):
        if name in text or name in binary:
            raise CommandError(
                f'cannot add key "{name}", another key by that name already exists in '
                f'Data for ConfigMap "{tree["metadata"]["name"]}"'
            )
        try:
            text[name] = content.decode()
        except UnicodeDecodeError:
            binary[name] = base64.b64encode(content).decode()
    tree.update(
        {field: {key: data[key] for key in sorted(data)} for field, data in (("data", text), ("binaryData", binary)) if data}
    )
    create(session, _hashed(tree, append_hash), "configmaps", failed="failed to create configmap:")


def _hashed(tree: Tree, wanted: bool) -> Tree:
    if wanted:
        tree["metadata"]["name"] += f"-{content_hash(tree, tree['metadata']['name'], empty={})}"
    return tree


def generic(
    context: Context,
    from_literal: Literals = [],  # noqa: B006
    from_file: Files = [],  # noqa: B006
    from_env_file: EnvFiles = [],  # noqa: B006
    type: Annotated[str, Option("--type", help="The type of secret to create")] = "",
    append_hash: AppendHash = False,
) -> None:
    """Create a secret based on a file, directory, or specified literal value.

    Examples:
      # Create a new secret named my-secret with key1=supersecret and key2=topsecret
      kubectl create secret generic my-secret --from-literal=key1=supersecret --from-literal=key2=topsecret
    """
    session: Session = context.obj
    data = dict(data_from(from_literal, from_file, from_env_file, "Secret"))
    _secret(session, data, type, append_hash)


def tls(
    context: Context,
    cert: Annotated[str, Option("--cert", help="Path to PEM encoded public key certificate.")] = "",
    key: Annotated[str, Option("--key", help="Path to private key associated with given certificate.")] = "",
    append_hash: AppendHash = False,
) -> None:
    """Create a TLS secret from the given public/private key pair.

    Examples:
      # Create a new TLS secret named tls-secret with the given key pair
      kubectl create secret tls tls-secret --cert=path/to/tls.crt --key=path/to/tls.key
    """
    session: Session = context.obj
    name_argument(session)
    if not key or not cert:
        raise CommandError("key and cert must be specified")
    data = {"tls.crt": _read(cert), "tls.key": _read(key)}
    for content, what in zip(data.values(), ("certificate", "key"), strict=True):
        if b"-----BEGIN " not in content:
            raise CommandError(f"tls: failed to find any PEM data in {what} input")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except ssl.SSLError as error:
        raise CommandError(f"tls: {error.reason or error}") from error
    _secret(session, data, "kubernetes.io/tls", append_hash)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"Cannot read file {path}, open {path}: {(error.strerror or '').lower()}") from error


def docker_registry(
    context: Context,
    docker_username: Annotated[str, Option("--docker-username", help="Username for Docker registry authentication")] = "",
    docker_password: Annotated[str, Option("--docker-password", help="Password for Docker registry authentication")] = "",
    docker_email: Annotated[str, Option("--docker-email", help="Email for Docker registry")] = "",
    docker_server: Annotated[
        str, Option("--docker-server", help="Server location for Docker registry")
    ] = "https://index.docker.io/v1/",
    from_file: Files = [],  # noqa: B006
    append_hash: AppendHash = False,
) -> None:
    """Create a new secret for use with Docker registries.

    Examples:
      # Create a new secret named my-secret
      kubectl create secret docker-registry my-secret --docker-server=DOCKER_REGISTRY_SERVER --docker-username=DOCKER_USER
      --docker-password=DOCKER_PASSWORD --docker-email=DOCKER_EMAIL
    """
    session: Session = context.obj
    if from_file:
        named = zip(from_file, data_from([], from_file, [], "Secret"), strict=False)
        data = {name if "=" in text else ".dockerconfigjson": content for text, (name, content) in named}
    else:
        if not docker_username or not docker_password:
            raise CommandError(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required"
            )
        basic = base64.b64encode(f"{docker_username}:{docker_password}".encode()).decode()
        entry = {"username": docker_username, "password": docker_password, "email": docker_email, "auth": basic}
        auths = {"auths": {docker_server: {name: value for name, value in entry.items() if value}}}
        data = {".dockerconfigjson": json.dumps(auths, separators=(",", ":")).encode()}
    _secret(session, data, "kubernetes.io/dockerconfigjson", append_hash)


def _secret(session: Session, data: dict[str, bytes], type: str, append_hash: bool) -> None:
    tree: Tree = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": name_argument(session)}}
    if data:
        tree["data"] = {name: base64.b64encode(data[name]).decode() for name in sorted(data)}
    if type:
        tree["type"] = type
    create(session, _hashed(tree, append_hash), "secrets", failed="failed to create secret")
