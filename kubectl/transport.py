"""Requests to the API server, one after the other, over the standard library's HTTP client.

kubectl lives for a fraction of a second and does one thing at a time, so the shared asynchronous client (`kube.client`) would cost
more to import than all of the rest of a command takes. An answer of 400 and above is raised as the ApiError its Status names.
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import http.client
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson

from kube.api.meta import Tree
from kube.api.status import ApiError, TooManyRequests, UnknownError, from_status
from kube.client.kubeconfig import Config

Params = Mapping[str, str | int | None] | Sequence[tuple[str, str]]
JSON = "application/json"
TRIES = 5  # of a request that the server puts off with 429 and Retry-After


class Unreachable(Exception):
    """The server cannot be reached, or the connection broke."""

    def __init__(self, message: str, *, refused: bool = False, server: str = "") -> None:
        super().__init__(message)
        self.refused = refused
        self.server = server  # the address, where it is not the API server's


@dataclass(frozen=True)
class Response:
    status: int
    content_type: str
    body: bytes

    def tree(self) -> Tree:
        loaded: Tree = orjson.loads(self.body)
        return loaded


class Server:
    """One API server, as one user. `warn` is told each distinct Warning header; `seconds` limits each request (None: no limit)."""

    def __init__(self, config: Config, *, agent: str, warn: Callable[[str], None], seconds: float | None = None) -> None:
        self.config = config
        self._agent = agent
        self._warn = warn
        self.seconds = seconds
        self._tls: ssl.SSLContext | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._warned: set[str] = set()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | Tree | list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One answer. Raises ApiError, Unreachable."""
        data = body if isinstance(body, bytes | None) else orjson.dumps(body)
        for tries_left in reversed(range(TRIES)):
            try:
                return self._once(method, with_query(path, params), data, headers)
            except TooManyRequests as error:
                seconds = (error.details or {}).get("retryAfterSeconds")
                if not tries_left or not seconds:
                    raise
                time.sleep(float(seconds))
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def stream(
        self, method: str, path: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer that goes on (a watch, a log), on a connection of its own; read it with readline() or read1().

        --request-timeout bounds every read, too.
        """
        connection = self.connect(self.seconds)
        try:
            answer = self._exchange(connection, method, with_query(path, params), None, headers)
            if answer.status >= 400:
                raise _error(answer.status, answer.read())
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from error
        finally:
            connection.close()

    def connect(self, seconds: float | None) -> http.client.HTTPConnection:
        """A fresh connection, not yet open."""
        url = urlsplit(self.config.server)
        if url.scheme == "https":
            if self._tls is None:
                self._tls = self.config.ssl_context()
            name = self.config.server_name or (url.hostname or "")
            return _Tls(url.hostname or "", url.port or 443, context=self._tls, timeout=seconds, expected=name)
        return http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=seconds)

    def headers(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What every request carries: whom it is from and what it takes."""
        merged = {"User-Agent": self._agent, "Accept": JSON, **dict(self.config.impersonate)}
        token = self.config.bearer()
        if token:
            merged["Authorization"] = f"Bearer {token}"
        merged.update(more or {})
        return merged

    def path(self, path: str) -> str:
        """A path on the server, below the prefix that its URL may have."""
        return urlsplit(self.config.server).path.rstrip("/") + path.replace(" ", "%20")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str] | None) -> Response:
        kept = self._connection
        connection = kept or self.connect(self.seconds)
        self._connection = connection
        try:
            answer = self._exchange(connection, method, path, data, headers)
            content = answer.read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            if kept is None:
                raise _unreachable(error) from error
            return self._once(method, path, data, headers)  # an idle connection that the server had closed: nothing was done
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise _unreachable(error) from error
        if answer.status >= 400:
            raise _error(answer.status, content)
        return Response(answer.status, answer.headers.get("Content-Type", ""), content)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        data: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> http.client.HTTPResponse:
        merged = self.headers({"Content-Type": JSON, **(headers or {})} if data is not None else headers)
        connection.request(method, self.path(path), body=data, headers=merged)
        answer = connection.getresponse()
        for text in answer.headers.get_all("Warning") or ():
            self._tell(text)
        return answer

    def _tell(self, header: str) -> None:
        """Warning: 299 - "text" (RFC 7234)."""
        text = header.partition('"')[2].rpartition('"')[0].replace('\\"', '"').replace("\\\\", "\\")
        if text and text not in self._warned:
            self._warned.add(text)
            self._warn(text)


class _Tls(http.client.HTTPSConnection):
    """HTTPS that may expect another name in the certificate than the host it dials."""

    def __init__(self, host: str, port: int, *, context: ssl.SSLContext | None, timeout: float | None, expected: str) -> None:
        super().__init__(host, port, context=context, timeout=timeout)
        self._tls = context or ssl.create_default_context()
        self._expected = expected

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._expected)


def with_query(path: str, params: Params | None) -> str:
    """The path with its query; parameters that are None are left out."""
    pairs = params.items() if isinstance(params, Mapping) else params or ()
    query = urlencode([(name, value) for name, value in pairs if value is not None], quote_via=quote)
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def _error(status: int, content: bytes) -> ApiError:
    try:
        tree = orjson.loads(content)
    except orjson.JSONDecodeError:
        tree = {"message": content.decode("utf-8", "replace").strip()}
    tree = tree if isinstance(tree, dict) else {}
    if status >= 500 and tree.get("kind") == "Status" and tree.get("message") and not tree.get("reason"):
        return UnknownError(tree["message"], tree.get("details"), status)  # told without a reason, as it came
    return from_status(status, tree)


def _unreachable(error: Exception) -> Unreachable:
    """In the words of upstream's client, where they are known."""
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(str(error), refused=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(f"tls: failed to verify certificate: x509: {error.verify_message}")
    if isinstance(error, TimeoutError):
        return Unreachable("net/http: request canceled (Client.Timeout exceeded while awaiting headers)")
    if isinstance(error, http.client.RemoteDisconnected):
        return Unreachable("EOF")
    return Unreachable(str(error) or type(error).__name__)


def warning_line(text: str) -> None:
    """A server's warning, as upstream shows it."""
    print(f"Warning: {text}", file=sys.stderr)
