"""Client: requests to an API server. One a program, asynchronous, the only door to aiohttp.

Promise: an answer below 400 comes back as data; anything else is raised as the ApiError that the server's Status names; trouble
with the connection is Unreachable. A GET, and any request that the server did not get to see (the connection was refused), is
tried again a few times; 429 is waited for as Retry-After says. A write whose fate is unknown is never repeated.
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import aiohttp
import orjson
import yarl

from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import ApiError, TooManyRequests, from_status
from kube.api.views import decode, view
from kube.client.kubeconfig import Config
from kube.client.version import user_agent

V = TypeVar("V")
Params = Mapping[str, str | int | bool | None]
Views = list  # in a class with a method `list`, the name means the method

REQUEST_SECONDS = 70  # a little more than the server's own limit of 60
CONNECT_SECONDS = 10
TRIES = 4
FIRST_PAUSE_SECONDS = 0.1  # doubled after each try
LINE_BYTES = 16 << 20  # the longest line of a watch: an object of 1.5 MiB, JSON-escaped, with room


class PatchType(StrEnum):
    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


MERGE, STRATEGIC, JSON, APPLY = PatchType.MERGE, PatchType.STRATEGIC, PatchType.JSON, PatchType.APPLY


class Unreachable(Exception):
    """The server cannot be reached, or the connection broke. `refused`: it never got the request."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def tree(self) -> Tree:
        loaded: Tree = orjson.loads(self.body)
        return loaded


class Client:
    """`async with Client(config) as client:`; `program` names it to the server."""

    def __init__(self, config: Config, program: str = "skiff") -> None:
        self.config = config
        self._headers = {"User-Agent": user_agent(program), "Accept": "application/json", **dict(config.impersonate)}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Client":
        context = self.config.ssl_context()
        connector = aiohttp.TCPConnector(limit=0, ssl=context if context is not None else True, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS, connect=CONNECT_SECONDS),
            auto_decompress=True,
            read_bufsize=1 << 18,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    # --- views -------------------------------------------------------------------------------------------------------

    async def get(self, kind: type[V], namespace: str, name: str) -> V:
        response = await self.request("GET", resource_of(kind).path(namespace, name))
        return decode(kind, response.body)

    async def list(self, kind: type[V], namespace: str = "", *, label_selector: str = "", field_selector: str = "") -> Views[V]:
        params = {"labelSelector": label_selector or None, "fieldSelector": field_selector or None}
        tree = await self.list_tree(resource_of(kind), namespace, params=params)
        return [view(kind, item) for item in tree.get("items") or ()]

    # --- trees -------------------------------------------------------------------------------------------------------

    async def get_tree(self, kind: Resource | type[Any], namespace: str, name: str, *, params: Params | None = None) -> Tree:
        return (await self.request("GET", _row(kind).path(namespace, name), params=params)).tree()

    async def list_tree(
        self, kind: Resource | type[Any], namespace: str = "", *, params: Params | None = None, accept: str = ""
    ) -> Tree:
        """The whole List object (or a Table, where `accept` asks for one)."""
        headers = {"Accept": accept} if accept else None
        return (await self.request("GET", _row(kind).path(namespace), params=params, headers=headers)).tree()

    async def create(
        self, kind: Resource | type[Any], tree: Tree, *, namespace: str | None = None, params: Params | None = None
    ) -> Tree:
        row = _row(kind)
        where = tree.get("metadata", {}).get("namespace", "") if namespace is None else namespace
        return (await self.request("POST", row.path(where), params=params, body=_typed(row, tree))).tree()

    async def update(self, kind: Resource | type[Any], tree: Tree, *, subresource: str = "", params: Params | None = None) -> Tree:
        row, metadata = _row(kind), tree["metadata"]
        path = row.path(metadata.get("namespace", ""), metadata["name"], subresource)
        return (await self.request("PUT", path, params=params, body=_typed(row, tree))).tree()

    async def patch(
        self,
        kind: Resource | type[Any],
        key: Key,
        patch: Tree | Views[Tree],
        *,
        type: str = MERGE,
        subresource: str = "",
        params: Params | None = None,
    ) -> Tree:
        path = _row(kind).path(key.namespace, key.name, subresource)
        headers = {"Content-Type": str(PatchType[type.upper()] if type.upper() in PatchType.__members__ else type)}
        return (await self.request("PATCH", path, params=params, body=orjson.dumps(patch), headers=headers)).tree()

    async def patch_status(self, kind: Resource | type[Any], key: Key, status: Tree) -> Tree:
        """Merge into the status; a list in it takes the old one's place."""
        return await self.patch(kind, key, {"status": status}, subresource="status")

    async def apply(
        self, kind: Resource | type[Any], tree: Tree, *, manager: str, force: bool = False, subresource: str = ""
    ) -> Tree:
        """Server-side apply."""
        row, metadata = _row(kind), tree["metadata"]
        params = {"fieldManager": manager, "force": "true" if force else None}
        key = Key(metadata.get("namespace", ""), metadata["name"])
        return await self.patch(row, key, _typed(row, tree), type=APPLY, subresource=subresource, params=params)

    async def delete(
        self,
        kind: Resource | type[Any],
        key: Key,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_seconds: int | None = None,
        propagation: str | None = None,
        params: Params | None = None,
    ) -> Tree:
        """Delete; the preconditions make it a Conflict if the object is another one by now."""
        options: Tree = {"apiVersion": "v1", "kind": "DeleteOptions"}
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        if any(preconditions.values()):
            options["preconditions"] = {name: value for name, value in preconditions.items() if value}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if propagation is not None:
            options["propagationPolicy"] = propagation
        path = _row(kind).path(key.namespace, key.name)
        return (await self.request("DELETE", path, params=params, body=options)).tree()

    async def create_subresource(self, kind: Resource | type[Any], key: Key, subresource: str, tree: Tree) -> Tree:
        return (await self.request("POST", _row(kind).path(key.namespace, key.name, subresource), body=tree)).tree()

    # --- requests ----------------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | Tree | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One answer. Raises ApiError for 400 and above, Unreachable where there is none."""
        data = orjson.dumps(body) if isinstance(body, dict) else body
        pause = FIRST_PAUSE_SECONDS
        for tries_left in reversed(range(TRIES)):
            try:
                return await self._once(method, path, params, data, headers)
            except Unreachable as error:
                if tries_left == 0 or not (method == "GET" or error.refused):
                    raise
            except TooManyRequests as error:
                wait = (error.details or {}).get("retryAfterSeconds")
                if tries_left == 0 or not wait:
                    raise
                pause = float(wait)
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable: the last try returns or raises")

    async def _once(
        self, method: str, path: str, params: Params | None, data: bytes | None, headers: Mapping[str, str] | None
    ) -> Response:
        try:
            async with self._http().request(
                method, self._url(path, params), data=data, headers=self._with(headers, data), server_hostname=self._expected()
            ) as answer:
                content = await answer.read()
                if answer.status >= 400:
                    raise _error(answer.status, content)
                return Response(answer.status, answer.headers, content)
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(str(error), refused=True) from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator["Stream"]:
        """An answer that goes on: a watch, a log. There is no limit on its length; end it by leaving."""
        try:
            async with self._http().request(
                method,
                self._url(path, params),
                headers=self._with(headers, None),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                server_hostname=self._expected(),
            ) as answer:
                if answer.status >= 400:
                    raise _error(answer.status, await answer.read())
                yield Stream(answer)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    @asynccontextmanager
    async def websocket(self, path: str, *, params: Any = None, protocols: tuple[str, ...] = ()) -> AsyncIterator["WebSocket"]:
        """A WebSocket, for exec, attach and port-forward. `params` may repeat names: a list of pairs."""
        url = yarl.URL(self.config.server + path).update_query(params or {})
        try:
            async with self._http().ws_connect(
                url,
                protocols=protocols,
                headers=self._with(None, None),
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=CONNECT_SECONDS),
                autoping=True,
            ) as connection:
                yield WebSocket(connection)
        except aiohttp.WSServerHandshakeError as error:
            raise from_status(error.status, {"message": error.message}) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error

    def _url(self, path: str, params: Params | None) -> yarl.URL:
        url = yarl.URL(self.config.server + path, encoded=True)
        given = {name: _text(value) for name, value in (params or {}).items() if value is not None}
        return url.update_query(given) if given else url

    def _with(self, headers: Mapping[str, str] | None, data: bytes | None) -> dict[str, str]:
        merged = dict(self._headers)
        token = self.config.bearer()
        if token:
            merged["Authorization"] = f"Bearer {token}"
        if data is not None:
            merged["Content-Type"] = "application/json"
        merged.update(headers or {})
        return merged

    def _expected(self) -> str | None:
        return self.config.server_name or None

    def _http(self) -> aiohttp.ClientSession:
        assert self._session is not None, "a Client is used within `async with`"
        return self._session


class WebSocket:
    """An open WebSocket: messages go out by `send`, and come by iterating, as bytes or text."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._connection = connection

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server chose."""
        return self._connection.protocol

    @property
    def close_code(self) -> int | None:
        """Why the other side ended it; None while it is open."""
        return self._connection.close_code

    async def send(self, message: bytes | str) -> None:
        if isinstance(message, str):
            await self._connection.send_str(message)
        else:
            await self._connection.send_bytes(message)

    async def close(self) -> None:
        await self._connection.close()

    async def __aiter__(self) -> AsyncIterator[bytes | str]:
        async for message in self._connection:
            if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                yield message.data


class Stream:
    """The body of an answer, as it comes."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def iter_chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._answer.content.iter_any():
            yield chunk

    async def iter_lines(self) -> AsyncIterator[bytes]:
        """Lines without their ends. A last line that was cut off is not given."""
        rest = b""
        async for chunk in self._answer.content.iter_any():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line
            if len(rest) > LINE_BYTES:
                raise Unreachable("the server sends a line without end")


def _row(kind: Resource | type[Any]) -> Resource:
    return kind if isinstance(kind, Resource) else resource_of(kind)


def _typed(row: Resource, tree: Tree) -> Tree:
    """With apiVersion and kind, which a caller may leave out."""
    return {"apiVersion": row.api_version, "kind": row.kind, **tree}


def _error(status: int, content: bytes) -> ApiError:
    try:
        tree = orjson.loads(content)
    except orjson.JSONDecodeError:
        tree = {"message": content.decode("utf-8", "replace").strip()}
    return from_status(status, tree if isinstance(tree, dict) else {})


def _text(value: str | int | bool) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
