"""Pull secrets: what a registry is shown for an image: logins from the pod's imagePullSecrets, then what the
node's programs say (`credential_providers.py`) and its own file.

A login is for a registry, or for a part of one: `registry.example/team`; a host may have wildcards (`*.registry.example`). The
longest place that fits an image is tried first, then the next. Secrets are read at each pull, so that one which was put right is
used at the next try; one that cannot be read is told, and the pull is tried without it.
https://kubernetes.io/docs/concepts/containers/images/#config-json · upstream pkg/credentialprovider/keyring.go
"""

import asyncio
import binascii
import hashlib
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from kube.api.status import ApiError
from kube.api.types import Pod, Secret
from kube.client.rest import Client, Unreachable
from kube.component.logging import get_logger
from kubelet.environment import content
from kubelet.pod_events import WARNING, PodEvents

log = get_logger("kubelet.images")

DOCKER_HUB = "index.docker.io"
NEWER, OLDER = ".dockerconfigjson", ".dockercfg"  # a secret's key: with the logins below `auths`, or bare
NODE_FILE = "config.json"

Auth = Mapping[str, str]  # as the engine's API takes it: username and password, or identitytoken


class Place(NamedTuple):
    """Where a login holds, or an image lies."""

    host: str
    port: str
    path: str  # without the slash before it


class Source(NamedTuple):
    """The secret that a login is from; its fields are those of upstream's ImagePullSecret."""

    uid: str
    namespace: str
    name: str
    credentialHash: str  # noqa: N815 -- as upstream writes it


class Login(NamedTuple):
    place: Place
    auth: Auth
    source: Source | None = None  # None: it is the node's own


Programs = Callable[[str], Awaitable[Sequence[Login]]]  # what the node's programs say to an image


class PullSecrets:
    def __init__(self, client: Client | None, root: Path, events: PodEvents, programs: Programs) -> None:
        self._client = client
        self._programs = programs
        self._node_file = root / NODE_FILE
        self._events = events

    async def logins(self, pod: Pod, image: str) -> list[Login]:
        """Those to try for an image, one after another; none: the registry is asked without."""
        found, missing = [], []
        for name in dict.fromkeys(one.name for one in pod.spec.imagePullSecrets or () if one.name):
            try:
                found += of_secret(await self._secret(pod.metadata.namespace, name))
            except (ApiError, Unreachable, ValueError) as error:
                log.warning("image pull secret cannot be used", secret=f"{pod.metadata.namespace}/{name}", reason=error)
                missing.append(name)
        if missing:
            names = ", ".join(missing)
            text = f"Unable to retrieve some image pull secrets ({names}); attempting to pull the image may not succeed."
            self._events.event(pod, WARNING, "FailedToRetrieveImagePullSecret", text)
        return fitting(image, [*found, *await self._programs(image), *await asyncio.to_thread(self._of_node)])

    async def _secret(self, namespace: str, name: str) -> Secret:
        if self._client is None:
            raise ValueError("this kubelet has no API server")
        return await self._client.get(Secret, namespace, name)

    def _of_node(self) -> list[Login]:
        try:
            return list(_newer(self._node_file.read_bytes()))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            log.warning("the node's registry logins cannot be read", file=self._node_file, reason=error)
            return []


def of_secret(secret: Secret) -> list[Login]:
    """Raises ValueError for what is no secret of logins. Pure."""
    values = content(secret)
    if NEWER in values:
        found = _newer(values[NEWER])
    elif OLDER in values:
        found = logins_of(orjson.loads(values[OLDER]))
    else:
        raise ValueError(f"it has neither {NEWER} nor {OLDER}")
    return [login._replace(source=_source(secret, login.auth)) for login in found]


def _source(secret: Secret, auth: Auth) -> Source:
    words = hashlib.sha256(orjson.dumps(dict(auth), option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Source(secret.metadata.uid or "", secret.metadata.namespace or "", secret.metadata.name, words)


def fitting(image: str, logins: Iterable[Login]) -> list[Login]:
    """Those that hold for the image, the longest place first; of two for one place, in the order given. Pure."""
    target = place_of_image(image)
    return sorted((one for one in logins if holds(one.place, target)), key=lambda one: len("/".join(one.place)), reverse=True)


def place_of_image(name: str) -> Place:
    """A name without a registry is Docker Hub's. Pure."""
    first, slash, rest = name.partition("/")
    if not slash or not (set(first) & set(".:") or first == "localhost"):
        return Place(DOCKER_HUB, "", name)
    host, _, port = first.partition(":")
    return Place(DOCKER_HUB if host == "docker.io" else host, port, rest)


def _newer(text: bytes) -> Iterator[Login]:
    tree = orjson.loads(text)
    if not isinstance(tree, dict):
        raise ValueError("it is no object")
    return logins_of(tree.get("auths") or {})


def logins_of(tree: Any) -> Iterator[Login]:
    if not isinstance(tree, dict):
        raise ValueError("it is no object")
    for key, entry in tree.items():
        auth = _auth(entry if isinstance(entry, dict) else {})
        if auth:
            yield Login(place_of(key), auth)


def place_of(key: str) -> Place:
    """`https://registry.example/v1/` is an old way to write `registry.example`."""
    address, _, path = key.partition("://")[2 if "://" in key else 0].partition("/")
    host, _, port = address.partition(":")
    if path.split("/")[0] in ("v1", "v2"):
        path = path.partition("/")[2]
    return Place(DOCKER_HUB if host == "docker.io" else host, port, path.strip("/"))


def _auth(entry: dict[str, Any]) -> dict[str, str]:
    """`auth` is base64 of name:password and goes before the two by themselves."""
    found = {name: str(entry[name]) for name in ("username", "password", "email", "identitytoken") if entry.get(name)}
    if entry.get("auth"):
        try:
            name, colon, password = b64decode(entry["auth"]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(f"auth: {error}") from error
        if not colon:
            raise ValueError("auth: it is not name:password")
        found |= {"username": name, "password": password}
    return found


def holds(place: Place, target: Place) -> bool:
    """Wildcards stand for a part of a host's name, between two dots; a path holds for what begins with it."""
    own, theirs = place.host.split("."), target.host.split(".")
    same = len(own) == len(theirs) and all(fnmatchcase(part, pattern) for pattern, part in zip(own, theirs, strict=True))
    return same and place.port == target.port and target.path.startswith(place.path)
