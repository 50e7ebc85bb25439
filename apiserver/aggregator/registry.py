"""Registry: the group versions that other servers serve, as the APIServices say; looked up for every request, so one dictionary.

kube-aggregator pkg/apiserver/apiserver.go
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass

from apiserver.context import RequestInfo, Server
from apiserver.discovery_trees import as_aggregated
from apiserver.group_priority import CUSTOM, Priority
from apiserver.routes import RemoteVersion
from apiserver.webhooks.connections import Trust
from kube.api.meta import Key, Tree

STATE = "aggregator"  # in server.state
AVAILABLE = "Available"
SERVICE_PORT = 443


@dataclass(frozen=True)
class Remote:
    """A group version that a Service serves."""

    name: str  # of the APIService
    group: str
    version: str
    namespace: str
    service: str
    port: int
    authority: bytes
    insecure: bool
    available: bool
    priority: Priority = CUSTOM

    @property
    def path(self) -> str:
        return f"/apis/{self.group}/{self.version}"

    @property
    def host(self) -> str:
        """What the certificate must name."""
        return f"{self.service}.{self.namespace}.svc"


@dataclass(frozen=True)
class Told:
    """What a server says of a group version: its APIResourceList, and its OpenAPI documents if it has any."""

    resources: Tree
    openapi_v3: bytes | None = None
    openapi_v2: Tree | None = None


UNKNOWN = Told({})


class Aggregator:
    """What is known of the APIServices."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._remotes: dict[tuple[str, str], Remote] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._learned: dict[tuple[str, str], Told] = {}  # what the servers said of their group versions
        self._told: dict[tuple[str, str], object] = {}  # and what was made known of them

    def put(self, key: Key, tree: Tree | None) -> None:
        """An APIService is there, was changed, or is gone."""
        known = self._names.pop(key.name, None)
        remote = remote_of(tree) if tree is not None else None
        if known is None and remote is None:
            return
        if known is not None:
            self._remotes.pop(known, None)
        if remote is not None:
            where = (remote.group, remote.version)
            self._names[key.name] = where
            self._remotes[where] = remote
            self._tell(where)
        elif known is not None:
            self._learned.pop(known, None)
            self._told.pop(known, None)
            self._server.routes.remove_remote(*known)

    def learn(self, remote: Remote, told: Told) -> None:
        """What a remote server says of a group version; who asks this server's discovery is told from now on."""
        where = (remote.group, remote.version)
        if self._learned.get(where) != told:
            self._learned[where] = told
        self._tell(where)

    def _tell(self, where: tuple[str, str]) -> None:
        remote = self._remotes.get(where)
        if remote is None:
            return
        known = self._learned.get(where, UNKNOWN)
        stale = not remote.available or known is UNKNOWN
        making = (remote.priority, stale, known)  # each telling makes documents anew: only where there is something new
        if self._told.get(where) != making:
            self._told[where] = making
            resources = as_aggregated(known.resources)
            told = RemoteVersion(
                remote.group, remote.version, remote.priority, resources, stale, known.openapi_v3, known.openapi_v2
            )
            self._server.routes.add_remote(told)

    def remotes(self) -> Iterable[Remote]:
        return tuple(self._remotes.values())

    def serves(self, info: RequestInfo) -> Remote | None:
        """The remote group version that a request is for, if it is for one."""
        if not self._remotes or not info.path.startswith("/apis/"):
            return None
        parts = info.path.split("/", 4)  # "", "apis", group, version, rest
        return self._remotes.get((parts[2], parts[3])) if len(parts) > 3 else None

    def trust(self, remote: Remote) -> Trust:
        """How to know that server, and what to show it."""
        config = self._server.config
        if config.proxy_client_cert_file is None or config.proxy_client_key_file is None:
            return Trust(remote.authority, remote.insecure)
        files = (config.proxy_client_cert_file, config.proxy_client_key_file)
        return Trust(remote.authority, remote.insecure, files, files[0].stat().st_mtime_ns)


def remote_of(tree: Tree) -> Remote | None:
    """An APIService whose group version another server serves; None: this one does. Pure."""
    spec = tree["spec"]
    service = spec.get("service")
    if not service:
        return None
    conditions = (tree.get("status") or {}).get("conditions") or ()
    try:
        authority = base64.b64decode(spec.get("caBundle") or "")
    except binascii.Error:
        authority = b""
    return Remote(
        name=tree["metadata"]["name"],
        group=spec.get("group") or "",
        version=spec["version"],
        namespace=service["namespace"],
        service=service["name"],
        port=int(service.get("port") or SERVICE_PORT),
        authority=authority,
        insecure=bool(spec.get("insecureSkipTLSVerify")),
        priority=Priority(int(spec.get("groupPriorityMinimum") or 0), int(spec.get("versionPriority") or 0)),
        available=any(one["type"] == AVAILABLE and one["status"] == "True" for one in conditions),
    )


def aggregator_of(server: Server) -> Aggregator:
    found: Aggregator | None = server.state.get(STATE)
    if found is None:
        found = server.state[STATE] = Aggregator(server)
    return found
