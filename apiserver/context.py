"""Context: what the rooms of the API server hand to each other — a request, its answer, and the server they belong to.

The seams, in the order a request meets them (filters/ and handlers/ call, the named rooms implement):

    server.authenticator.authenticate(request) -> User            raises Unauthorized         auth/authentication.py
    server.authorizer.authorize(user, info) -> None               raises Forbidden            auth/authorization.py
    server.admission.mutate(attributes, server) / .validate(...)  raises any ApiError         admission/__init__.py
    allocation.BEFORE_STORE[(group, plural)](server, new, old, dry_run) -> Release            allocation/__init__.py
    allocation.AFTER_DELETE[(group, plural)](server, old) -> None, once the object is gone    allocation/__init__.py
    subresources.SUBRESOURCES[(group, plural, subresource)](server, request) -> Response      subresources/__init__.py

Hooks keep no kind names in generic code: a row that needs one is named in its room's table. `/status` and `/scale` are
generic (handlers/); every other subresource of a row is looked up in SUBRESOURCES; and so is, with an empty subresource, a
row that has no storage (reviews, bindings, componentstatuses): its handler gets each of the row's verbs. A handler that takes
over the connection (exec, port-forward) speaks on `request.send` itself and returns None. Bodies are read by
`await handlers.body.read_object(request, row)`, in JSON, YAML or protobuf.

What rooms do with objects (storage/store.py; trees are the caller's own copies, namespace "" is all of them):

    store = server.stores.store_for(resource)
    await store.get(key) -> Tree                    newest; raises NotFound
    store.cached(key) -> Tree | None                what the watch cache has, perhaps some ms old; for admission
    store.cached_list(namespace="") -> list[Tree]   likewise
    await store.create(tree, dry_run=False) -> Tree              the object as stored; metadata must be complete (add: not decoded)
    await store.update(key, mutate, dry_run=False) -> Tree       `async mutate(current: Tree) -> Tree`, again on each race
    await store.delete(key, options: Tree, dry_run=False) -> tuple[Tree, bool]    (object, whether it is gone)
    storage.metadata.fill_new(tree, resource, namespace, now)    uid, creationTimestamp, generation: what create expects

RequestInfo follows apiserver pkg/endpoints/request/requestinfo.go.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import orjson

from kube.api.meta import Tree
from kube.api.resource import Resource
from kube.api.status import TooLarge

if TYPE_CHECKING:
    from apiserver.auth.decision import Decision
    from apiserver.config import Config
    from apiserver.routes import Routes
    from apiserver.storage.etcd import Etcd
    from apiserver.storage.stores import Stores
    from apiserver.workers.place import Place

T = TypeVar("T")
MAX_BODY_BYTES = 3 * 1024 * 1024  # upstream's MaxRequestBodyBytes

Scope = MutableMapping[str, Any]  # as the ASGI specification has them
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request asks for, read from its method, path and query alone."""

    verb: str  # get list watch create update patch delete deletecollection; the method in lower case for other paths
    method: str
    path: str
    query: Mapping[str, list[str]]
    is_resource: bool = False  # a path below /api/<version>/ or /apis/<group>/<version>/ that names a resource
    api_group: str = ""
    api_version: str = ""
    plural: str = ""  # as the path has it, also where no such resource is served
    resource: Resource | None = None
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    subpath: str = ""  # what follows the subresource, with its slash: the target of a proxy request

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def flag(self, name: str) -> bool:
        """Whether a boolean query parameter is set to anything but "0" and "false"."""
        values = self.query.get(name) or [""]
        return values[0].lower() not in ("", "0", "false")


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. `extra` carries what an authenticator knows beyond that (a token's pod, say)."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, list[str]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(slots=True)
class Response:
    """An answer: `body`, or `stream` where it is sent as it comes (logs, watches)."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: AsyncIterator[bytes] | None = None
    in_yaml: bool = False  # `body` is JSON, and goes out as YAML


def json_response(tree: Any, status: int = 200) -> Response:
    return Response(status, orjson.dumps(tree))


class Request:
    """One HTTP request or WebSocket opening: its scope, what was parsed of it, and what the filters found out."""

    __slots__ = (
        "_body", "_found", "answer_headers", "answered", "audit", "audit_id", "impersonator", "info", "receive", "scope", "send",
        "started", "user", "warnings",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, info: RequestInfo) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.info = info
        self.user = ANONYMOUS
        self.impersonator: User | None = None  # who asks to be `user`
        self.audit: Any = None  # what audit/ notes of it; None: it is not recorded
        self.audit_id = ""
        self.warnings: list[str] = []  # become Warning headers
        self.answer_headers: list[tuple[bytes, bytes]] = []  # of whatever answer there will be
        self.started = False  # the answer has begun: it is too late for a Status
        self.answered = 0  # the code of the answer
        self._body: bytes | None = None
        extensions = scope.get("extensions")
        head = extensions.get("head") if extensions else None  # known by its bytes (kube/component/short_way.py)
        self._found: dict[str, tuple[Any, Any]] = head.found if head is not None else {}

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; of a repeated header the last one."""
        return self.once("headers", _headers)

    def once(self, name: str, find: "Callable[[Request], T]", info: RequestInfo | None = None) -> T:
        """What follows from nothing but the head's own bytes, and from `info` where it is given: found out once for all requests
        that begin alike."""
        found = self._found.get(name)
        if found is None or found[0] is not info:
            found = self._found[name] = (info, find(self))
        value: T = found[1]
        return value

    def header_values(self, name: str) -> list[str]:
        """Every value of a header that may be repeated."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted]

    @property
    def is_websocket(self) -> bool:
        return bool(self.scope["type"] == "websocket")

    async def body(self, limit: int = MAX_BODY_BYTES) -> bytes:
        """The whole body; TooLarge beyond `limit`."""
        if self._body is None:
            parts: list[bytes] = []
            if int(self.headers.get("content-length", 0)) > limit:  # the HTTP parser lets digits alone pass
                raise TooLarge(f"Request entity too large: limit is {limit}")
            size = 0
            more = not self.is_websocket
            while more:
                message = await self.receive()
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise TooLarge(f"Request entity too large: limit is {limit}")
                parts.append(part)
                more = message.get("more_body", False)
            self._body = b"".join(parts)
        return self._body

    @property
    def body_read(self) -> bytes:
        """The body, as far as somebody asked for it."""
        return self._body or b""

    def warn(self, text: str) -> None:
        """Tell the client something without failing its request (`Warning: 299 - "text"`)."""
        if text not in self.warnings:
            self.warnings.append(text)


def _headers(request: Request) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}


@dataclass(slots=True)
class AdmissionAttributes:
    """What admission plugins are told. Mutating ones change `object` in place; nobody changes `old`."""

    request: Request
    user: User
    operation: str  # CREATE, UPDATE, DELETE, CONNECT
    resource: Resource
    subresource: str
    namespace: str
    name: str  # empty on a create with generateName that has not been named yet
    object: Tree | None  # None on DELETE
    old: Tree | None  # None on CREATE and CONNECT
    options: Tree  # CreateOptions, UpdateOptions, PatchOptions, DeleteOptions
    dry_run: bool
    # A mutating plugin sets "wanted" where those before it should see what it changed: the mutating chain then runs once more, with
    # "again". What a plugin wants to know in that second round it keeps in `notes`, by its own name.
    reinvocation: Literal["", "wanted", "again"] = ""
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def said_name(self) -> str:
        """As a refusal has it: of what has no name yet, what its name will begin with."""
        metadata = (self.object or {}).get("metadata") or {}
        return self.name or str(metadata.get("name") or metadata.get("generateName") or "Unknown")


class Authenticator(Protocol):
    async def authenticate(self, request: Request) -> User:
        """Who sent it; ANONYMOUS where allowed. Raises Unauthorized."""

    def surely(self, subject: Mapping[str, Any] | None, token: str) -> User | None:
        """The user of a certificate or else of a token, as far as that is known at once; None: ask `authenticate`."""


class Authorizer(Protocol):
    async def authorize(self, user: User, info: RequestInfo) -> None:
        """Returns where the user may; raises Forbidden with upstream's words where not."""

    async def decide(self, user: User, info: RequestInfo) -> "Decision":
        """The same as an answer, with the reason."""

    def surely_may(self, user: User, info: RequestInfo) -> bool:
        """Whether it is known at once that the user may; False: ask `authorize`."""


class Admission(Protocol):
    async def mutate(self, attributes: AdmissionAttributes, server: "Server") -> None: ...
    async def validate(self, attributes: AdmissionAttributes, server: "Server") -> None: ...


# Called once after the write: True when it was stored, False when it failed, was a dry run, or is tried anew.
Release = Callable[[bool], Awaitable[None]]
BeforeStore = Callable[["Server", Tree, Tree | None, bool], Awaitable[Release | None]]  # (server, new, old, dry_run)
AfterDelete = Callable[["Server", Tree], Awaitable[None]]
Handler = Callable[["Server", Request], Awaitable[Response | None]]


@dataclass
class Server:
    """One running API server: its parts, each reached by name. Built in app.py, in the order of the fields.

    `authenticator`, `authorizer` and `admission` are made by `auth.authentication.build(server)`,
    `auth.authorization.build(server)` and `admission.build(server)`, once the fields before them are there.
    """

    config: "Config"
    etcd: "Etcd"
    routes: "Routes"  # the served rows: .rows(), .find(group, version, plural), .add(row), .remove(row)
    stores: "Stores"  # .store_for(resource) -> Store
    place: "Place"  # which of the server's workers this is; .first does what must be done once in a server
    authenticator: Authenticator = field(init=False)
    authorizer: Authorizer = field(init=False)
    admission: Admission = field(init=False)
    state: dict[str, Any] = field(default_factory=dict)  # what a room keeps for the server's life, by the room's name
    in_flight: list[int] = field(default_factory=lambda: [0, 0])  # requests being worked on: [writing, reading]

    def spawn(self, work: Awaitable[None], name: str) -> None:
        """Run a task for the server's life; app.py sets the TaskGroup behind it."""
        self._spawn(work, name)

    _spawn: Callable[[Awaitable[None], str], None] = field(init=False, repr=False)
