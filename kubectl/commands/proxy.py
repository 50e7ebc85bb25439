"""kubectl proxy: the API server on a local port, for programs that cannot log in.

A request passes the filter, gets the user's credentials, and goes on over a connection of its own, which then is simply relayed;
so watches, uploads and upgraded connections need nothing special.
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_proxy/
"""

import asyncio
import mimetypes
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from kubectl.errors import CommandError
from kubectl.flags import UsageError
from kubectl.relay import Ends, closed, connected, relay
from kubectl.session import Session
from kubectl.transport import Server, Unreachable

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

HOSTS = r"^localhost$,^127\.0\.0\.1$,^\[::1\]$"
REJECTED = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach"
HEAD_BYTES = 1 << 16  # the longest request line with headers
HOP = frozenset(("connection", "keep-alive", "proxy-connection", "host", "authorization", "accept-encoding"))
REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 502: "Bad Gateway"}

Port = Annotated[int, typer.Option("--port", "-p", help="The port on which to run the proxy. Set to 0 to pick a random port.")]
Address = Annotated[str, typer.Option("--address", help="The IP address on which to serve on.")]
UnixSocket = Annotated[str, typer.Option("--unix-socket", "-u", help="Unix socket on which to run the proxy.")]
Www = Annotated[
    str, typer.Option("--www", "-w", help="Also serve static files from the given directory under the specified prefix.")
]
WwwPrefix = Annotated[
    str, typer.Option("--www-prefix", "-P", help="Prefix to serve static files under, if static file directory is specified.")
]
ApiPrefix = Annotated[str, typer.Option("--api-prefix", help="Prefix to serve the proxied API under.")]
AcceptHosts = Annotated[str, typer.Option("--accept-hosts", help="Regular expression for hosts that the proxy should accept.")]
AcceptPaths = Annotated[str, typer.Option("--accept-paths", help="Regular expression for paths that the proxy should accept.")]
RejectPaths = Annotated[
    str,
    typer.Option(
        "--reject-paths",
        help="Regular expression for paths that the proxy should reject. Paths specified here will be rejected even accepted "
        "by --accept-paths.",
    ),
]
RejectMethods = Annotated[
    str,
    typer.Option(
        "--reject-methods",
        help="Regular expression for HTTP methods that the proxy should reject (example --reject-methods='POST,PUT,PATCH').",
    ),
]
DisableFilter = Annotated[
    bool,
    typer.Option(
        "--disable-filter",
        help="If true, disable request filtering in the proxy. This is dangerous, and can leave you vulnerable to XSRF "
        "attacks, when used with an accessible port.",
    ),
]
AppendServerPath = Annotated[
    bool, typer.Option("--append-server-path", help="If true, enables automatic path appending of the kube context server path")
]


@app.command(
    epilog="kubectl proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]",
)
def proxy(
    context: typer.Context,
    port: Port = 8001,
    address: Address = "127.0.0.1",
    unix_socket: UnixSocket = "",
    www: Www = "",
    www_prefix: WwwPrefix = "/static/",
    api_prefix: ApiPrefix = "/",
    accept_hosts: AcceptHosts = HOSTS,
    accept_paths: AcceptPaths = "^.*",
    reject_paths: RejectPaths = REJECTED,
    reject_methods: RejectMethods = "^$",
    disable_filter: DisableFilter = False,
    append_server_path: AppendServerPath = False,
) -> None:
    """Creates a proxy server or application-level gateway between localhost and the Kubernetes API server. It also allows serving
    static content over specified HTTP path. All incoming data enters through one port and gets forwarded to the remote Kubernetes
    API server port, except for the path matching the static content path.

    Examples:
      # To proxy all of the Kubernetes API and nothing else
      kubectl proxy --api-prefix=/

      # To proxy only part of the Kubernetes API and also some static files
      # You can get pods info with 'curl localhost:8001/api/v1/pods'
      kubectl proxy --www=/my/files --www-prefix=/static/ --api-prefix=/api/

      # Run a proxy to the Kubernetes API server on an arbitrary local port
      kubectl proxy --port=0
    """
    session: Session = context.obj
    if session.args:
        raise UsageError(f"unexpected arguments: [{' '.join(session.args)}]")
    if unix_socket and port != 8001:
        raise UsageError("cannot set --unix-socket and --port at the same time")
    if www and not Path(www).is_dir():
        session.tell(f"Warning: static file directory {www} is not a directory")
    accepted = None
    if disable_filter:
        if not unix_socket:
            session.tell("Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious")
    else:
        accepted = Filter(_patterns(accept_hosts), _patterns(accept_paths), _patterns(reject_paths), _patterns(reject_methods))
    server = session.server
    prefix = urlsplit(server.config.server).path.rstrip("/") if append_server_path else ""
    way = Way(server, accepted, _slashed(api_prefix), prefix, _slashed(www_prefix) if www else "", Path(www))
    if unix_socket:
        Path(unix_socket).unlink(missing_ok=True)  # of a proxy that was killed
    asyncio.run(_serve(session, way, address, port, unix_socket))


@dataclass(frozen=True)
class Filter:
    """Which requests may pass."""

    hosts: tuple[re.Pattern[str], ...]
    paths: tuple[re.Pattern[str], ...]
    not_paths: tuple[re.Pattern[str], ...]
    not_methods: tuple[re.Pattern[str], ...]

    def passes(self, method: str, path: str, host: str) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if _any(self.not_paths, path) or _any(self.not_methods, method):
            return False
        return _any(self.paths, path) and _any(self.hosts, name)


@dataclass(frozen=True)
class Request:
    """The head of a request."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    def header(self, name: str) -> str:
        return next((value for one, value in self.headers if one.lower() == name), "")


@dataclass(frozen=True)
class Way:
    """Where requests go: below `api_prefix` to the server, below `www_prefix` (unless empty) to files."""

    server: Server
    accepted: Filter | None
    api_prefix: str
    server_path: str
    www_prefix: str
    www: Path

    def target(self, request: Request) -> str | None:
        """The path and query on the API server; None: it is not below the prefix. Pure."""
        if not request.target.startswith(self.api_prefix):
            return None
        return f"{self.server_path}/{request.target.removeprefix(self.api_prefix)}"

    def head(self, request: Request, target: str) -> bytes:
        """The request as it goes on: the user's own credentials, and one request a connection. Pure."""
        kept = [(name, value) for name, value in request.headers if name.lower() not in HOP]
        ours = {name: value for name, value in self.server.headers().items() if name not in ("User-Agent", "Accept")}
        upgrade = request.header("upgrade")
        more = {"Host": urlsplit(self.server.config.server).netloc, "Connection": "Upgrade" if upgrade else "close", **ours}
        lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in (*more.items(), *kept))]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def parsed(head: bytes) -> Request:
    """Raises ValueError for what is no HTTP/1 request. Pure."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, version = first.split(" ")
    if not version.startswith("HTTP/1.") or not target.startswith("/"):
        raise ValueError(first)
    pairs = [line.partition(":") for line in lines]
    return Request(method, target, tuple((name.strip(), value.strip()) for name, _, value in pairs))


def _patterns(words: str) -> tuple[re.Pattern[str], ...]:
    """Raises CommandError."""
    try:
        return tuple(re.compile(word) for word in words.split(","))
    except re.error as error:
        raise CommandError(f"Error compiling re: error parsing regexp: {error}") from error


def _any(patterns: Iterable[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _slashed(prefix: str) -> str:
    return f"{'' if prefix.startswith('/') else '/'}{prefix}{'' if prefix.endswith('/') else '/'}"


async def _serve(session: Session, way: Way, address: str, port: int, unix_socket: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _pass(session, way, (reader, writer))

    if unix_socket:
        server: asyncio.Server = await asyncio.start_unix_server(serve, unix_socket, limit=HEAD_BYTES)
        where = unix_socket
    else:
        try:
            server = await asyncio.start_server(serve, address, port, limit=HEAD_BYTES)
        except OSError as error:
            raise CommandError(f"listen tcp {address}:{port}: bind: {os.strerror(error.errno or 0).lower()}") from error
        host, bound = server.sockets[0].getsockname()[:2]
        where = f"[{host}]:{bound}" if ":" in host else f"{host}:{bound}"
    print(f"Starting to serve on {where}", flush=True)
    async with server:
        await server.serve_forever()


async def _pass(session: Session, way: Way, local: Ends) -> None:
    """One connection's request."""
    reader, writer = local
    try:
        request = parsed(await reader.readuntil(b"\r\n\r\n"))
    except (ValueError, asyncio.LimitOverrunError):
        return await _answer(writer, 400, b"Bad Request\n")
    except (asyncio.IncompleteReadError, OSError):
        return await closed(writer)
    if way.accepted is not None and not way.accepted.passes(request.method, request.path, request.header("host")):
        return await _answer(writer, 403, b"Forbidden\n")
    if way.www_prefix and request.path.startswith(way.www_prefix):
        return await _file(way, request, writer)
    target = way.target(request)
    if target is None:
        return await _answer(writer, 404, b"404 page not found\n")
    try:
        remote = await connected(way.server)
    except Unreachable as error:
        session.complain(error)
        return await _answer(writer, 502, b"")
    remote[1].write(way.head(request, target))
    return await relay(local, remote)


async def _file(way: Way, request: Request, writer: asyncio.StreamWriter) -> None:
    """A file of --www; what lies outside of it is not there."""
    place = (way.www / request.path.removeprefix(way.www_prefix)).resolve()
    if place.is_dir():
        place = place / "index.html"
    if not place.is_relative_to(way.www.resolve()) or not place.is_file():
        return await _answer(writer, 404, b"404 page not found\n")
    kind = mimetypes.guess_type(place.name)[0] or "text/plain; charset=utf-8"
    return await _answer(writer, 200, await asyncio.to_thread(place.read_bytes), kind)


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'OK')}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    await closed(writer)
