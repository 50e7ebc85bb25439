"""Answer: from a Response to ASGI messages — headers every answer has, compression, streams that end when the client leaves.

https://kubernetes.io/docs/reference/using-api/api-concepts/#response-compression
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import orjson

from apiserver import stream_socket
from apiserver.context import Request, Response
from apiserver.handlers.negotiation import accepted
from apiserver.until_gone import until_gone
from kube.api.late import late
from kube.api.status import ApiError, NotAcceptable, NotAuthorized, UnknownError

if TYPE_CHECKING:
    from kube.api import go_yaml
else:
    go_yaml = late("kube.api.go_yaml")

COMPRESS_FROM_BYTES = 128 * 1024  # upstream's defaultGzipThresholdBytes
COMPRESS_LEVEL = 1
NO_CONTENT = 204
YAML = "application/yaml"
GZIP_WINDOW = 31  # zlib's sign for gzip's header and trailer
WARNINGS_LENGTH = 4096  # of all warnings; beyond it each is cut to WARNING_LENGTH
WARNING_LENGTH = 256
CACHE_CONTROL = (b"cache-control", b"no-cache, private")
HEADERS = b"content-type: %b\r\ncache-control: no-cache, private\r\n%b%bcontent-length: %d\r\n"


async def send_response(request: Request, response: Response) -> None:
    if request.is_websocket:
        await stream_socket.speak(request, response)
        return
    if _answered_at_once(request, response):
        return
    body = response.body
    if response.in_yaml:
        response.content_type, body = YAML, await asyncio.to_thread(_as_yaml, body)  # a second for 500 pods
    headers = _headers(request, response)
    if response.stream is not None:
        await _send_stream(request, response, headers)
        return
    if len(body) >= COMPRESS_FROM_BYTES and _compressible(request):
        body = await asyncio.to_thread(_compress, body)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    if response.status != NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(body)))
    request.started = True
    await request.send({"type": "http.response.start", "status": response.status, "headers": headers})
    await request.send({"type": "http.response.body", "body": b"" if request.info.method == "HEAD" else body})


def _answered_at_once(request: Request, response: Response) -> bool:
    """Whether it went out without messages (kube/component/http_cycle.py); what is out of the ordinary does not."""
    answer, body = request.scope.get("extensions", {}).get("answer"), response.body
    usual = response.content_type != "" and not (response.headers or request.warnings or response.in_yaml)
    plain = usual and response.stream is None and len(body) < COMPRESS_FROM_BYTES
    if answer is None or not plain:
        return False
    named = b"audit-id: %b\r\n" % request.audit_id.encode() if request.audit_id else b""
    more = b"".join([b"%b: %b\r\n" % header for header in request.answer_headers])
    sent: bool = answer(response.status, HEADERS % (response.content_type.encode(), named, more, len(body)), body)
    if sent:
        request.started, request.answered = True, response.status
    return sent


def status_response(request: Request, error: ApiError) -> Response:
    """The failure as a Status object, in JSON unless the client asked for YAML."""
    code = error.actual_code if isinstance(error, UnknownError) else error.code
    response = Response(code, orjson.dumps(error.status()))
    response.in_yaml = _wants_yaml(request)
    if isinstance(error, NotAuthorized):
        response.headers.append(("x-content-type-options", "nosniff"))
    retry = (error.details or {}).get("retryAfterSeconds")
    if retry:
        response.headers.append(("retry-after", str(retry)))
    return response


async def refuse_websocket(request: Request, error: ApiError) -> None:
    """Answer the handshake with the failure, as a plain HTTP response."""
    headers = [(b"content-type", b"application/json")]
    await request.send({"type": "websocket.http.response.start", "status": error.code, "headers": headers})
    await request.send({"type": "websocket.http.response.body", "body": orjson.dumps(error.status())})


def _headers(request: Request, response: Response) -> list[tuple[bytes, bytes]]:
    headers = [CACHE_CONTROL]
    if response.content_type:
        headers.append((b"content-type", response.content_type.encode()))
    if request.audit_id:
        headers.append((b"audit-id", request.audit_id.encode()))
    headers += request.answer_headers
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers]
    headers += [(b"warning", warning) for warning in _warnings(request.warnings)]
    return headers


def _warnings(texts: list[str]) -> list[bytes]:
    """Warning headers, as many as a client can be expected to read (apiserver pkg/endpoints/filters/warning.go).

    Text with control characters cannot stand in a header: such a warning is left out, as upstream does.
    """
    shown = [text for text in texts if text.replace("\t", " ").isprintable()]
    if sum(map(len, shown)) > WARNINGS_LENGTH:
        shown = [text[:WARNING_LENGTH] for text in shown][: WARNINGS_LENGTH // WARNING_LENGTH]
    return [b'299 - "%s"' % text.replace("\\", "\\\\").replace('"', '\\"').encode() for text in shown]


async def _send_stream(request: Request, response: Response, headers: list[tuple[bytes, bytes]]) -> None:
    """Send what comes; a client that leaves ends it."""
    request.started = True
    await request.send({"type": "http.response.start", "status": response.status, "headers": headers})
    await request.send({"type": "http.response.body", "body": b"", "more_body": True})  # the head goes out at once
    await until_gone(request, _pump(request, response))


async def _pump(request: Request, response: Response) -> None:
    assert response.stream is not None, "asked for a stream"
    try:
        async for chunk in response.stream:
            await request.send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        if isinstance(response.stream, AsyncGenerator):
            await response.stream.aclose()  # its own clean-up happens now, not whenever it is collected
    await request.send({"type": "http.response.body", "body": b""})


def _compressible(request: Request) -> bool:
    return request.info.verb in ("get", "list") and "gzip" in request.headers.get("accept-encoding", "")


def _compress(body: bytes) -> bytes:
    packer = zlib.compressobj(COMPRESS_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return packer.compress(body) + packer.flush()


def _as_yaml(data: bytes) -> bytes:
    return go_yaml.as_yaml(orjson.loads(data)).encode()


def _wants_yaml(request: Request) -> bool:
    try:
        return accepted(request).yaml
    except NotAcceptable:
        return False
