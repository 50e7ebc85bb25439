"""Routes: from a request line to a RequestInfo, by the table of served rows.

    /api/v1/namespaces/<namespace>/<resource>/<name>/<subresource>/<subpath>      core
    /apis/<group>/<version>/...                                                   the same below it, for the other groups

Rows come and go at run time (custom resources); whoever needs all of them asks `rows()` each time. Beside them stand the group
versions that other servers serve (aggregation): they are only told of, in discovery and OpenAPI.
https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris · apiserver pkg/endpoints/request/requestinfo.go
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from apiserver.context import RequestInfo
from apiserver.group_priority import Priority
from kube.api import fields
from kube.api.meta import Tree
from kube.api.resource import Resource

VERB_OF_METHOD = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
KNOWN = 4_096  # request lines to remember
NOT_NESTED = ("status", "finalize")  # subresources of a namespace, where any other word is a resource within it


@dataclass(frozen=True, eq=False)
class RemoteVersion:
    """A group version that another server serves, as an APIService has it and as that server told of itself.

    `resources` are APIResourceDiscovery trees. `stale`: the server cannot be asked now; what is told is of an earlier time.
    """

    group: str
    version: str
    priority: Priority
    resources: tuple[Tree, ...] = ()
    stale: bool = False
    openapi_v3: bytes | None = None  # its document of this group version, as it came; None: it has none
    openapi_v2: Tree | None = None  # the whole of its version 2 document


class Routes:
    """The served rows, by group, version and plural; in the order in which they came."""

    def __init__(self, rows: Iterable[Resource]) -> None:
        self._rows: dict[tuple[str, str, str], Resource] = {}
        self._remote: dict[tuple[str, str], RemoteVersion] = {}
        self.generation = 0  # grows with each change: what is computed from the rows is stale
        self._known: dict[tuple[str, str, bytes], RequestInfo] = {}  # what was asked lately
        for row in rows:
            self.add(row)

    def rows(self) -> tuple[Resource, ...]:
        return tuple(self._rows.values())

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._rows.get((group, version, plural))

    def add(self, row: Resource) -> None:
        """Serve a row, or serve it anew."""
        self._rows[(row.group, row.version, row.plural)] = row
        self._changed()

    def remove(self, row: Resource) -> None:
        if self._rows.pop((row.group, row.version, row.plural), None) is not None:
            self._changed()

    def remote(self) -> tuple[RemoteVersion, ...]:
        """What other servers serve. A group version of a row is served here, whatever stands there."""
        return tuple(self._remote.values())

    def add_remote(self, one: RemoteVersion) -> None:
        """Tell of a group version of another server, or tell anew."""
        self._remote[(one.group, one.version)] = one
        self._changed()

    def remove_remote(self, group: str, version: str) -> None:
        if self._remote.pop((group, version), None) is not None:
            self._changed()

    def _changed(self) -> None:
        self.generation += 1
        self._known.clear()

    def info(self, method: str, path: str, query: bytes) -> RequestInfo:
        """What a request asks for. A path that names no resource gets `is_resource` False."""
        known = self._known.get((method, path, query))
        if known is None:
            if len(self._known) >= KNOWN:
                self._known.clear()
            known = self._known[(method, path, query)] = self._read(method, path, query)
        return known

    def _read(self, method: str, path: str, query: bytes) -> RequestInfo:
        params = parse_qs(query.decode("latin-1"), keep_blank_values=True) if query else {}
        parts = path.strip("/").split("/")
        if parts[0] == "api" and len(parts) > 2:
            return self._resource_info(method, path, params, "", parts[1], parts[2:])
        if parts[0] == "apis" and len(parts) > 3:
            return self._resource_info(method, path, params, parts[1], parts[2], parts[3:])
        return RequestInfo(method.lower(), method, path, params)

    def _resource_info(
        self, method: str, path: str, params: Mapping[str, list[str]], group: str, version: str, parts: list[str]
    ) -> RequestInfo:
        verb = VERB_OF_METHOD.get(method, "")
        if parts[0] == "watch" and len(parts) > 1:  # the old form, /api/v1/watch/...
            verb, parts = "watch", parts[1:]
        if parts[0] == "proxy" and len(parts) > 2:  # the old form, /api/v1/proxy/nodes/<name>/...; asked and allowed as the new one
            named = 5 if parts[1] == "namespaces" else 3
            parts = [*parts[1:named], "proxy", *parts[named:]]
        namespace, parts = _namespace(parts)
        plural, name, subresource, subpath = _split(parts)
        if not name and verb in ("get", "delete"):
            verb = {"get": "list", "delete": "deletecollection"}[verb]
        if verb == "list" and _set(params, "watch"):
            verb = "watch"
        if not name and verb in ("list", "watch", "deletecollection"):
            name = _selected_name(params)
        return RequestInfo(
            verb=verb, method=method, path=path, query=params, is_resource=True, api_group=group, api_version=version,
            plural=plural, resource=self.find(group, version, plural), subresource=subresource, namespace=namespace,
            name=name, subpath=subpath,
        )  # fmt: skip


def _namespace(parts: list[str]) -> tuple[str, list[str]]:
    """The namespace, and the path within it; for the namespaces themselves, their own name and path."""
    if parts[0] != "namespaces" or len(parts) < 2:
        return "", parts
    if len(parts) > 2 and parts[2] not in NOT_NESTED:
        return parts[1], parts[2:]
    return parts[1], parts


def _split(parts: list[str]) -> tuple[str, str, str, str]:
    plural, name, subresource, *rest = (*parts, "", "")[: max(3, len(parts))]
    return plural, name, subresource, "/" + "/".join(rest) if rest else ""


def _set(params: Mapping[str, list[str]], name: str) -> bool:
    values = params.get(name)
    return values is not None and values[0].lower() not in ("0", "false")


def _selected_name(params: Mapping[str, list[str]]) -> str:
    """The one name that a field selector allows, so that access by name can be granted to lists."""
    text = params.get("fieldSelector", [""])[0]
    if "metadata.name" not in text:
        return ""
    try:
        return fields.parse(text).exactly("metadata.name") or ""
    except ValueError:
        return ""
