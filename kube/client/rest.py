"""Client: requests to an API server. One a program, asynchronous; with `connection` the only door to aiohttp.

Promise: an answer below 400 comes back as data; anything else is raised as the ApiError that the server's Status names; trouble
with the connection is Unreachable. What HTTP calls idempotent (GET, PUT, DELETE), and any request that the server did not get
to see (the connection was refused), is tried again a few times; a POST or PATCH whose fate is unknown is never repeated.
Where a busy server says when to come back (429 and 5xx with Retry-After), that is done.
https://kubernetes.io/docs/reference/using-api/api-concepts/ · client-go rest/with_retry.go
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import orjson

from kube.api.late import late
from kube.api.meta import Key, Tree
from kube.api.resource import Resource
from kube.api.resources import resource_of
from kube.api.status import ApiError
from kube.api.views import decode
from kube.client.connection import Stream as Stream
from kube.client.connection import Unreachable as Unreachable
from kube.client.connection import WebSocket, connection_trouble
from kube.client.failure import error_of, seconds_to_wait
from kube.client.keepalive import keep_alive
from kube.client.kubeconfig import Config
from kube.client.page import decode_page
from kube.client.version import user_agent

if TYPE_CHECKING:
    import aiohttp
    import yarl
else:
    aiohttp, yarl = late("aiohttp"), late("yarl")  # an API server may never call anybody


V = TypeVar("V")
Params = Mapping[str, str | int | bool | None]
Pairs = list[tuple[str, str]]  # of names that may repeat: command=a&command=b
Views = list  # in a class with a method `list`, the name means the method

REQUEST_SECONDS = 70  # a little more than the server's own limit of 60
CONNECT_SECONDS = 10
TRIES = 4  # where the connection fails
FIRST_PAUSE_SECONDS = 0.1  # doubled after each try
TRIES_OF_A_BUSY_SERVER = 10  # client-go's maxRetries
TOKEN_SECONDS = 60.0  # until a token's file is read again: tokens rotate
IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE")
IN_PATHS = "/:@!$&'()*+,;=~%"  # what a path may hold as it is; % because callers may have quoted already


class PatchType(StrEnum):
    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


MERGE, STRATEGIC, JSON, APPLY = PatchType.MERGE, PatchType.STRATEGIC, PatchType.JSON, PatchType.APPLY


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
        self._headers = {
            "User-Agent": user_agent(program),
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # our choice: packing costs both sides more than the network between them
            **dict(config.impersonate),
        }
        self._token, self._token_until = config.token, 0.0
        self._session: aiohttp.ClientSession | None = None
        self._context: ssl.SSLContext | None = None
        self._reached = asyncio.Event()  # an answer came since the last trouble with a connection

    async def __aenter__(self) -> "Client":
        self._context = self.config.ssl_context()
        connector = aiohttp.TCPConnector(
            limit=0, ssl=self._context if self._context is not None else True, keepalive_timeout=60, socket_factory=_open_socket
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS, connect=CONNECT_SECONDS),
            raise_for_status=_raise_error,
            read_bufsize=1 << 18,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    def renew(self, config: Config) -> None:
        """Another certificate of the same identity: connections that are made from now on show it."""
        self.config = config
        if self._context is not None:
            config.show_in(self._context)

    # --- views -------------------------------------------------------------------------------------------------------

    async def get(self, kind: type[V], namespace: str, name: str) -> V:
        response = await self.request("GET", resource_of(kind).path(namespace, name))
        return decode(kind, response.body)

    async def list(self, kind: type[V], namespace: str = "", *, label_selector: str = "", field_selector: str = "") -> Views[V]:
        params = {"labelSelector": label_selector or None, "fieldSelector": field_selector or None}
        row = resource_of(kind)
        response = await self.request("GET", row.path(namespace), params=params)
        return decode_page(kind, row, response.body).items

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
        pause, failures, refusals = FIRST_PAUSE_SECONDS, 0, 0
        while True:
            try:
                return await self._once(method, path, params, data, headers)
            except Unreachable as error:
                failures += 1
                if failures == TRIES or not (method in IDEMPOTENT or error.refused):
                    raise
                await asyncio.sleep(pause)
                pause *= 2
            except ApiError as error:
                refusals += 1
                wait = seconds_to_wait(error)
                if wait is None or refusals == TRIES_OF_A_BUSY_SERVER:
                    raise
                await asyncio.sleep(wait)

    async def _once(
        self, method: str, path: str, params: Params | None, data: bytes | None, headers: Mapping[str, str] | None
    ) -> Response:
        with self._asking():
            async with self._http().request(
                method, self._url(path, params), data=data, headers=self._with(headers, data), server_hostname=self._expected()
            ) as answer:
                return Response(answer.status, answer.headers, await answer.read())

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Stream]:
        """An answer that goes on: a watch, a log. There is no limit on its length; end it by leaving."""
        with self._asking():
            answer = await self._http().request(
                method,
                self._url(path, params),
                headers=self._with(headers, None),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                server_hostname=self._expected(),
            )
        try:
            yield Stream(answer)
        finally:
            answer.release()

    @asynccontextmanager
    async def websocket(
        self, path: str, *, params: Params | Pairs | None = None, protocols: tuple[str, ...] = ()
    ) -> AsyncIterator[WebSocket]:
        """A WebSocket, for exec, attach and port-forward."""
        with self._asking():
            connection = await self._http().ws_connect(
                self._url(path, params),
                protocols=protocols,
                headers=self._with(None, None),
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=CONNECT_SECONDS),
                server_hostname=self._expected(),
            )
        try:
            yield WebSocket(connection)
        finally:
            await connection.close()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Trouble with the connection is told as Unreachable; whether the server is reached is noticed."""
        try:
            with connection_trouble():
                yield
        except Unreachable:
            self._reached.clear()
            raise
        except ApiError:
            self._reached.set()
            raise
        self._reached.set()

    async def reached(self, within: float) -> None:
        """Until the server, which was not reached, answers any request of this program; `within` seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._reached.wait()

    def _url(self, path: str, params: Params | Pairs | None) -> "yarl.URL":
        text = self.config.server + quote(path, safe=IN_PATHS)
        pairs = (
            params
            if isinstance(params, list)
            else [(name, _text(value)) for name, value in (params or {}).items() if value is not None]
        )
        return yarl.URL(f"{text}?{urlencode(pairs)}" if pairs else text, encoded=True)

    def _with(self, headers: Mapping[str, str] | None, data: bytes | None) -> dict[str, str]:
        merged = dict(self._headers)
        if self.config.token_file is not None and (now := asyncio.get_running_loop().time()) >= self._token_until:
            self._token, self._token_until = self.config.bearer(), now + TOKEN_SECONDS
        if self._token:
            merged["Authorization"] = f"Bearer {self._token}"
        if data is not None:
            merged["Content-Type"] = "application/json"
        merged.update(headers or {})
        return merged

    def _expected(self) -> str | None:
        return self.config.server_name or None

    def _http(self) -> "aiohttp.ClientSession":
        assert self._session is not None, "a Client is used within `async with`"
        return self._session


def _row(kind: Resource | type[Any]) -> Resource:
    return kind if isinstance(kind, Resource) else resource_of(kind)


def _typed(row: Resource, tree: Tree) -> Tree:
    """With apiVersion and kind, which a caller may leave out."""
    return {"apiVersion": row.api_version, "kind": row.kind, **tree}


async def _raise_error(answer: "aiohttp.ClientResponse") -> None:
    """aiohttp asks this of every answer, also of one that refuses a WebSocket."""
    if answer.status >= 400:
        raise error_of(answer.status, await answer.read(), answer.headers.get("Retry-After", ""))


def _open_socket(address: Any) -> socket.socket:
    family, kind, protocol, *_ = address
    one = socket.socket(family, kind, protocol)
    keep_alive(one)
    return one


def _text(value: str | int | bool) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
